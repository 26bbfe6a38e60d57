//! Whether the disk has room for more.

use std::sync::Arc;

use super::disk_threads::Work;
use super::error::BlobError;
use super::local::LocalDisk;
use super::store::{Backend, BlobStore};
use super::tree::Cache;
use bucketry_domain::BlobId;

/// Too little is free on the disk of a local store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{free} bytes are free on the store's disk, and {reserve} are kept for deletes")]
pub struct NoRoom {
    /// Bytes that are free for this process, without those that are under way.
    pub free: u64,
    /// Bytes that are to stay free.
    pub reserve: u64,
}

impl BlobStore {
    /// Refuses where a local store has come down to its reserve: the catalog, which most often lies on the same disk,
    /// needs room to delete anything. One call of the system. Other stores tell when they are full.
    ///
    /// # Errors
    ///
    /// [`NoRoom`].
    pub async fn ensure_room(&self) -> Result<(), NoRoom> {
        let Backend::Local(disk) = &self.backend else {
            return Ok(());
        };
        // A disk that cannot be asked will say more clearly what is wrong when it is written to.
        let Some(free) = free_bytes(disk).await else {
            return Ok(());
        };
        // What writers hold in memory is on its way to the disk.
        let held = self.write_memory_total - self.write_memory.available_permits();
        let free = free.saturating_sub(held as u64);
        if free < self.reserve {
            return Err(NoRoom {
                free,
                reserve: self.reserve,
            });
        }
        Ok(())
    }

    /// As [`ensure_room`](Self::ensure_room), for a blob that is about to be written.
    pub(super) async fn ensure_room_for(&self, id: BlobId) -> Result<(), BlobError> {
        let room = self.ensure_room().await;
        room.map_err(|_| BlobError::NoSpace { id })
    }
}

/// The bytes that are free for this process; `None` if the disk does not report them, or not in time.
async fn free_bytes(disk: &Arc<LocalDisk>) -> Option<u64> {
    let ask = |disk: &LocalDisk| rustix::fs::statvfs(disk.tree.root());
    let asked = match disk.tree.cache() {
        // The file system answers from memory.
        Cache::Usable => ask(disk),
        Cache::Unknown => disk
            .run(Work::Write, disk.threads.limit(0), ask)
            .await
            .ok()?,
    };
    let disk = asked.ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{MIB, data, local, memory, write};
    use super::super::{BlobError, BlobStore, BlobStoreOptions, StoreUrl};
    use bucketry_domain::BlobId;

    fn options() -> BlobStoreOptions {
        BlobStoreOptions {
            reserve: Some(u64::MAX),
            ..BlobStoreOptions::default()
        }
    }

    #[tokio::test]
    async fn nothing_is_written_into_the_reserve() {
        let directory = tempfile::tempdir().unwrap();
        let url = StoreUrl::Local(directory.path().to_owned());
        let full = BlobStore::open(&url, &options()).unwrap();
        assert_eq!(full.ensure_room().await.unwrap_err().reserve, u64::MAX);
        for length in [10, 3 * MIB] {
            let id = BlobId::new(1, 1);
            let refused = write(&full, id, &data(length), MIB).await;
            assert!(
                matches!(refused, Err(BlobError::NoSpace { .. })),
                "{refused:?}"
            );
            assert!(full.stat(id).await.unwrap().is_none());
        }
    }

    #[tokio::test]
    async fn there_is_room_elsewhere() {
        let (_directory, store) = local();
        assert!(store.ensure_room().await.is_ok());
        assert!(memory().ensure_room().await.is_ok());
        let memory = BlobStore::open(&StoreUrl::Memory, &options()).unwrap();
        assert!(memory.ensure_room().await.is_ok());
    }
}
