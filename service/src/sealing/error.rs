use std::path::PathBuf;

use crate::access::{KekId, KeyringError, KeyringFileError, OpenError, SealError};
use crate::catalog::CatalogError;

/// Why a keyring is not taken, at a start or by a reload. The operator reads it.
#[derive(Debug, thiserror::Error)]
pub enum SealingError {
    /// The file cannot be had.
    #[error(transparent)]
    File(#[from] KeyringFileError),
    /// The text of the variable cannot be read.
    #[error("BUCKETRY_KEYRING: {0}")]
    Text(#[from] KeyringError),
    /// The file is gone, but there is something that only it can open.
    #[error(
        "the keyring {0:?} is missing, but the catalog has secrets that only it can open: restore it from the backup"
    )]
    Missing(PathBuf),
    /// A key has other bytes than the key of this number that the catalog knows.
    #[error(
        "key {kek_id} of the keyring is not the one of this catalog ({source}): restore the keyring from the \
         backup; a new key needs a number that was never used (keyring add --number)"
    )]
    Foreign {
        /// The key.
        kek_id: KekId,
        /// What opening its canary answered.
        source: OpenError,
    },
    /// The stored canary of a key cannot be read.
    #[error("the stored canary of key {0} cannot be read: the catalog is damaged")]
    Canary(KekId),
    /// None of the loaded keys opens any secret.
    #[error(
        "the keyring has none of the keys that seal this catalog's secrets ({needed}): restore it from the backup"
    )]
    NoneOfThem {
        /// The keys that are needed.
        needed: String,
    },
    /// A key that seals something would go.
    #[error(
        "key {kek_id} is not in the keyring, but still seals {count} secrets: put it back, and remove it only when \
         bucketry keyring status shows 0"
    )]
    StillNeeded {
        /// The key.
        kek_id: KekId,
        /// How many secrets it seals.
        count: i64,
    },
    /// The key that seals at this moment would go.
    #[error(
        "key {0} is not in the keyring, but this node seals with it: put it back, make another key active, reload, and \
         remove it only when bucketry keyring status shows 0"
    )]
    StillActive(KekId),
    /// A text in the environment of a running process does not change.
    #[error(
        "the keyring was given as the text BUCKETRY_KEYRING, which cannot change while the server runs: change it and \
         restart, or keep the keyring in a file (--keyring-file)"
    )]
    Unchangeable,
    /// No canary could be made.
    #[error("cannot seal the canary of a key: {0}")]
    Seal(#[from] SealError),
    /// The catalog is out of reach.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The file was not read to its end because the process is stopping.
    #[error("the process is stopping")]
    Stopping,
}
