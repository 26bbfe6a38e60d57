//! From the service's statuses to S3 errors: by the reason, through the contract's exhaustive table.

use bucketry_contract::errors::{explain, row};
use http::StatusCode;
use tonic::{Code, Status};

use crate::error::S3Error;

impl From<Status> for S3Error {
    fn from(status: Status) -> Self {
        match explain(&status) {
            Some(explained) => {
                let row = row(explained.reason);
                let http = StatusCode::from_u16(row.http_status)
                    .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                S3Error::new(row.s3_code, http, status.message().to_owned())
            }
            None => of_code(status.code()),
        }
    }
}

/// A status without a reason of ours comes from between the adapter and the service (the network, a deadline, an
/// overloaded peer); its message is for the operator.
fn of_code(code: Code) -> S3Error {
    match code {
        Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded => S3Error::new(
            "ServiceUnavailable",
            StatusCode::SERVICE_UNAVAILABLE,
            "Please try again.",
        ),
        Code::ResourceExhausted => S3Error::new(
            "SlowDown",
            StatusCode::SERVICE_UNAVAILABLE,
            "Please reduce your request rate.",
        ),
        Code::Unimplemented => S3Error::not_implemented("The server does not implement this."),
        Code::Ok
        | Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Internal
        | Code::DataLoss
        | Code::Unauthenticated => S3Error::internal(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bucketry_contract::errors::{ALL_REASONS, status};
    use std::collections::HashMap;

    #[test]
    fn every_reason_has_its_s3_error() {
        for reason in ALL_REASONS {
            let error = S3Error::from(status(reason, "why", HashMap::new()));
            assert_eq!(error.code(), row(reason).s3_code);
            assert_eq!(error.status().as_u16(), row(reason).http_status);
            assert_eq!(error.message(), "why");
        }
    }

    #[test]
    fn what_is_not_explained_shows_nothing() {
        let error = S3Error::from(Status::internal("connection string"));
        assert_eq!(
            (error.code(), error.status()),
            ("InternalError", StatusCode::INTERNAL_SERVER_ERROR)
        );
        assert!(!error.message().contains("connection"));
        let error = S3Error::from(Status::unavailable("10.0.0.1 refused"));
        assert_eq!(error.code(), "ServiceUnavailable");
        assert!(!error.message().contains("10.0.0.1"));
        assert_eq!(
            S3Error::from(Status::resource_exhausted("x")).code(),
            "SlowDown"
        );
    }
}
