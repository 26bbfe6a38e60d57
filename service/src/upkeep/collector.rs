//! Upkeep: deletes what nothing refers to.
//!
//! Invariant: a blob is deleted only after nothing has referred to it, intended it or read it for the grace delay, on
//! any node. All decisions are the catalog's; here is only their order.

use std::collections::HashSet;
use std::time::Duration;

use crate::blobs::BlobStore;
use crate::catalog::mutation::{AbortUpload, Mutation};
use crate::catalog::query::ListGarbage;
use crate::catalog::{Catalog, CatalogError, KeepChanges};
use crate::clock::Clock;
use crate::config::UpkeepConfig;
use crate::content::{EndedBatch, Placement};
use crate::domain::{BlobId, NodeId, Timestamp};

/// How a node keeps its store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Upkeep {
    /// How often it looks.
    pub interval: Duration,
    /// How long a blob stays after its last reference went.
    pub grace: Duration,
    /// How long the answer of a completed upload is remembered.
    pub remember_uploads: Duration,
}

/// A week: longer than any client repeats a completion.
const REMEMBER_UPLOADS: Duration = Duration::from_secs(7 * 24 * 3600);

impl From<UpkeepConfig> for Upkeep {
    fn from(config: UpkeepConfig) -> Self {
        Self {
            interval: config.interval,
            grace: config.grace,
            remember_uploads: REMEMBER_UPLOADS,
        }
    }
}

/// How long changes are kept, and how many positions at most: about 150 MB.
const KEEP_CHANGES: Duration = Duration::from_secs(3600);
const MAX_CHANGES: i64 = 1_000_000;

/// Blobs deleted in one go; a go is short, so that a stop never waits for it.
const BATCH: u32 = 1000;

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CollectionCounts {
    /// Blobs deleted.
    pub deleted: u64,
    /// Blobs that could not be deleted, to be tried again.
    pub failed: u64,
}

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CollectError {
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The store could not be listed.
    #[error("the store could not be listed: {0}")]
    Store(#[from] crate::blobs::StoreError),
}

/// The collector of one node.
#[derive(Clone)]
pub(crate) struct Collector {
    pub(crate) catalog: Catalog,
    pub(crate) blobs: BlobStore,
    pub(crate) placement: Placement,
    pub(crate) node: NodeId,
    pub(crate) clock: Clock,
    pub(crate) upkeep: Upkeep,
}

/// The current time by the clock that leases and grace delays use.
pub(crate) async fn shared_time(
    catalog: &Catalog,
    clock: &Clock,
) -> Result<Timestamp, CatalogError> {
    let database = catalog.database_time().await?;
    Ok(database.unwrap_or_else(|| clock.now()))
}

impl Collector {
    /// Runs until the future that holds it is dropped. A failed round is logged and tried again.
    pub(crate) async fn run(self) {
        let mut ticks = tokio::time::interval(self.upkeep.interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.round().await {
                Ok(done) if done != CollectionCounts::default() => {
                    tracing::info!(
                        deleted = done.deleted,
                        failed = done.failed,
                        "collected blobs"
                    );
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(error = ?error, "upkeep failed; retrying"),
            }
        }
    }

    /// One round.
    pub(crate) async fn round(&self) -> Result<CollectionCounts, CollectError> {
        // If the round is delayed, this time is too old, which only makes it delete less.
        let now = shared_time(&self.catalog, &self.clock).await?;
        self.compact_changes(now).await;
        self.retire_ended(now).await?;
        self.adopt_abandoned(now).await?;
        end_orphaned_uploads(&self.catalog, now).await?;
        let before = now.saturating_sub(self.upkeep.remember_uploads);
        self.catalog.forget_completed_uploads(before, BATCH).await?;
        // Only those whose reservations were taken over.
        self.catalog.forget_nodes(None, now).await?;
        let bounds = Bounds {
            unreferenced_before: now.saturating_sub(self.upkeep.grace),
            now,
        };
        delete_garbage(&self.catalog, &self.blobs, bounds).await
    }

    /// Neither a slow change log nor an unreachable store keeps the other from being cleaned up.
    async fn compact_changes(&self, now: Timestamp) {
        let keep = KeepChanges {
            since: now.saturating_sub(KEEP_CHANGES),
            positions: MAX_CHANGES,
        };
        loop {
            match self.catalog.compact_changes(keep, BATCH).await {
                Ok(removed) if removed >= u64::from(BATCH) => {}
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!(%error, "the change log could not be compacted; retrying");
                    return;
                }
            }
        }
    }

    /// Batches of this node in which nothing is written any more.
    async fn retire_ended(&self, now: Timestamp) -> Result<(), CatalogError> {
        // One at a time: what is not retired now must stay in the list.
        while let Some(EndedBatch { id, doubtful }) = self.placement.take_ended() {
            let retired = self
                .catalog
                .retire_blob_batch(id, doubtful.clone(), now)
                .await;
            if let Err(error) = retired {
                self.placement.give_back(EndedBatch { id, doubtful });
                return Err(error);
            }
        }
        Ok(())
    }

    /// Batches of nodes that are gone: what they left in the store is looked up there.
    async fn adopt_abandoned(&self, now: Timestamp) -> Result<(), CollectError> {
        adopt_abandoned(
            &self.catalog,
            &self.blobs,
            Abandoned { lease_before: now },
            now,
        )
        .await?;
        Ok(())
    }

    /// Ends this node's open batch and gives its lease back, so that whoever comes next need not wait for it.
    pub(crate) async fn sign_off(&self) -> Result<(), CatalogError> {
        self.placement.end_current().await;
        let now = shared_time(&self.catalog, &self.clock).await?;
        self.retire_ended(now).await?;
        self.catalog.heartbeat(self.node, now, now).await?;
        self.catalog.forget_nodes(Some(self.node), now).await?;
        Ok(())
    }
}

/// Takes everything that can go, whatever lease or grace says: for a store that no other process uses.
pub(crate) async fn collect_all(
    catalog: &Catalog,
    blobs: &BlobStore,
    now: Timestamp,
) -> Result<CollectionCounts, CollectError> {
    let everybody = Abandoned {
        lease_before: Timestamp::MAX,
    };
    while adopt_abandoned(catalog, blobs, everybody, now).await? > 0 {}
    end_orphaned_uploads(catalog, now).await?;
    let bounds = Bounds {
        unreferenced_before: Timestamp::MAX,
        now: Timestamp::MAX,
    };
    delete_garbage(catalog, blobs, bounds).await
}

/// Which reservations count as abandoned: those of nodes without a lease from then on.
#[derive(Debug, Clone, Copy)]
struct Abandoned {
    lease_before: Timestamp,
}

/// What an abandoned reservation left in the store is looked up there. Answers how many reservations ended.
async fn adopt_abandoned(
    catalog: &Catalog,
    blobs: &BlobStore,
    abandoned: Abandoned,
    now: Timestamp,
) -> Result<usize, CollectError> {
    let batches = catalog
        .abandoned_blob_batches(abandoned.lease_before, BATCH)
        .await?;
    for batch in &batches {
        let found = blobs.list_batch(batch.id).await?;
        let candidates = found.iter().map(|blob| blob.id.index).collect();
        catalog.retire_blob_batch(batch.id, candidates, now).await?;
    }
    Ok(batches.len())
}

async fn end_orphaned_uploads(catalog: &Catalog, now: Timestamp) -> Result<(), CatalogError> {
    for upload in catalog.orphaned_uploads(BATCH).await? {
        let abort = AbortUpload {
            bucket: upload.bucket,
            upload: upload.id,
        };
        match catalog.submit(Mutation::by_system(now, abort)).await {
            // Another node was faster.
            Ok(_) | Err(CatalogError::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Which garbage may go.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// What lost its last reference before.
    unreferenced_before: Timestamp,
    /// Nodes with a lease until then, or later, are asked for their oldest read.
    now: Timestamp,
}

async fn delete_garbage(
    catalog: &Catalog,
    blobs: &BlobStore,
    bounds: Bounds,
) -> Result<CollectionCounts, CollectError> {
    let mut done = CollectionCounts::default();
    loop {
        let garbage = catalog
            .list_garbage(&ListGarbage {
                unreferenced_before: bounds.unreferenced_before,
                now: bounds.now,
                max: BATCH,
            })
            .await?;
        if garbage.is_empty() {
            return Ok(done);
        }
        let garbage = catalog.condemn_garbage(&garbage).await?;
        let ids: Vec<BlobId> = garbage.iter().map(|garbage| garbage.blob).collect();
        let report = blobs.delete(&ids).await;
        for (id, error) in &report.failed {
            tracing::warn!(blob = %id, %error, "cannot delete a blob; retrying");
        }
        let gone: HashSet<BlobId> = report.removed.iter().copied().collect();
        let removed: Vec<_> = garbage
            .into_iter()
            .filter(|garbage| gone.contains(&garbage.blob))
            .collect();
        done.deleted += removed.len() as u64;
        done.failed += report.failed.len() as u64;
        if removed.is_empty() {
            return Ok(done);
        }
        catalog.remove_garbage(removed).await?;
    }
}
