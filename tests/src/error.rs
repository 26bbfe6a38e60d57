//! Why the harness could not do what a test asked of it.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// A fault of the harness or of the server that it drives; never an answer that a test is about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HarnessError {
    /// A file or socket could not be used.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The server's binary has not been built.
    #[error("{} is missing: build it first (`cargo build -p bucketry`, or run `tests/run`)", .0.display())]
    MissingBinary(PathBuf),
    /// `tests/prepare` has not been run.
    #[error("{} is missing: run `tests/prepare` first", .0.display())]
    NotPrepared(PathBuf),
    /// The server ended before it was ready.
    #[error("the server ended before it was ready; its log:\n{log}")]
    EndedEarly {
        /// What the server wrote to its standard error.
        log: String,
    },
    /// The server was not ready in time.
    #[error("the server was not ready within {limit:?}; its log:\n{log}")]
    NotReady {
        /// How long was waited.
        limit: Duration,
        /// What the server wrote to its standard error.
        log: String,
    },
    /// The server's `ready` line could not be read.
    #[error("cannot read an address from the line {0:?}")]
    ReadyLine(String),
    /// The server did not end in time after it was asked to.
    #[error("the server did not end within {limit:?} of SIGTERM; its log:\n{log}")]
    NotStopped {
        /// How long was waited.
        limit: Duration,
        /// What the server wrote to its standard error.
        log: String,
    },
    /// No PostgreSQL server was named.
    #[error(
        "no PostgreSQL server: `tests/run` starts one and names it in BUCKETRY_TEST_POSTGRES_URL"
    )]
    NoPostgres,
    /// The PostgreSQL server refused.
    #[error("PostgreSQL: {0}")]
    Postgres(#[from] sqlx::Error),
    /// SQLite refused.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A script of a client failed.
    #[error("{name} ended with {status}:\n{output}")]
    Script {
        /// The script's name.
        name: String,
        /// How it ended.
        status: ExitStatus,
        /// What it printed.
        output: String,
    },
    /// A script of a client took too long.
    #[error("{name} did not end within {limit:?}")]
    ScriptTimeout {
        /// The script's name.
        name: String,
        /// How long was waited.
        limit: Duration,
    },
    /// No connection could be made.
    #[error(transparent)]
    Transport(#[from] tonic::transport::Error),
    /// A call that prepares a test was refused.
    #[error(transparent)]
    Refused(Box<tonic::Status>),
    /// An answer lacks a field that it must have.
    #[error("the answer lacks `{0}`")]
    Incomplete(&'static str),
    /// Something that must be a header value is not one.
    #[error("not a header value: {0}")]
    Header(#[from] tonic::metadata::errors::InvalidMetadataValue),
    /// A request could not be signed.
    #[error("cannot sign the request: {0}")]
    Sign(String),
    /// An answer is not HTTP/1.1.
    #[error("not an HTTP/1.1 answer: {0}")]
    Http(String),
}

impl HarnessError {
    pub(crate) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}

impl From<tonic::Status> for HarnessError {
    fn from(status: tonic::Status) -> Self {
        Self::Refused(Box::new(status))
    }
}
