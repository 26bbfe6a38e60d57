//! Content on its way into the store: received, placed and, if its reservation is lost, reclaimed.
//!
//! [`intake`] writes incoming content, under an id that [`placement`] has reserved durably, and [`verify`] compares it
//! with its declared digests. This module does not depend on callers or grants. Content is not visible until a commit
//! refers to it.

mod intake;
mod placement;
mod reclaim;
mod verify;

use crate::blobs::{BlobError, BlobStore};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::error::{Error, blob_error};

pub(crate) use intake::{
    Announced, ContentMessage, MAX_CHUNK_BYTES, MAX_PUT_BYTES, Small, in_time, take_in,
};
pub(crate) use placement::{EndedBatch, Place, Placement};
pub(crate) use verify::full_object;

/// Where content is written and read. Cheap to clone; clones share their state.
#[derive(Clone)]
pub(crate) struct ContentStore {
    pub(crate) catalog: Catalog,
    pub(crate) blobs: BlobStore,
    pub(crate) placement: Placement,
    pub(crate) clock: Clock,
}

impl ContentStore {
    /// What the failure of a write is to the caller. If the blob existed before, the names that follow may be taken too.
    async fn not_written(&self, error: BlobError) -> Error {
        if let BlobError::Exists { id } = &error {
            self.placement.leave_batch_of(*id).await;
        }
        blob_error(error)
    }
}
