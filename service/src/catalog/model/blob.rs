use crate::domain::{BlobBatchId, BlobId, NodeId, Timestamp};

/// A reservation of 1,024 blob ids: while it stands, its blobs are not garbage although nothing refers to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobBatch {
    /// Its id.
    pub id: BlobBatchId,
    /// The node that writes these blobs.
    pub node: NodeId,
    /// When it was made.
    pub created: Timestamp,
}

/// A blob that nothing refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GarbageBlob {
    /// The blob.
    pub blob: BlobId,
    /// When its last reference went.
    pub unreferenced_at: Timestamp,
}
