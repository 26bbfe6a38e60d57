//! Commits of blobs whose reservation another node has ended.
//!
//! A node that was stopped, cut off from the database or slow for longer than its lease counts as dead: another node
//! ends its reservations and marks their blobs as garbage. If the node is still alive, the blobs that it is about to
//! commit remain for the grace delay, and a commit takes them out of the garbage.

use super::ContentStore;
use super::placement::Place;
use crate::catalog::Reclaim;
use crate::domain::BlobId;
use crate::error::{Error, blob_error};

/// The blob was deleted before it could be committed, so that it must be written again.
#[derive(Debug, thiserror::Error)]
#[error("blob {0} was collected before it was committed")]
struct Collected(BlobId);

impl ContentStore {
    /// Makes sure that the blob is collected if this node ends before it commits: if another node has ended the
    /// reservation, the blob is marked as garbage. Must be called before the
    /// blob's file is created, and again before it becomes durable.
    pub(crate) async fn keep_track(&self, place: &Place) -> Result<(), Error> {
        if self.placement.is_reserved(place) {
            return Ok(());
        }
        self.placement.leave_batch_of(place.blob).await;
        self.mark(place.blob).await
    }

    /// Removes a blob from the garbage, so that it can be committed although its reservation is gone.
    ///
    /// # Errors
    /// `Unavailable` if the blob has been collected.
    pub(crate) async fn reclaim(&self, place: &Place) -> Result<(), Error> {
        let blob = place.blob;
        tracing::info!(%blob, "another node ended the reservation of a blob; reclaiming the blob");
        self.placement.leave_batch_of(blob).await;
        self.mark(blob).await?;
        // Must follow the mark: a blob that exists after it was marked remains.
        let found = self.blobs.stat(blob).await.map_err(blob_error)?;
        found.map(drop).ok_or_else(|| collected(blob))
    }

    async fn mark(&self, blob: BlobId) -> Result<(), Error> {
        match self.catalog.reclaim_blob(blob, self.clock.now()).await? {
            Reclaim::Reserved | Reclaim::Marked => Ok(()),
            Reclaim::Condemned => Err(collected(blob)),
        }
    }
}

fn collected(blob: BlobId) -> Error {
    Error::Unavailable(Box::new(Collected(blob)))
}
