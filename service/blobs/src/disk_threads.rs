//! Blocking file operations on a bounded number of threads, with a time limit for each.
//!
//! A disk that hangs blocks only the threads that are in a system call: callers get [`Stalled`] after the time limit,
//! and the rest of the process goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

/// Threads for each kind of work but [`Work::Probe`].
const THREADS: usize = 64;

/// The lowest expected rate of writing and syncing, in bytes per second; long operations get time in proportion.
const SLOWEST_DISK: u64 = 16 * 1024 * 1024;

/// The kinds of work, each with threads of its own so that none waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Reading blobs.
    Read,
    /// Writing blobs.
    Write,
    /// Listing and deleting.
    Upkeep,
    /// Probing the disk, on one thread: while that hangs, so does the disk.
    Probe,
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stalled {
    /// The disk did not answer in time. The operation may still take effect, unless it is undone.
    #[error("the disk did not answer in time")]
    Overdue,
    /// The operation panicked, or the runtime ended.
    #[error("interrupted")]
    Interrupted,
}

impl From<Stalled> for std::io::Error {
    fn from(stalled: Stalled) -> Self {
        let kind = match stalled {
            Stalled::Overdue => std::io::ErrorKind::TimedOut,
            Stalled::Interrupted => std::io::ErrorKind::Interrupted,
        };
        Self::new(kind, stalled)
    }
}

/// The threads of one store. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct DiskThreads {
    lanes: Arc<Lanes>,
    patience: Duration,
}

/// The place for the result of an operation.
#[derive(Debug)]
pub(super) struct DiskAnswer<T>(oneshot::Sender<T>);

impl<T> DiskAnswer<T> {
    /// Gives `result` to whoever waits for it; back if no one does any more.
    pub(super) fn send(self, result: T) -> Result<(), T> {
        self.0.send(result)
    }
}

#[derive(Debug)]
struct Lanes {
    read: Lane,
    write: Lane,
    upkeep: Lane,
    probe: Lane,
}

#[derive(Debug)]
struct Lane {
    threads: Arc<Semaphore>,
    /// The number of operations that have returned.
    completed: AtomicU64,
}

impl Lane {
    fn new(threads: usize) -> Self {
        Self {
            threads: Arc::new(Semaphore::new(threads)),
            completed: AtomicU64::new(0),
        }
    }
}

impl Lanes {
    fn of(&self, work: Work) -> &Lane {
        match work {
            Work::Read => &self.read,
            Work::Write => &self.write,
            Work::Upkeep => &self.upkeep,
            Work::Probe => &self.probe,
        }
    }
}

impl DiskThreads {
    /// `patience` is the time limit of an operation on a small file.
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            lanes: Arc::new(Lanes {
                read: Lane::new(THREADS),
                write: Lane::new(THREADS),
                upkeep: Lane::new(THREADS),
                probe: Lane::new(1),
            }),
            patience,
        }
    }

    /// How long an operation on `bytes` bytes may take.
    pub(super) fn limit(&self, bytes: u64) -> Duration {
        self.patience + Duration::from_secs(bytes / SLOWEST_DISK)
    }

    /// Runs `job` on a thread. If its result is not used, because the time limit has passed or the caller is gone, it is
    /// passed to `undo` on the same thread.
    ///
    /// # Errors
    ///
    /// [`Stalled::Overdue`] if the job takes longer than `limit`, or if no thread becomes free while none of the
    /// running jobs ends.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: Work,
        limit: Duration,
        job: impl FnOnce() -> T + Send + 'static,
        undo: impl FnOnce(T) + Send + 'static,
    ) -> Result<T, Stalled> {
        let job = move |answer: DiskAnswer<T>| {
            if let Err(unwanted) = answer.send(job()) {
                undo(unwanted);
            }
        };
        self.run_until_answered(work, limit, job).await
    }

    /// As [`run`](Self::run), for a job that may leave its answer to another thread when it returns.
    ///
    /// # Errors
    ///
    /// Those of `run`. The time limit is that of the answer.
    pub(super) async fn run_until_answered<T: Send + 'static>(
        &self,
        work: Work,
        limit: Duration,
        job: impl FnOnce(DiskAnswer<T>) + Send + 'static,
    ) -> Result<T, Stalled> {
        let thread = self.thread(work).await?;
        let (give, take) = oneshot::channel();
        let lanes = Arc::clone(&self.lanes);
        tokio::task::spawn_blocking(move || {
            job(DiskAnswer(give));
            lanes.of(work).completed.fetch_add(1, Ordering::Relaxed);
            drop(thread);
        });
        match timeout(limit, take).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(_)) => Err(Stalled::Interrupted),
            Err(_) => Err(Stalled::Overdue),
        }
    }

    /// Waits as long as the disk makes progress.
    async fn thread(&self, work: Work) -> Result<OwnedSemaphorePermit, Stalled> {
        let lane = self.lanes.of(work);
        let mut free = std::pin::pin!(Arc::clone(&lane.threads).acquire_owned());
        let mut seen = lane.completed.load(Ordering::Relaxed);
        loop {
            match timeout(self.patience, free.as_mut()).await {
                Ok(thread) => return thread.map_err(|_| Stalled::Interrupted),
                Err(_) => {
                    let now = lane.completed.load(Ordering::Relaxed);
                    if now == seen {
                        return Err(Stalled::Overdue);
                    }
                    seen = now;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_hung_disk_costs_threads_of_its_kind_and_no_more() {
        let threads = DiskThreads::new(PATIENCE);
        let (release, hung) = mpsc::channel::<()>();
        let hung = Arc::new(std::sync::Mutex::new(hung));
        let (report, undone) = mpsc::channel();
        let hang = |index: usize| {
            let (hung, report) = (Arc::clone(&hung), report.clone());
            let job = move || {
                hung.lock().unwrap().recv().ok();
                index
            };
            threads.run(Work::Read, PATIENCE, job, move |index| {
                report.send(index).unwrap();
            })
        };
        let all = futures::future::join_all((0..THREADS).map(hang)).await;
        assert!(all.iter().all(|done| *done == Err(Stalled::Overdue)));
        let next = threads.run(Work::Read, PATIENCE, || (), drop).await;
        assert_eq!(next, Err(Stalled::Overdue));
        for other in [Work::Write, Work::Upkeep, Work::Probe] {
            let limit = Duration::from_secs(20);
            assert_eq!(threads.run(other, limit, || 1, |_| ()).await, Ok(1));
        }
        // The disk recovers: late results are undone, and threads are free again.
        drop(release);
        let mut late: Vec<usize> = (0..THREADS).map(|_| undone.recv().unwrap()).collect();
        late.sort_unstable();
        assert!(late.into_iter().eq(0..THREADS));
        let limit = Duration::from_secs(20);
        let patient = DiskThreads {
            patience: limit,
            ..threads
        };
        assert_eq!(patient.run(Work::Read, limit, || 2, |_| ()).await, Ok(2));
    }

    #[test]
    fn long_operations_get_more_time() {
        let threads = DiskThreads::new(PATIENCE);
        assert_eq!(threads.limit(1024), PATIENCE);
        let minute = threads.limit(60 * SLOWEST_DISK);
        assert_eq!(minute, PATIENCE + Duration::from_secs(60));
    }
}
