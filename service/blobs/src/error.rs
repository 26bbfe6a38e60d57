//! What can go wrong with a store and with a blob.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

use uuid::Uuid;

use super::cloud::CloudFull;
use super::disk_threads::Stalled;
use super::extents::RangeOutside;
use bucketry_domain::BlobId;

/// A failed operation on a blob.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// No such blob.
    #[error("blob {id} is missing")]
    NotFound {
        /// The blob.
        id: BlobId,
    },
    /// A block does not carry the checksum of its data and place, or is cut short. None of its
    /// bytes were handed out.
    #[error("block {block} of blob {id} is damaged")]
    Corrupt {
        /// The blob.
        id: BlobId,
        /// The number of the block, from 0.
        block: u64,
    },
    /// The id was used before.
    #[error("blob {id} exists")]
    Exists {
        /// The blob.
        id: BlobId,
    },
    /// The store has no room left.
    #[error("no room for blob {id}")]
    NoSpace {
        /// The blob.
        id: BlobId,
    },
    /// More, or at the end fewer, bytes were written than had been announced.
    #[error("blob {id} was to have {expected} bytes and got {actual}")]
    LengthMismatch {
        /// The blob.
        id: BlobId,
        /// The announced length in bytes.
        expected: u64,
        /// The bytes written when the difference was seen.
        actual: u64,
    },
    /// The blob is longer than this kind of store can take in one upload.
    #[error("blob {id} is longer than {limit} bytes")]
    TooLong {
        /// The blob.
        id: BlobId,
        /// The greatest length in bytes.
        limit: u64,
    },
    /// The range is not inside the extents.
    #[error(transparent)]
    Range(#[from] RangeOutside),
    /// The writer failed before; nothing of the blob counts.
    #[error("the writer of blob {id} failed before")]
    WriterFailed {
        /// The blob.
        id: BlobId,
    },
    /// The runtime ended while an operation was under way.
    #[error("work on blob {id} was interrupted")]
    Interrupted {
        /// The blob.
        id: BlobId,
    },
    /// The blob's path is a link, a pipe or another kind of file that is not regular.
    #[error("the file of blob {id} is not a regular file")]
    NotAFile {
        /// The blob.
        id: BlobId,
    },
    /// The store did not answer in time. The operation may still take effect.
    #[error("the store did not answer in time for blob {id}")]
    Overdue {
        /// The blob.
        id: BlobId,
    },
    /// The file system refused.
    #[error("file of blob {id}")]
    File {
        /// The blob.
        id: BlobId,
        /// What the system said.
        source: io::Error,
    },
    /// The store refused, or could not be reached.
    #[error("store of blob {id}")]
    Store {
        /// The blob.
        id: BlobId,
        /// What the store said.
        source: object_store::Error,
    },
}

impl BlobError {
    pub(super) fn from_store(id: BlobId, error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound { id },
            object_store::Error::AlreadyExists { .. } => Self::Exists { id },
            source if is_full(&source) => Self::NoSpace { id },
            source if is_overdue(&source) => Self::Overdue { id },
            source => Self::Store { id, source },
        }
    }

    pub(super) fn from_file(id: BlobId, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound { id },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace { id },
            _ => Self::File { id, source },
        }
    }
}

/// Whether a full disk or an exhausted quota lies at the bottom of `error`.
fn is_full(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| {
        let full_disk = cause.downcast_ref::<io::Error>().is_some_and(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            )
        });
        full_disk || cause.is::<CloudFull>() || is_quota_answer(cause)
    })
}

/// The codes of S3-like stores (MinIO, Ceph) that are full or at their quota. Azure and Google have none.
const FULL_CODES: [&str; 4] = [
    "<Code>XMinioStorageFull</Code>",
    "<Code>XMinioAdminBucketQuotaExceeded</Code>",
    "<Code>QuotaExceeded</Code>",
    "<Code>InsufficientStorage</Code>",
];

/// Whether `cause` is the answer of a store with one of these codes. The type of that error is not public.
fn is_quota_answer(cause: &(dyn StdError + 'static)) -> bool {
    // Only the innermost error's text is the answer itself.
    if cause.source().is_some() {
        return false;
    }
    let text = cause.to_string();
    FULL_CODES.iter().any(|code| text.contains(code))
}

/// Whether a time limit has passed.
pub(super) fn is_overdue(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
    })
}

/// An error and its sources, outermost first.
pub(super) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    // `error.source()` would borrow from the closure's reference.
    std::iter::successors(Some(error), |&error| <dyn StdError>::source(error))
}

/// A store that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The catalog is new, and the store holds blobs that it cannot know.
    #[error("the store holds blobs and has no marker: it is not new")]
    NotEmpty,
    /// The catalog knows its store, and this one carries no marker. Most often the disk is not
    /// mounted.
    #[error("the store has no marker (expected store {expected}): is it mounted?")]
    MarkerMissing {
        /// The id of the store that the catalog belongs to.
        expected: Uuid,
    },
    /// The store belongs to another catalog.
    #[error("the store is {found}, expected {expected}")]
    MarkerForeign {
        /// The id of the store that the catalog belongs to.
        expected: Uuid,
        /// The id in the marker.
        found: Uuid,
    },
    /// The marker is not one that bucketry wrote.
    #[error("the store's marker cannot be read as one")]
    MarkerMalformed,
    /// The runtime ended while the store was being prepared.
    #[error("work on the store was interrupted")]
    Interrupted,
    /// A directory of the store is a link or a file.
    #[error("{} is a link or a file where the store needs a directory; links are not followed", path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
    },
    /// The disk did not answer in time.
    #[error("the disk did not answer in time")]
    Overdue,
    /// A file or directory of the store could not be made or read.
    #[error("cannot use a file or directory of the store: {0}")]
    Directory(#[source] io::Error),
    /// The store refused, or could not be reached.
    #[error("{0}")]
    Store(#[source] object_store::Error),
}

impl From<Stalled> for StoreError {
    fn from(stalled: Stalled) -> Self {
        match stalled {
            Stalled::Overdue => Self::Overdue,
            Stalled::Interrupted => Self::Interrupted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart_however_deep() {
        let id = BlobId::new(1, 1);
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let wrapped = object_store::Error::Generic {
            store: "test",
            source: Box::new(object_store::Error::Generic {
                store: "inner",
                source: Box::new(full),
            }),
        };
        assert!(matches!(
            BlobError::from_store(id, wrapped),
            BlobError::NoSpace { .. }
        ));
        let other = object_store::Error::Generic {
            store: "test",
            source: Box::new(io::Error::other("a cable")),
        };
        assert!(matches!(
            BlobError::from_store(id, other),
            BlobError::Store { .. }
        ));
    }
}
