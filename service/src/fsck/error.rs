use std::path::PathBuf;

use crate::blobs::{BlobError, StoreError, UnusableStore};
use crate::catalog::CatalogError;
use crate::upkeep::CollectError;

/// Why catalog and blobs could not be compared. The operator reads it.
#[derive(Debug, thiserror::Error)]
pub enum FsckError {
    /// There is nothing to check.
    #[error("{} holds no catalog", .0.display())]
    NoCatalog(PathBuf),
    /// A server has the directory.
    #[error("the data directory {} is in use: stop its server first", .0.display())]
    InUse(PathBuf),
    /// Nodes work on what was to be deleted from.
    #[error(
        "{nodes} nodes are running: stop them, and wait until their leases have ended, before blobs are deleted"
    )]
    NodesLive {
        /// How many.
        nodes: u64,
    },
    /// The catalog failed.
    #[error(transparent)]
    Catalog(CatalogError),
    /// The store cannot be used, or is another one.
    #[error(transparent)]
    UnusableStore(#[from] UnusableStore),
    /// The store failed while it was read.
    #[error("the blob store: {0}")]
    Store(#[from] StoreError),
    /// The store failed at a blob.
    #[error("the blob store: {0}")]
    Blob(#[from] BlobError),
    /// The store's id in the catalog cannot be read.
    #[error("the catalog's store id cannot be read")]
    StoreId,
    /// The runtime ended while blobs were read.
    #[error("the check was interrupted")]
    Interrupted,
}

impl From<CatalogError> for FsckError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::InUse(directory) => Self::InUse(directory),
            error => Self::Catalog(error),
        }
    }
}

impl From<CollectError> for FsckError {
    fn from(error: CollectError) -> Self {
        match error {
            CollectError::Catalog(error) => error.into(),
            CollectError::Store(error) => error.into(),
        }
    }
}
