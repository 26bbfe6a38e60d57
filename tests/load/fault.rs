//! What can go wrong in the tool or between it and the server.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

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
    #[error("gRPC status {code:?}: {message}")]
    Rpc { code: tonic::Code, message: String },
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
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("json: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<tonic::Status> for Fault {
    fn from(status: tonic::Status) -> Self {
        Self::Rpc {
            code: status.code(),
            message: status.message().to_owned(),
        }
    }
}
