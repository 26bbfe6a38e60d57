use crate::model::GarbageBlob;
use crate::sql::record;
use bucketry_domain::{BlobId, DataId, Timestamp};

/// A row of `blob_refs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlobRefRow {
    pub(crate) blob: BlobId,
    pub(crate) data: DataId,
}

record! {
    BlobRefRow, table "blob_refs", key 2, stored from row {
        blob_id: i64 = row.blob.to_i64(),
        data_id: i64 = row.data.0,
    }
    read as Self {
        blob: BlobId::from_i64(blob_id),
        data: DataId(data_id),
    }
}

/// A row of `garbage`.
pub(crate) type GarbageRow = GarbageBlob;

record! {
    GarbageRow, table "garbage", key 1, stored from row {
        blob_id: i64 = row.blob.to_i64(),
        unreferenced_at: i64 = row.unreferenced_at.as_micros(),
    }
    read as Self {
        blob: BlobId::from_i64(blob_id),
        unreferenced_at: Timestamp::from_micros(unreferenced_at),
    }
}
