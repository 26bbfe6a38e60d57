//! What can go wrong in the tool or between it and the server.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tonic_types::StatusExt;

/// A failure of the tool, of the way to the server, or an answer that is not a success.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{name} is not set")]
    MissingVariable { name: &'static str },
    #[error("not an endpoint of the form http://host:port: {endpoint}")]
    Endpoint { endpoint: String },
    #[error("cannot connect to {authority}: {source}")]
    Connect {
        authority: String,
        source: io::Error,
    },
    #[error("http: {0}")]
    Http(#[from] hyper::Error),
    #[error("request: {0}")]
    Request(#[from] http::Error),
    #[error("channel: {0}")]
    Channel(#[from] tonic::transport::Error),
    #[error("credentials cannot be sent as metadata")]
    Metadata(#[from] tonic::metadata::errors::InvalidMetadataValue),
    #[error("the signing key is refused: {0}")]
    SigningKey(#[from] hmac::digest::InvalidLength),
    #[error("the time cannot be formatted: {0}")]
    Time(#[from] time::error::Format),
    #[error("HTTP status {status}: {body}")]
    Status { status: u16, body: String },
    #[error("gRPC status {code:?} {reason}: {message}")]
    Rpc {
        code: tonic::Code,
        reason: String,
        message: String,
    },
    #[error("{got} bytes where {expected} were expected")]
    Length { expected: u64, got: u64 },
    #[error("an answer of more than {limit} bytes")]
    TooLong { limit: usize },
    #[error("the answer lacks {0}")]
    Lacking(&'static str),
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    #[error("cannot start {binary}: {source}")]
    Start { binary: PathBuf, source: io::Error },
    #[error("the server did not report that it is ready; its log is {log}")]
    NotReady { log: PathBuf },
    #[error("process {pid}: {source}")]
    Process { pid: u32, source: io::Error },
    #[error("process {pid}: {file} is not understood")]
    ProcessFormat { pid: u32, file: &'static str },
    #[error("a thread of the tool ended early")]
    Thread,
    #[error("{errors} operations failed, the first with: {first}")]
    Failed { errors: u64, first: String },
    #[error("histogram: {0}")]
    Histogram(#[from] hdrhistogram::CreationError),
    #[error("{count} promises were broken")]
    Violations { count: usize },
    #[error("fsck ended with {status:?}: {said}")]
    Fsck { status: Option<i32>, said: String },
    #[error("{left} blob files are left after {within:?}")]
    Orphans { left: usize, within: Duration },
    #[error("{operation} takes {ratio:.3} times its former CPU time; the limit is {limit}")]
    Regressed {
        operation: &'static str,
        ratio: f64,
        limit: f64,
    },
    #[error("an account has {ratio:.2} of its rate beside another; the least is {least}")]
    Unfair { ratio: f64, least: f64 },
    #[error(
        "nginx is not at {path}: install the Debian package `nginx`, or name the program by --nginx"
    )]
    NoNginx { path: PathBuf },
    #[error("nginx ended before it listened: {said}")]
    NginxEnded { said: String },
    #[error("not a server of the form NAME=http://host:port@PID: {text}")]
    Peer { text: String },
    #[error(
        "{server}: objects and tokens were not written within {within:?}; raise --populate-within, or lower --keys or \
         --tokens"
    )]
    Population { server: String, within: Duration },
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("json: {0}")]
    Json(#[from] serde_json::Error),
}

const NO_SUCH_KEY: &str = "NO_SUCH_KEY";

impl Fault {
    /// Whether the server said that there is no such object (that there is no such bucket is another matter).
    pub(crate) fn is_no_such_key(&self) -> bool {
        match self {
            Self::Status { status: 404, body } => body.contains("<Code>NoSuchKey</Code>"),
            Self::Rpc { reason, .. } => reason == NO_SUCH_KEY,
            _ => false,
        }
    }

    /// Whether S3 said that the bucket to be made exists.
    pub(crate) fn is_bucket_present(&self) -> bool {
        match self {
            Self::Status { status: 409, body } => {
                body.contains("<Code>BucketAlreadyOwnedByYou</Code>")
                    || body.contains("<Code>BucketAlreadyExists</Code>")
            }
            _ => false,
        }
    }
}

impl From<tonic::Status> for Fault {
    fn from(status: tonic::Status) -> Self {
        let reason = status.get_details_error_info().map(|info| info.reason);
        Self::Rpc {
            code: status.code(),
            reason: reason.unwrap_or_default(),
            message: status.message().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic::{Code, Status};
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn a_missing_object_is_told_from_a_missing_bucket() {
        let rpc = |reason: &str| {
            let details = ErrorDetails::with_error_info(
                reason,
                bucketry_contract::ERROR_DOMAIN,
                HashMap::<String, String>::new(),
            );
            Fault::from(Status::with_error_details(
                Code::NotFound,
                "absent",
                details,
            ))
        };
        let rest = |code: &str| Fault::Status {
            status: 404,
            body: format!("<Error><Code>{code}</Code></Error>"),
        };
        assert!(rpc("NO_SUCH_KEY").is_no_such_key());
        assert!(!rpc("NO_SUCH_BUCKET").is_no_such_key());
        assert!(rest("NoSuchKey").is_no_such_key());
        assert!(!rest("NoSuchBucket").is_no_such_key());
        assert!(!Fault::from(Status::not_found("absent")).is_no_such_key());
    }

    #[test]
    fn a_bucket_of_ones_own_is_not_an_error() {
        let answer = |status, code: &str| Fault::Status {
            status,
            body: format!("<Error><Code>{code}</Code></Error>"),
        };
        assert!(answer(409, "BucketAlreadyOwnedByYou").is_bucket_present());
        assert!(!answer(409, "OperationAborted").is_bucket_present());
        assert!(!answer(403, "AccessDenied").is_bucket_present());
    }
}
