use super::Extent;
use bucketry_domain::{BlobBatchId, BlobId, DataId, NodeId, Timestamp};

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

/// A row of object data that lies in blobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataLayout {
    /// Its id.
    pub data: DataId,
    /// Where the bytes lie; absent if the row cannot be read.
    pub extents: Option<Vec<Extent>>,
}

/// Who has a row of object data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataOwner {
    /// The row.
    pub data: DataId,
    /// The bucket's name.
    pub bucket: String,
    /// The object's key; of a part, that of its upload.
    pub key: String,
}
