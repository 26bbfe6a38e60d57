//! Commits of blobs whose reservation another node has ended.
//!
//! A node that was stopped, cut off from the database or slow for longer than its lease counts as dead: another node
//! ends its reservations and marks their blobs as garbage. If the node is still alive, the blobs that it is about to
//! commit remain for the grace delay, and a commit takes them out of the garbage.

use crate::catalog::{CatalogError, Reclaim, Refusal, Rejection, TypedChange};
use crate::domain::BlobId;
use crate::error::Error;
use crate::intake::blob_error;
use crate::placement::Place;
use crate::service::{Grant, Service};

/// How often a blob is reclaimed before the caller is asked to write it again.
const RECLAIMS: u32 = 3;

/// The blob was deleted before it could be committed, so that it must be written again.
#[derive(Debug, thiserror::Error)]
#[error("blob {0} was collected before it was committed")]
struct Collected(BlobId);

impl Service {
    /// As [`Service::commit`], for a change that may refer to a new blob. If the blob's reservation is gone, the blob is
    /// reclaimed and the change submitted again.
    ///
    /// # Errors
    /// `Unavailable` if the blob was collected meanwhile.
    pub(crate) async fn commit_blob<C: TypedChange>(
        &self,
        grant: &impl Grant,
        place: Option<&Place>,
        change: C,
    ) -> Result<C::Answer, Error> {
        let mutation = self.mutation(grant, change, Vec::new());
        let mut committed = self.try_commit(grant, mutation).await;
        for _ in 0..RECLAIMS {
            match (committed, place) {
                (
                    Err(Rejection {
                        error: CatalogError::Refused(Refusal::IntentLost(_)),
                        mutation: Some(mutation),
                    }),
                    Some(place),
                ) => {
                    self.reclaim(place).await?;
                    committed = self.try_commit(grant, mutation).await;
                }
                (other, _) => {
                    committed = other;
                    break;
                }
            }
        }
        let outcome = committed.map_err(|rejection| rejection.error)?;
        Ok(C::answer(outcome).ok_or(CatalogError::OTHER_OUTCOME)?)
    }

    /// Makes sure that the blob is collected if this node ends before it commits: if another node has ended the
    /// reservation, the blob is marked as garbage. Must be called before the blob becomes durable.
    pub(crate) async fn keep_track(&self, place: &Place) -> Result<(), Error> {
        if self.placement.is_reserved(place) {
            return Ok(());
        }
        self.placement.leave_batch_of(place.blob).await;
        self.mark(place.blob).await
    }

    async fn reclaim(&self, place: &Place) -> Result<(), Error> {
        let blob = place.blob;
        tracing::info!(%blob, "another node ended the reservation of a blob; reclaiming the blob");
        self.placement.leave_batch_of(blob).await;
        self.mark(blob).await?;
        // Must follow the mark: a blob that exists after it was marked remains.
        let found = self.blobs.stat(blob).await.map_err(blob_error)?;
        found.map(drop).ok_or_else(|| collected(blob))
    }

    async fn mark(&self, blob: BlobId) -> Result<(), Error> {
        match self.catalog.reclaim_blob(blob, self.now()).await? {
            Reclaim::Reserved | Reclaim::Marked => Ok(()),
            Reclaim::Condemned => Err(collected(blob)),
        }
    }
}

fn collected(blob: BlobId) -> Error {
    Error::Unavailable(Box::new(Collected(blob)))
}
