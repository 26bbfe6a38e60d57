//! Whether the disk has room for more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

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

/// Room beyond reserve and memory for writing that cannot be used up before the next check.
const AMPLE: u64 = 4 * 1024 * 1024 * 1024;

/// How long ample room is not checked again.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// When the disk of a local store was last seen to have ample room.
#[derive(Debug)]
pub(super) struct LastCheck {
    opened: Instant,
    /// In microseconds since `opened`; 0 if it never had.
    ample_at: AtomicU64,
}

impl LastCheck {
    pub(super) fn new() -> Self {
        Self {
            opened: Instant::now(),
            ample_at: AtomicU64::new(0),
        }
    }

    fn age_of_store(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn is_recent(&self) -> bool {
        let ample_at = self.ample_at.load(Ordering::Relaxed);
        let since = self.age_of_store().saturating_sub(ample_at);
        ample_at != 0 && u128::from(since) < CHECK_INTERVAL.as_micros()
    }

    fn record(&self) {
        self.ample_at.store(self.age_of_store(), Ordering::Relaxed);
    }
}

impl BlobStore {
    /// Refuses where a local store has come down to its reserve: the catalog, which most often lies on the same disk,
    /// needs room to delete anything. At most one call of the system. Other stores tell when they are full.
    ///
    /// # Errors
    ///
    /// [`NoRoom`].
    pub async fn ensure_room(&self) -> Result<(), NoRoom> {
        let Backend::Local(disk) = &self.backend else {
            return Ok(());
        };
        if disk.last_check.is_recent() {
            return Ok(());
        }
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
        let occupied = self.reserve.saturating_add(self.write_memory_total as u64);
        if free >= occupied.saturating_add(AMPLE) {
            disk.last_check.record();
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
    use super::super::{BlobStoreOptions, StoreUrl};
    use super::*;

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
    async fn only_ample_room_is_not_checked_again_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let url = StoreUrl::Local(directory.path().to_owned());
        let opened = |reserve| {
            let options = BlobStoreOptions {
                reserve: Some(reserve),
                ..BlobStoreOptions::default()
            };
            BlobStore::open(&url, &options).unwrap()
        };
        let free = {
            let disk = rustix::fs::statvfs(directory.path()).unwrap();
            disk.f_bavail * disk.f_frsize
        };
        for reserve in [0, free.saturating_sub(AMPLE / 2)] {
            let store = opened(reserve);
            let is_ample = free >= reserve + AMPLE + store.write_memory_total as u64;
            let Backend::Local(disk) = &store.backend else {
                panic!("a local store");
            };
            assert!(!disk.last_check.is_recent());
            store.ensure_room().await.unwrap();
            assert_eq!(disk.last_check.is_recent(), is_ample, "{reserve} of {free}");
        }
    }

    #[test]
    fn a_check_is_recent_for_a_while() {
        let check = LastCheck::new();
        assert!(!check.is_recent());
        let earlier = LastCheck {
            opened: Instant::now() - 2 * CHECK_INTERVAL,
            ..LastCheck::new()
        };
        earlier.record();
        assert!(earlier.is_recent());
        earlier.ample_at.store(1, Ordering::Relaxed);
        assert!(!earlier.is_recent());
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
