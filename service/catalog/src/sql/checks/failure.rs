use std::path::PathBuf;
use std::sync::Arc;

use crate::{CatalogError, DatabaseError};

/// What is wrong with a database. [`remedy`](Self::remedy) says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum CheckFailure {
    /// What a start would fail with. Its message has the remedy.
    #[error(transparent)]
    Database(#[from] CatalogError),
    /// The database did not answer in time.
    #[error("the database does not answer")]
    NoAnswer,
    /// The clocks of this machine and the database differ.
    #[error("this machine's clock is {}", difference(*seconds))]
    Clock {
        /// By how much it is ahead.
        seconds: f64,
    },
    /// There is no catalog in the directory.
    #[error("there is no catalog in {0}")]
    NoCatalog(PathBuf),
    /// The file is damaged.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// Others than the owner may read or write a file.
    #[error("others than its owner may use {path} (mode {mode:o})")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

impl CheckFailure {
    /// What to do; `None` if the message says it.
    #[must_use]
    pub const fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Database(CatalogError::Database(_)) => {
                Some("check --database-url, the server and its log")
            }
            Self::Database(_) => None,
            Self::NoAnswer => Some("check the server and the network between"),
            Self::Clock { .. } => Some("synchronize both with NTP"),
            Self::NoCatalog(_) => Some(
                "--data-dir or --database-url must name its directory; the first start makes one",
            ),
            Self::Damaged(_) => Some("stop the server and restore a backup"),
            Self::Exposed { .. } => Some("chmod 600, or start the server, which does it"),
        }
    }
}

fn difference(seconds: f64) -> String {
    let side = if seconds < 0.0 { "behind" } else { "ahead of" };
    format!("{:.1} s {side} the database's", seconds.abs())
}

impl From<DatabaseError> for CheckFailure {
    fn from(error: DatabaseError) -> Self {
        Self::Database(CatalogError::from(error))
    }
}

impl From<rusqlite::Error> for CheckFailure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(CatalogError::from(error))
    }
}

impl From<sqlx::Error> for CheckFailure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(CatalogError::from(error))
    }
}

/// A directory or file of a catalog that cannot be looked at.
pub(super) fn unusable(path: &std::path::Path, error: std::io::Error) -> CheckFailure {
    CheckFailure::Database(CatalogError::Directory {
        path: path.to_owned(),
        error: Arc::new(error),
    })
}
