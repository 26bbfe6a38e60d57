use bytes::Bytes;

use super::layout::pack_layout;
use crate::catalog::CatalogError;
use crate::catalog::model::Layout;
use crate::catalog::sql::{Kind, Record, Row, Table, Value};
use crate::domain::{BlobId, DataId};

/// A row of `object_data` to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DataRow {
    pub(crate) id: DataId,
    pub(crate) stored: StoredData,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoredData {
    Inline(Bytes),
    Layout(Layout),
}

impl DataRow {
    /// The blobs that it refers to, each once, in order.
    pub(crate) fn blobs(&self) -> Vec<BlobId> {
        let StoredData::Layout(layout) = &self.stored else {
            return Vec::new();
        };
        let mut blobs: Vec<BlobId> = layout.extents.iter().map(|extent| extent.blob).collect();
        blobs.sort_unstable();
        blobs.dedup();
        blobs
    }
}

impl Record for DataRow {
    const TABLE: Table = Table {
        name: "object_data",
        columns: &[
            ("data_id", Kind::Int),
            ("inline", Kind::Bytes),
            ("layout", Kind::Bytes),
        ],
        key: 1,
    };

    fn values(&self) -> Vec<Value> {
        let (inline, layout) = match &self.stored {
            StoredData::Inline(bytes) => (Some(bytes.to_vec()), None),
            StoredData::Layout(layout) => (None, Some(pack_layout(layout))),
        };
        vec![self.id.0.into(), inline.into(), layout.into()]
    }

    fn read(row: &Row) -> Result<Self, CatalogError> {
        let stored = match (row.opt_bytes(1)?, row.opt_bytes(2)?) {
            (Some(bytes), None) => StoredData::Inline(bytes.into()),
            (None, Some(packed)) => StoredData::Layout(super::unpack_layout(&packed)?),
            _ => return Err(CatalogError::Corrupt("object_data")),
        };
        Ok(Self {
            id: DataId(row.int(0)?),
            stored,
        })
    }
}
