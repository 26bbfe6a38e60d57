use bytes::Bytes;

use super::layout::pack_layout;
use crate::CatalogError;
use crate::model::Layout;
use crate::sql::record;
use bucketry_domain::{BlobId, DataId};

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

record! {
    DataRow, table "object_data", key 1, stored from row {
        data_id: i64 = row.id.0,
        inline: Option<Vec<u8>> = match &row.stored {
            StoredData::Inline(bytes) => Some(bytes.to_vec()),
            StoredData::Layout(_) => None,
        },
        layout: Option<Vec<u8>> = match &row.stored {
            StoredData::Inline(_) => None,
            StoredData::Layout(layout) => Some(pack_layout(layout)),
        },
    }
    read as Self {
        id: DataId(data_id),
        stored: match (inline, layout) {
            (Some(bytes), None) => StoredData::Inline(bytes.into()),
            (None, Some(packed)) => StoredData::Layout(super::unpack_layout(&packed)?),
            _ => return Err(CatalogError::Corrupt("object_data")),
        },
    }
}
