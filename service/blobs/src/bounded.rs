//! Time limits of requests to remote stores. Those of a local store are enforced by [`super::disk_threads`].

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::probe::StoreFault;
use super::store::{Backend, BlobStore};

/// The lowest expected rate of an upload to a remote store, in bytes per second.
const SLOWEST_NETWORK: u64 = 1024 * 1024;

/// How long listing a directory or deleting a batch may take. No request waits for it.
pub(super) const UPKEEP_LIMIT: Duration = Duration::from_secs(60);

/// How long a start waits for each request that checks the store's marker.
const START_LIMIT: Duration = Duration::from_secs(10);

impl BlobStore {
    /// The outcome of `request`, which sends `bytes` bytes, or an error when the store takes too long. The request is
    /// then dropped; it may have taken effect.
    pub(super) async fn bounded<T>(
        &self,
        bytes: u64,
        request: impl Future<Output = object_store::Result<T>>,
    ) -> object_store::Result<T> {
        match self.backend {
            Backend::Local(_) => request.await,
            Backend::Remote(_) if bytes == 0 => within(self.timeout, request).await,
            Backend::Remote(_) => {
                let moving = Duration::from_millis(bytes.saturating_mul(1000) / SLOWEST_NETWORK);
                tokio::select! {
                    done = within(self.timeout + moving, request) => done,
                    () = self.silence() => Err(overdue()),
                }
            }
        }
    }

    /// Returns when the store is found not to answer at all. A request that moves many bytes may rightly take long; in an
    /// outage its caller need not wait for that.
    async fn silence(&self) {
        loop {
            sleep(self.timeout).await;
            if let Err(StoreFault::Silent) = self.probe(self.timeout).await {
                return;
            }
        }
    }

    /// As [`bounded`](Self::bounded) with the time that a start has: the first request may have to get credentials.
    pub(super) async fn bounded_start<T>(
        &self,
        request: impl Future<Output = object_store::Result<T>>,
    ) -> object_store::Result<T> {
        within(self.timeout.max(START_LIMIT), request).await
    }
}

/// The outcome of `request`, or an error after `limit`.
pub(super) async fn within<T>(
    limit: Duration,
    request: impl Future<Output = object_store::Result<T>>,
) -> object_store::Result<T> {
    timeout(limit, request)
        .await
        .unwrap_or_else(|_| Err(overdue()))
}

fn overdue() -> object_store::Error {
    let timed_out = std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        "the store did not answer in time",
    );
    object_store::Error::Generic {
        store: "remote",
        source: timed_out.into(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::time::Instant;

    use super::super::faults::{Call, Harm};
    use super::super::samples::{data, memory, read, whole, with_fault, write};
    use super::super::{BlobError, DEFAULT_STORE_TIMEOUT};
    use bucketry_domain::BlobId;

    const ID: BlobId = BlobId::new(1, 1);

    #[tokio::test(start_paused = true)]
    async fn a_store_that_hangs_fails_the_request_in_time_and_the_next_one_succeeds() {
        let content = data(300_000);
        let sound = memory();
        write(&sound, ID, &content, content.len()).await.unwrap();
        let extents = [whole(ID, content.len())];
        let hung = with_fault(sound.clone(), Call::Get, 0, Harm::Hang);
        let begun = Instant::now();
        let (bytes, error) = read(&hung, &extents, 0..300_000).await;
        assert!(bytes.is_empty() && matches!(error, Some(BlobError::Overdue { id: ID })));
        assert_eq!(begun.elapsed(), DEFAULT_STORE_TIMEOUT);
        let (bytes, error) = read(&hung, &extents, 0..300_000).await;
        assert!(error.is_none() && bytes == content);
        for call in [Call::Put, Call::Begin] {
            let id = BlobId::new(2, call as u16);
            let length = if call == Call::Put { 20_000 } else { 9 << 20 };
            let content = Bytes::from(vec![7; length]);
            let hung = with_fault(sound.clone(), call, 0, Harm::Hang);
            let begun = Instant::now();
            let refused = write(&hung, id, &content, 1 << 20).await;
            assert!(
                matches!(refused, Err(BlobError::Overdue { .. })),
                "{refused:?}"
            );
            assert!(begun.elapsed().as_secs_f32() < 2.0, "{:?}", begun.elapsed());
            let next = BlobId::new(3, call as u16);
            write(&hung, next, &content, 1 << 20).await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn parts_do_not_wait_for_a_store_that_is_silent() {
        let content = Bytes::from(vec![7; 9 << 20]);
        for call in [Call::Part, Call::Complete] {
            let silent = with_fault(memory(), Call::Get, 0, Harm::Hang);
            let hung = with_fault(silent, call, 0, Harm::Hang);
            let begun = Instant::now();
            let refused = write(&hung, ID, &content, 1 << 20).await;
            assert!(
                matches!(refused, Err(BlobError::Overdue { id: ID })),
                "{refused:?}"
            );
            assert_eq!(begun.elapsed(), 2 * DEFAULT_STORE_TIMEOUT, "{call:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn parts_and_their_completion_get_time_for_their_bytes() {
        let content = Bytes::from(vec![7; 9 << 20]);
        for call in [Call::Part, Call::Complete] {
            let hung = with_fault(memory(), call, 0, Harm::Hang);
            let begun = Instant::now();
            let refused = write(&hung, ID, &content, 1 << 20).await;
            assert!(
                matches!(refused, Err(BlobError::Overdue { id: ID })),
                "{refused:?}"
            );
            let elapsed = begun.elapsed().as_secs();
            assert!((9..12).contains(&elapsed), "{call:?} {elapsed}");
        }
    }
}
