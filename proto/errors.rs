//! Reasons of errors, between the service (which makes statuses of them) and the adapter (which makes S3 errors of
//! them). Every status carries a `google.rpc.ErrorInfo` whose `reason` is the name of an [`ErrorReason`] without prefix.

use std::collections::HashMap;
use std::time::Duration;

use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

use crate::ERROR_DOMAIN;
pub use crate::v1::ErrorReason;

mod table {
    use super::{ErrorReason, ErrorRow};
    include!(concat!(env!("OUT_DIR"), "/error_table.rs"));
}
pub use table::{ALL_REASONS, row};

/// What the metadata of a refusal holds that is about the key or connection of an S3 adapter, and not about its client.
pub const ABOUT_EDGE: (&str, &str) = ("about", "edge");

/// How long a caller that is refused with `SlowDown` is asked to wait before it tries again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// How a reason appears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorRow {
    /// The reason's name without prefix, as in `NO_SUCH_KEY`: `reason` of `google.rpc.ErrorInfo`.
    pub name: &'static str,
    /// S3's code, as in `NoSuchKey`.
    pub s3_code: &'static str,
    /// The HTTP status, 304 or 400 to 599.
    pub http_status: u16,
    /// The gRPC code.
    pub grpc_code: tonic::Code,
}

/// What a status says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The reason.
    pub reason: ErrorReason,
    /// What goes with it, as the server's time or the name of a field.
    pub metadata: HashMap<String, String>,
}

/// The status of a reason, with a message for the client and what goes with it.
#[must_use]
pub fn status(
    reason: ErrorReason,
    message: impl Into<String>,
    metadata: HashMap<String, String>,
) -> Status {
    let row = row(reason);
    let mut details = ErrorDetails::with_error_info(row.name, ERROR_DOMAIN, metadata);
    if reason == ErrorReason::SlowDown {
        details.set_retry_info(Some(RETRY_DELAY));
    }
    Status::with_error_details(row.grpc_code, message, details)
}

/// The status of a reason with nothing to add. Its message is the reason's S3 code.
#[must_use]
pub fn status_of(reason: ErrorReason) -> Status {
    status(reason, row(reason).s3_code, HashMap::new())
}

/// The reason of a status, if it is one of ours: of our domain and a known name.
#[must_use]
pub fn explain(status: &Status) -> Option<Explained> {
    let info = status
        .get_details_error_info()
        .filter(|info| info.domain == ERROR_DOMAIN)?;
    let reason = of_name(&info.reason)?;
    Some(Explained {
        reason,
        metadata: info.metadata,
    })
}

/// The reason of a name without prefix, as in `NO_SUCH_KEY`.
#[must_use]
pub fn of_name(name: &str) -> Option<ErrorReason> {
    ErrorReason::from_str_name(&format!("ERROR_REASON_{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_survives_a_status() {
        for reason in ALL_REASONS {
            let metadata = HashMap::from([("field".to_owned(), "spec.key".to_owned())]);
            let status = status(reason, "why", metadata.clone());
            assert_eq!(status.code(), row(reason).grpc_code);
            assert_eq!(status.message(), "why");
            assert_eq!(explain(&status), Some(Explained { reason, metadata }));
            assert_eq!(of_name(row(reason).name), Some(reason));
        }
    }

    #[test]
    fn every_row_is_an_error() {
        for reason in ALL_REASONS {
            let row = row(reason);
            assert!(
                row.http_status == 304 || (400..600).contains(&row.http_status),
                "{row:?}"
            );
            assert_ne!(row.grpc_code, tonic::Code::Ok, "{row:?}");
            assert!(
                row.name.len() <= 63,
                "google.rpc.ErrorInfo bounds reasons: {row:?}"
            );
        }
    }

    #[test]
    fn foreign_statuses_have_no_reason() {
        assert_eq!(explain(&Status::unavailable("x")), None);
        let foreign = ErrorDetails::with_error_info("NO_SUCH_KEY", "example.com", HashMap::new());
        assert_eq!(
            explain(&Status::with_error_details(
                tonic::Code::NotFound,
                "x",
                foreign
            )),
            None
        );
        let unknown = ErrorDetails::with_error_info("NO_SUCH_THING", ERROR_DOMAIN, HashMap::new());
        assert_eq!(
            explain(&Status::with_error_details(
                tonic::Code::NotFound,
                "x",
                unknown
            )),
            None
        );
    }
}
