//! Which reads are under way, so that the collector spares what they may still open.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The reads that have begun and not ended.
#[derive(Clone, Debug, Default)]
pub(super) struct ActiveReads {
    reads: Arc<Mutex<Reads>>,
}

#[derive(Debug, Default)]
struct Reads {
    begun: BTreeSet<(Instant, u64)>,
    next: u64,
}

impl ActiveReads {
    pub(super) fn begin(&self, at: Instant) -> ActiveRead {
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        let number = reads.next;
        reads.next += 1;
        reads.begun.insert((at, number));
        ActiveRead {
            key: (at, number),
            reads: self.clone(),
        }
    }

    pub(super) fn oldest(&self) -> Option<Instant> {
        let reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        reads.begun.first().map(|(at, _)| *at)
    }
}

/// One read under way; dropped when it ends. See [`BlobStore::begin_read`].
///
/// [`BlobStore::begin_read`]: super::BlobStore::begin_read
#[derive(Debug)]
#[must_use = "a read that nobody holds protects nothing"]
pub struct ActiveRead {
    key: (Instant, u64),
    reads: ActiveReads,
}

impl Drop for ActiveRead {
    fn drop(&mut self) {
        let mut reads = self
            .reads
            .reads
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        reads.begun.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_oldest_read_that_still_runs() {
        let reads = ActiveReads::default();
        assert_eq!(reads.oldest(), None);
        let first = Instant::now();
        let second = first + Duration::from_secs(10);
        let late = reads.begin(second);
        let early = reads.begin(first);
        let twin = reads.begin(first);
        assert_eq!(reads.oldest(), Some(first));
        drop(early);
        assert_eq!(reads.oldest(), Some(first));
        drop(twin);
        assert_eq!(reads.oldest(), Some(second));
        drop(late);
        assert_eq!(reads.oldest(), None);
    }
}
