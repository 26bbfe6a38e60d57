//! Probes of the store, for health.

use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path as FilePath;
use std::time::Duration;

use object_store::ObjectStoreExt;
use rustix::fs::Advice;
use tokio::time::timeout;

use super::disk_threads::Work;
use super::layout;
use super::local::LocalDisk;
use super::store::{Backend, BlobStore, Remote};

/// The interval of probes of a cloud store that answers: each is a request that may cost money.
const CLOUD_INTERVAL: Duration = Duration::from_secs(3);

/// The interval of probes of a local store, and of any store that did not answer.
const INTERVAL: Duration = Duration::from_secs(1);

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// No answer in time.
    Silent,
    /// The marker is missing: usually the disk is not mounted, or the bucket is gone.
    Missing,
    /// An error.
    Failing,
}

impl StoreFault {
    /// A public text, to follow "the store".
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Silent => "does not answer",
            Self::Missing => "has no marker",
            Self::Failing => "fails",
        }
    }
}

impl BlobStore {
    /// Probes the store within `limit`. The marker of a local store is read from the disk, past the page cache; a cloud
    /// store gets a HEAD request for its marker.
    ///
    /// # Errors
    ///
    /// [`StoreFault`].
    pub async fn probe(&self, limit: Duration) -> Result<(), StoreFault> {
        match &self.backend {
            Backend::Local(disk) => {
                let read = |disk: &LocalDisk| read_from_disk(disk);
                let read = timeout(limit, disk.run(Work::Probe, limit, read)).await;
                match read {
                    Ok(Ok(Ok(()))) => Ok(()),
                    Ok(Ok(Err(error))) => Err(fault(&error)),
                    Ok(Err(_)) | Err(_) => Err(StoreFault::Silent),
                }
            }
            Backend::Remote(_) => {
                match timeout(limit, self.store.head(&self.layout.marker())).await {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err(object_store::Error::NotFound { .. })) => Err(StoreFault::Missing),
                    Ok(Err(_)) => Err(StoreFault::Failing),
                    Err(_) => Err(StoreFault::Silent),
                }
            }
        }
    }

    /// How long after a probe with this outcome the next one is due.
    #[must_use]
    pub fn probe_interval(&self, last: Result<(), StoreFault>) -> Duration {
        match (&self.backend, last) {
            (Backend::Remote(Remote::Cloud), Ok(())) => CLOUD_INTERVAL,
            (Backend::Local(_) | Backend::Remote(_), _) => INTERVAL,
        }
    }
}

fn fault(error: &io::Error) -> StoreFault {
    match error.kind() {
        io::ErrorKind::NotFound => StoreFault::Missing,
        _ => StoreFault::Failing,
    }
}

fn read_from_disk(disk: &LocalDisk) -> io::Result<()> {
    let marker = disk.tree.open_file(FilePath::new(layout::MARKER))?;
    // Drops the marker from the page cache, so that the read reaches the disk. Not every file system can do that.
    let _ = rustix::fs::fadvise(&marker.file, 0, None, Advice::DontNeed);
    let mut first = [0];
    marker.file.read_exact_at(&mut first, 0)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::samples::{local, memory};
    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_store_without_its_marker_is_not_there() {
        let (directory, local) = local();
        for store in [local, memory()] {
            assert_eq!(store.probe(LIMIT).await, Err(StoreFault::Missing));
            store.claim(Uuid::from_u128(1)).await.unwrap();
            assert_eq!(store.probe(LIMIT).await, Ok(()));
        }
        std::fs::remove_file(directory.path().join("marker")).unwrap();
    }
}
