use std::io;
use std::path::PathBuf;

use bucketry_edge::ZeroLimit;
use bucketry_edge::forwarding::ForwardingError;

use super::NameError;
use crate::blobs::StoreUrlError;
use crate::catalog::DatabaseUrlError;

/// A position in a text file. Line and column count from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl Position {
    /// The place of a byte of `text`.
    pub(super) fn of(text: &str, byte: usize) -> Self {
        let before = text.get(..byte.min(text.len())).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or("").chars().count() + 1,
        }
    }
}

fn shown(position: Option<Position>) -> String {
    position.map_or_else(String::new, |at| {
        format!(", line {}, column {}", at.line, at.column)
    })
}

fn proposal(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| {
        format!(", did you mean `{nearest}`?")
    })
}

/// Errors of the configuration, for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The configuration file cannot be read.
    #[error("configuration file {}: {source}", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The configuration file is not valid TOML, or a value of it has the wrong type or form.
    #[error("configuration file {}{}: {message}", path.display(), shown(*position))]
    File {
        /// The file.
        path: PathBuf,
        /// The position, if known.
        position: Option<Position>,
        /// What is wrong, without the value.
        message: String,
    },
    /// The configuration file holds a key that is not a setting.
    #[error(
        "configuration file {}{}: unknown setting `{key}`{}; the settings are: {known}",
        path.display(), shown(*position), proposal(nearest.as_deref())
    )]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The position, if known.
        position: Option<Position>,
        /// The most similar setting.
        nearest: Option<String>,
        /// The key.
        key: String,
        /// All names.
        known: String,
    },
    /// A value is not what it should be.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The database URL cannot be read; not repeated, for it may hold a password.
    #[error("database-url: {0}")]
    DatabaseUrl(#[from] DatabaseUrlError),
    /// The default directory of the blobs cannot be used.
    #[error("store: {0}")]
    Store(#[from] StoreUrlError),
    /// Too few or too many connections to the database.
    #[error("database-connections must be from 2 to 1000")]
    DatabaseConnections,
    /// No address to listen on.
    #[error("listen: at least one address is needed")]
    NoListener,
    /// A forwarding header without trusted proxies.
    #[error(transparent)]
    Forwarding(#[from] ForwardingError),
    /// A listener of the PROXY protocol without trusted proxies.
    #[error(
        "proxy-listen needs trusted-proxy: a PROXY protocol header is taken from trusted proxies only, so nobody could \
         connect"
    )]
    ProxyListenAlone,
    /// One of the TLS files was given without the other.
    #[error("tls-cert and tls-key belong together: {missing} is missing")]
    HalfTls {
        /// The one that is missing.
        missing: &'static str,
    },
    /// Client certificates without TLS.
    #[error("tls-client-ca needs tls-cert and tls-key: client certificates are part of TLS")]
    ClientCaAlone,
    /// A variable of a pair was given without the other.
    #[error("{present} is set but {missing} is not")]
    HalfKeyPair {
        /// The one that was given.
        present: &'static str,
        /// The one that is missing.
        missing: &'static str,
    },
    /// A variable is not UTF-8.
    #[error("{variable} is not UTF-8 text")]
    NotText {
        /// The variable.
        variable: &'static str,
    },
    /// The keyring was given twice.
    #[error("the keyring is given twice: by keyring-file and by BUCKETRY_KEYRING")]
    TwoKeyrings,
    /// Several nodes share Postgres, so none of them may make a keyring of its own.
    #[error("a Postgres catalog needs the keyring given: by keyring-file or by BUCKETRY_KEYRING")]
    KeyringNeeded,
    /// The lease would end between two heartbeats.
    #[error("node-lease must be longer than collect-interval")]
    LeaseTooShort,
    /// A limit of connections and requests is zero.
    #[error(transparent)]
    Limit(#[from] ZeroLimit),
    /// A limit that is too low to serve any client.
    #[error("{name} must be {bound}")]
    Zero {
        /// The setting.
        name: &'static str,
        /// The constraint, as in `at least 1`.
        bound: &'static str,
    },
}
