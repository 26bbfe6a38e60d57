use std::collections::HashMap;

use bucketry_contract::errors::{self, ErrorReason};
use http::{HeaderMap, Response};
use tonic::body::Body;
use tonic::{Code, Status};

const STATUS: &str = "grpc-status";
const DETAILS: &str = "grpc-status-details-bin";

/// Gives a refusal that the gRPC library made by itself, before a service saw the call, the reason that every refusal
/// has by contract.
pub(super) fn explained(response: Response<Body>) -> Response<Body> {
    match refusal(response.headers()) {
        Some(status) => status.into_http(),
        None => response,
    }
}

fn refusal(headers: &HeaderMap) -> Option<Status> {
    if !headers.contains_key(STATUS) || headers.contains_key(DETAILS) {
        return None;
    }
    let bare = Status::from_header_map(headers)?;
    Some(errors::status(
        reason(bare.code())?,
        bare.message(),
        HashMap::new(),
    ))
}

/// What the library means by a code. None where it speaks for the services of its own, or of the connection.
fn reason(code: Code) -> Option<ErrorReason> {
    match code {
        // What it cannot decode it calls an internal error.
        Code::Internal | Code::InvalidArgument => Some(ErrorReason::InvalidRequest),
        // Of a message above the limit.
        Code::OutOfRange | Code::ResourceExhausted => Some(ErrorReason::EntityTooLarge),
        Code::Unimplemented => Some(ErrorReason::NotImplemented),
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::Unavailable
        | Code::DataLoss
        | Code::Unauthenticated => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(response: &Response<Body>) -> Status {
        Status::from_header_map(response.headers()).unwrap()
    }

    #[test]
    fn the_librarys_refusals_get_a_reason() {
        let bare = Status::internal("failed to decode").into_http();
        let explained = status(&explained(bare));
        assert_eq!(
            (explained.code(), explained.message()),
            (Code::InvalidArgument, "failed to decode")
        );
        let reason = errors::explain(&explained).unwrap().reason;
        assert_eq!(reason, ErrorReason::InvalidRequest);
    }

    #[test]
    fn the_services_own_refusals_stay() {
        let own = errors::status_of(ErrorReason::Internal).into_http();
        let kept = status(&explained(own));
        assert_eq!(kept.code(), Code::Internal);
        let health = Status::not_found("service not registered").into_http();
        assert!(status(&explained(health)).details().is_empty());
    }
}
