use bytes::Bytes;

use super::codes::{
    self, from_json, legal_hold_value, object_lock, retention_values, stored_size, to_json,
};
use super::layout::unpack_layout;
use crate::CatalogError;
use crate::model::{DataPlace, ObjectData, ObjectMeta, ObjectRow};
use crate::query::ListedObject;
use crate::sql::{Row, excerpt, record};
use bucketry_domain::{AccountId, BucketId, DataId, Generation, Timestamp, VersionId};

record! {
    ObjectRow, table "objects", key 2, stored from row {
        bucket_id: i64 = row.bucket.0,
        key: Vec<u8> = row.key.as_bytes(),
        generation: i64 = row.generation.0,
        version_id: i64 = row.version.0,
        modified: i64 = row.modified.as_micros(),
        size: i64 = stored_size(row.meta.size),
        etag: String = row.meta.etag.to_string(),
        owner_id: i64 = row.meta.owner.0,
        part_count: i64 = i64::from(row.meta.part_count),
        data_kind: i64 = match row.place {
            DataPlace::Empty => 0,
            DataPlace::Inline(_) => 1,
            DataPlace::Extents(_) => 2,
        },
        data_id: Option<i64> = row.data_id().map(|id| id.0),
        headers: String = to_json(&row.meta.headers),
        tags: String = to_json(&row.meta.tags),
        checksum: Option<Vec<u8>> = row.meta.checksum.map(|checksum| checksum.pack()),
        retention_mode: Option<i64> = retention_values(&row.meta.lock).0,
        retain_until: Option<i64> = retention_values(&row.meta.lock).1,
        legal_hold: i64 = legal_hold_value(&row.meta.lock),
        acl: Option<String> = row.meta.acl.clone(),
    }
    read as Self {
        bucket: BucketId(bucket_id),
        key: codes::key(&key, "objects.key")?,
        generation: Generation(generation),
        version: VersionId(version_id),
        modified: Timestamp::from_micros(modified),
        place: match (data_kind, data_id) {
            (0, None) => DataPlace::Empty,
            (1, Some(id)) => DataPlace::Inline(DataId(id)),
            (2, Some(id)) => DataPlace::Extents(DataId(id)),
            _ => return Err(CatalogError::Corrupt("objects.data_kind")),
        },
        meta: ObjectMeta {
            size: codes::size(size, "objects.size")?,
            etag: codes::etag(&etag, "objects.etag")?,
            owner: AccountId(owner_id),
            part_count: u32::try_from(part_count)
                .map_err(|_| CatalogError::Corrupt("objects.part_count"))?,
            headers: from_json(&headers, "objects.headers")?,
            tags: from_json(&tags, "objects.tags")?,
            checksum: codes::checksum(checksum, "objects.checksum")?,
            lock: object_lock((retention_mode, retain_until), legal_hold, "objects.retention_mode")?,
            acl,
        },
    }
}

// The index `objects_pkey` holds these columns, so that a listing on Postgres reads nothing else.
excerpt! {
    ListedObject, of {
        key: Vec<u8>,
        generation: i64,
        modified: i64,
        size: i64,
        etag: String,
        part_count: i64,
        checksum: Option<Vec<u8>>,
    }
    read as Self {
        key: codes::key(&key, "objects.key")?,
        generation: Generation(generation),
        modified: Timestamp::from_micros(modified),
        size: codes::size(size, "objects.size")?,
        etag: codes::etag(&etag, "objects.etag")?,
        part_count: u32::try_from(part_count)
            .map_err(|_| CatalogError::Corrupt("objects.part_count"))?,
        checksum: codes::checksum(checksum, "objects.checksum")?,
        attributes: None,
    }
}

impl From<ObjectRow> for ListedObject {
    fn from(row: ObjectRow) -> Self {
        Self {
            key: row.key,
            generation: row.generation,
            modified: row.modified,
            size: row.meta.size,
            etag: row.meta.etag,
            part_count: row.meta.part_count,
            checksum: row.meta.checksum,
            attributes: Some((row.meta.headers, row.meta.tags)),
        }
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
