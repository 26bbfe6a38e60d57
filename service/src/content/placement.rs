//! Where new blobs go: ids out of reserved batches.
//!
//! A reservation (one row for 1,024 ids) is durable before the first byte of any of its blobs, so every blob that a
//! crash leaves behind can be found without scanning the store.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::catalog::{Catalog, CatalogError};
use crate::clock::Clock;
use crate::domain::{BlobBatchId, BlobId, NodeId};

/// Hands out ids for new blobs.
#[derive(Clone)]
pub(crate) struct Placement {
    catalog: Catalog,
    node: NodeId,
    clock: Clock,
    current: Arc<tokio::sync::Mutex<Option<OpenBatch>>>,
    ended: Ended,
    lease: Arc<Mutex<LeaseState>>,
}

type Ended = Arc<Mutex<VecDeque<EndedBatch>>>;

/// This node's view of its own lease.
#[derive(Debug, Clone, Copy, Default)]
struct LeaseState {
    /// The time until which no other node may consider this one dead; `None` before the first renewal.
    until: Option<Instant>,
    /// How often the lease had expired before it was renewed.
    lapses: u64,
}

impl LeaseState {
    fn has_run_out(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now > until)
    }
}

struct OpenBatch {
    batch: Arc<BatchUse>,
    next: u16,
}

/// A batch whose every id is settled: nothing will be written under it any more.
pub(crate) struct EndedBatch {
    pub(crate) id: BlobBatchId,
    /// Places whose blob may exist without a reference.
    pub(crate) doubtful: Vec<u16>,
}

/// Shared by all blobs of a batch; when the last lets go, the batch has ended.
struct BatchUse {
    id: BlobBatchId,
    doubtful: Mutex<Vec<u16>>,
    ended: Ended,
}

impl Drop for BatchUse {
    fn drop(&mut self) {
        let doubtful = std::mem::take(&mut *lock(&self.doubtful));
        lock(&self.ended).push_back(EndedBatch {
            id: self.id,
            doubtful,
        });
    }
}

/// The right to write one blob. Counts as doubtful unless it is said to be [`referenced`](Self::referenced).
pub(crate) struct Place {
    pub(crate) blob: BlobId,
    batch: Arc<BatchUse>,
    referenced: bool,
    /// [`LeaseState::lapses`] when the id was handed out.
    lapses: u64,
}

impl Place {
    /// The commit that refers to the blob was accepted.
    pub(crate) fn referenced(mut self) {
        self.referenced = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.referenced {
            lock(&self.batch.doubtful).push(self.blob.index);
        }
    }
}

impl Placement {
    pub(crate) fn new(catalog: Catalog, node: NodeId, clock: Clock) -> Self {
        Self {
            catalog,
            node,
            clock,
            current: Arc::default(),
            ended: Arc::default(),
            lease: Arc::default(),
        }
    }

    /// Records that the lease was renewed until then. Returns whether it had expired at `now`, so that other nodes may
    /// have ended the reservations of this one.
    pub(crate) fn renewed(&self, now: Instant, until: Instant) -> bool {
        let mut lease = lock(&self.lease);
        let lapsed = lease.has_run_out(now);
        lease.until = Some(until);
        lease.lapses += u64::from(lapsed);
        lapsed
    }

    /// Whether the reservation certainly still exists: the lease has not expired since the id was handed out.
    pub(crate) fn is_reserved(&self, place: &Place) -> bool {
        let lease = lock(&self.lease);
        lease.lapses == place.lapses && !lease.has_run_out(Instant::now())
    }

    /// An id for a new blob. Reserves a batch when the last one is used up.
    pub(crate) async fn place(&self) -> Result<Place, CatalogError> {
        let mut current = self.current.lock().await;
        let open = match current.take() {
            Some(open) if open.next < BlobId::PER_BATCH => open,
            _ => self.open_batch().await?,
        };
        let blob = BlobId {
            batch: open.batch.id,
            index: open.next,
        };
        let batch = Arc::clone(&open.batch);
        *current = Some(OpenBatch {
            next: open.next + 1,
            ..open
        });
        Ok(Place {
            blob,
            batch,
            referenced: false,
            lapses: lock(&self.lease).lapses,
        })
    }

    /// Leaves the batch of a blob, because another node has ended the reservation, or because the blob was there before it
    /// was written: the catalog has been set back to a time before the batch, and the names that follow may be taken too.
    pub(crate) async fn leave_batch_of(&self, blob: BlobId) {
        let mut current = self.current.lock().await;
        current.take_if(|open| open.batch.id == blob.batch);
    }

    async fn open_batch(&self) -> Result<OpenBatch, CatalogError> {
        let reserved = self
            .catalog
            .reserve_blob_batch(self.node, self.clock.now())
            .await?;
        Ok(OpenBatch {
            batch: Arc::new(BatchUse {
                id: reserved.id,
                doubtful: Mutex::default(),
                ended: Arc::clone(&self.ended),
            }),
            next: 0,
        })
    }

    /// A batch that has ended, for the collector to retire; the one that ended first.
    pub(crate) fn take_ended(&self) -> Option<EndedBatch> {
        lock(&self.ended).pop_front()
    }

    /// Gives a batch back that could not be retired now.
    pub(crate) fn give_back(&self, batch: EndedBatch) {
        lock(&self.ended).push_front(batch);
    }

    /// Ends the open batch, so that what was given up in it can be collected.
    pub(crate) async fn end_current(&self) {
        self.current.lock().await.take();
    }
}

/// A panic while the list was held cannot have left it half changed.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
