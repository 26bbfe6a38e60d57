use crate::catalog::CatalogError;
use crate::catalog::model::GarbageBlob;
use crate::catalog::sql::{Kind, Record, Row, Table, Value};
use crate::domain::{BlobId, DataId, Timestamp};

/// A row of `blob_refs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlobRefRow {
    pub(crate) blob: BlobId,
    pub(crate) data: DataId,
}

impl Record for BlobRefRow {
    const TABLE: Table = Table {
        name: "blob_refs",
        columns: &[("blob_id", Kind::Int), ("data_id", Kind::Int)],
        key: 2,
    };

    fn values(&self) -> Vec<Value> {
        vec![self.blob.to_i64().into(), self.data.0.into()]
    }

    fn read(row: &Row) -> Result<Self, CatalogError> {
        Ok(Self {
            blob: BlobId::from_i64(row.int(0)?),
            data: DataId(row.int(1)?),
        })
    }
}

/// A row of `garbage`.
pub(crate) type GarbageRow = GarbageBlob;

impl Record for GarbageRow {
    const TABLE: Table = Table {
        name: "garbage",
        columns: &[("blob_id", Kind::Int), ("unreferenced_at", Kind::Int)],
        key: 1,
    };

    fn values(&self) -> Vec<Value> {
        vec![
            self.blob.to_i64().into(),
            self.unreferenced_at.as_micros().into(),
        ]
    }

    fn read(row: &Row) -> Result<Self, CatalogError> {
        Ok(Self {
            blob: BlobId::from_i64(row.int(0)?),
            unreferenced_at: Timestamp::from_micros(row.int(1)?),
        })
    }
}
