//! Content on its way into the store: received, placed and, if its reservation is lost, reclaimed.
//!
//! [`intake`] writes incoming content, under an id that [`placement`] has reserved durably, and [`verify`] compares it with
//! its declared digests. Nothing here knows of callers or grants, and nothing is visible to anyone until a commit refers
//! to it.

mod intake;
mod placement;
mod reclaim;
mod verify;

use crate::blobs::BlobStore;
use crate::catalog::Catalog;
use crate::clock::Clock;

pub(crate) use intake::{
    Announced, ContentMessage, MAX_CHUNK_BYTES, MAX_PUT_BYTES, Small, in_time, take_in,
};
pub(crate) use placement::{EndedBatch, Place, Placement};
pub(crate) use verify::full_object;

/// Where content is written and read. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct ContentStore {
    pub(crate) catalog: Catalog,
    pub(crate) blobs: BlobStore,
    pub(crate) placement: Placement,
    pub(crate) clock: Clock,
}
