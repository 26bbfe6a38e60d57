//! Syncs of the directories of blobs. Blobs that finish at the same time share one.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::io::{Errno, Result};

use super::layout;
use super::tree::Tree;
use bucketry_domain::BlobBatchId;

/// What follows a sync. It must not block on anything but the disk.
type AfterSync = Box<dyn FnOnce(&Tree, Result<()>) + Send>;

/// Those who may wait for one directory, each with an open file: on a disk that hangs those whose time has passed stay.
const MAX_WAITING: usize = 1024;

/// The directories of a store, each with those who wait for its next sync.
pub(super) struct DirectorySyncs(Vec<Directory>);

#[derive(Default)]
struct Directory {
    queue: Mutex<Queue>,
    /// Whether the names of this directory and of that above it are durable. Locked while they are made or synced.
    is_named: Mutex<bool>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<AfterSync>,
    is_syncing: bool,
}

impl fmt::Debug for DirectorySyncs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectorySyncs").finish_non_exhaustive()
    }
}

impl DirectorySyncs {
    pub(super) fn new() -> Self {
        let directories = (0..=u8::MAX).map(|_| Directory::default());
        Self(directories.collect())
    }

    /// Calls `after` when the names that are in the batch's directory now are durable, or could not be made so. This thread
    /// syncs the directory, unless another one does: that one syncs it once more for all who came meanwhile, and this
    /// thread need not wait.
    pub(super) fn sync(
        &self,
        tree: &Tree,
        batch: BlobBatchId,
        after: impl FnOnce(&Tree, Result<()>) + Send + 'static,
    ) {
        let directory = self.directory(batch);
        {
            let mut queue = lock(&directory.queue);
            if queue.waiting.len() >= MAX_WAITING {
                drop(queue);
                return after(tree, Err(Errno::TIMEDOUT));
            }
            queue.waiting.push(Box::new(after));
            if std::mem::replace(&mut queue.is_syncing, true) {
                return;
            }
        }
        while let Some(group) = directory.next_group() {
            let synced = directory.sync(tree, batch);
            for after in group {
                after(tree, synced);
            }
        }
    }

    /// Makes the directory of a batch. The next sync makes its name durable.
    pub(super) fn make(&self, tree: &Tree, batch: BlobBatchId) -> std::io::Result<()> {
        let mut is_named = lock(&self.directory(batch).is_named);
        // Another process may have made it, or that above it, and not synced it.
        *is_named = false;
        tree.make_directory(&layout::batch_place(batch)).map(drop)
    }

    fn directory(&self, batch: BlobBatchId) -> &Directory {
        &self.0[usize::from(layout::fan_number(batch))]
    }
}

impl Directory {
    /// Those whose names the next sync makes durable. If there are none, no one syncs any more.
    fn next_group(&self) -> Option<Vec<AfterSync>> {
        let mut queue = lock(&self.queue);
        queue.is_syncing = !queue.waiting.is_empty();
        let group = std::mem::take(&mut queue.waiting);
        (!group.is_empty()).then_some(group)
    }

    fn sync(&self, tree: &Tree, batch: BlobBatchId) -> Result<()> {
        {
            let mut is_named = lock(&self.is_named);
            if !*is_named {
                tree.sync_directories_above(&layout::batch_place(batch))?;
                *is_named = true;
            }
        }
        tree.sync_directory(&layout::batch_place(batch))
    }
}

/// A panic while a lock was held cannot have left anything half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{self, Receiver};

    use super::*;

    const BATCH: BlobBatchId = BlobBatchId(0x107);

    fn tree() -> (tempfile::TempDir, Tree) {
        let directory = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(directory.path()).unwrap();
        (directory, Tree::new(root))
    }

    /// Waits for a sync; the answer is what came of it.
    fn enter(syncs: &DirectorySyncs, tree: &Tree) -> Receiver<Result<()>> {
        let (report, reported) = mpsc::channel();
        syncs.sync(tree, BATCH, move |_, synced| report.send(synced).unwrap());
        reported
    }

    #[test]
    fn a_directory_is_synced_and_one_that_is_missing_is_an_error() {
        let (_directory, tree) = tree();
        let syncs = DirectorySyncs::new();
        assert_eq!(enter(&syncs, &tree).try_recv().unwrap(), Err(Errno::NOENT));
        syncs.make(&tree, BATCH).unwrap();
        assert_eq!(enter(&syncs, &tree).try_recv().unwrap(), Ok(()));
        let other = BlobBatchId(7);
        let (report, reported) = mpsc::channel();
        syncs.sync(&tree, other, move |_, synced| report.send(synced).unwrap());
        assert_eq!(reported.try_recv().unwrap(), Ok(()));
    }

    #[test]
    fn callers_that_arrive_during_a_sync_share_the_next_one() {
        let (_directory, tree) = tree();
        let syncs = Arc::new(DirectorySyncs::new());
        syncs.make(&tree, BATCH).unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let record = |name: &'static str| {
            let order = Arc::clone(&order);
            move |_: &Tree, synced: Result<()>| {
                assert_eq!(synced, Ok(()));
                lock(&order).push(name);
            }
        };
        let (late, more) = (record("late"), record("more"));
        let inner = Arc::clone(&syncs);
        let first = record("first");
        // What follows the first sync runs while the directory counts as being synced.
        syncs.sync(&tree, BATCH, move |tree, synced| {
            first(tree, synced);
            inner.sync(tree, BATCH, late);
            inner.sync(tree, BATCH, more);
            assert_eq!(lock(&inner.directory(BATCH).queue).waiting.len(), 2);
        });
        assert_eq!(*lock(&order), ["first", "late", "more"]);
        let queue = lock(&syncs.directory(BATCH).queue);
        assert!(queue.waiting.is_empty() && !queue.is_syncing);
    }

    #[test]
    fn a_directory_that_is_being_made_is_not_reported_as_durable() {
        let (_directory, tree) = tree();
        let syncs = DirectorySyncs::new();
        syncs.make(&tree, BATCH).unwrap();
        let making = lock(&syncs.directory(BATCH).is_named);
        std::thread::scope(|threads| {
            let (report, reported) = mpsc::channel();
            let (begin, begun) = mpsc::channel();
            let (syncs, tree) = (&syncs, &tree);
            threads.spawn(move || {
                begin.send(()).unwrap();
                syncs.sync(tree, BATCH, move |_, synced| report.send(synced).unwrap());
            });
            begun.recv().unwrap();
            assert!(reported.try_recv().is_err());
            drop(making);
            assert_eq!(reported.recv().unwrap(), Ok(()));
        });
    }
}
