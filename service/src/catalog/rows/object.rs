use bytes::Bytes;

use super::codes::{
    checksum, etag, from_json, key, lock_values, read_lock, size, stored_size, to_json,
};
use super::layout::unpack_layout;
use crate::catalog::CatalogError;
use crate::catalog::model::{DataPlace, ObjectData, ObjectMeta, ObjectRow};
use crate::catalog::sql::{Kind, Record, Row, Table, Value};
use crate::domain::{AccountId, BucketId, DataId, Generation, Timestamp, VersionId};

impl Record for ObjectRow {
    const TABLE: Table = Table {
        name: "objects",
        columns: &[
            ("bucket_id", Kind::Int),
            ("key", Kind::Bytes),
            ("generation", Kind::Int),
            ("version_id", Kind::Int),
            ("modified", Kind::Int),
            ("size", Kind::Int),
            ("etag", Kind::Text),
            ("owner_id", Kind::Int),
            ("part_count", Kind::Int),
            ("data_kind", Kind::Int),
            ("data_id", Kind::Int),
            ("headers", Kind::Text),
            ("tags", Kind::Text),
            ("checksum", Kind::Bytes),
            ("retention_mode", Kind::Int),
            ("retain_until", Kind::Int),
            ("legal_hold", Kind::Int),
            ("acl", Kind::Text),
        ],
        key: 2,
    };

    fn values(&self) -> Vec<Value> {
        let kind = match self.place {
            DataPlace::Empty => 0,
            DataPlace::Inline(_) => 1,
            DataPlace::Extents(_) => 2,
        };
        let [mode, until, hold] = lock_values(&self.meta.lock);
        vec![
            self.bucket.0.into(),
            self.key.as_bytes().into(),
            self.generation.0.into(),
            self.version.0.into(),
            self.modified.as_micros().into(),
            stored_size(self.meta.size).into(),
            self.meta.etag.to_string().into(),
            self.meta.owner.0.into(),
            i64::from(self.meta.part_count).into(),
            kind.into(),
            self.data_id().map(|id| id.0).into(),
            to_json(&self.meta.headers).into(),
            to_json(&self.meta.tags).into(),
            self.meta.checksum.map(|checksum| checksum.pack()).into(),
            mode,
            until,
            hold,
            self.meta.acl.clone().into(),
        ]
    }

    fn read(row: &Row) -> Result<Self, CatalogError> {
        Ok(Self {
            bucket: BucketId(row.int(0)?),
            key: key(&row.bytes(1)?, "objects.key")?,
            generation: Generation(row.int(2)?),
            version: VersionId(row.int(3)?),
            modified: Timestamp::from_micros(row.int(4)?),
            place: match (row.int(9)?, row.opt_int(10)?) {
                (0, None) => DataPlace::Empty,
                (1, Some(id)) => DataPlace::Inline(DataId(id)),
                (2, Some(id)) => DataPlace::Extents(DataId(id)),
                _ => return Err(CatalogError::Corrupt("objects.data_kind")),
            },
            meta: ObjectMeta {
                size: size(row.int(5)?, "objects.size")?,
                etag: etag(&row.text(6)?, "objects.etag")?,
                owner: AccountId(row.int(7)?),
                part_count: u32::try_from(row.int(8)?)
                    .map_err(|_| CatalogError::Corrupt("objects.part_count"))?,
                headers: from_json(&row.text(11)?, "objects.headers")?,
                tags: from_json(&row.text(12)?, "objects.tags")?,
                checksum: checksum(row.opt_bytes(13)?, "objects.checksum")?,
                lock: read_lock(row, 14, "objects.retention_mode")?,
                acl: row.opt_text(17)?,
            },
        })
    }
}

/// Reads the columns `inline, layout` of `object_data`, beginning at `first`, for this object.
pub(crate) fn read_data(
    object: &ObjectRow,
    row: &Row,
    first: usize,
) -> Result<ObjectData, CatalogError> {
    match object.place {
        DataPlace::Empty => Ok(ObjectData::Empty),
        DataPlace::Inline(_) => {
            let bytes = row
                .opt_bytes(first)?
                .ok_or(CatalogError::Corrupt("object_data.inline"))?;
            Ok(ObjectData::Inline(Bytes::from(bytes)))
        }
        DataPlace::Extents(_) => {
            let packed = row
                .opt_bytes(first + 1)?
                .ok_or(CatalogError::Corrupt("object_data.layout"))?;
            unpack_layout(&packed).map(ObjectData::Extents)
        }
    }
}
