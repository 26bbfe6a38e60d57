use std::sync::Arc;

use bytes::Bytes;

use super::codes::{
    self, from_json, legal_hold_value, object_lock, retention_values, stored_size, to_json,
};
use super::layout::unpack_layout;
use crate::CatalogError;
use crate::model::{
    DataPlace, DeleteMarker, KeyVersion, NoncurrentVersion, ObjectData, ObjectMeta, ObjectRow,
};
use crate::query::ListedObject;
use crate::sql::{Record, Row, Table, Value, columns, excerpt};
use bucketry_domain::{AccountId, BucketId, DataId, Generation, ObjectKey, Timestamp, VersionId};

/// A version as both tables store it. The columns that a delete marker lacks are empty.
#[derive(Clone, Copy)]
struct StoredVersion<'r> {
    bucket: BucketId,
    key: &'r ObjectKey,
    version: VersionId,
    generation: Generation,
    modified: Timestamp,
    owner: AccountId,
    /// `None` for a delete marker.
    object: Option<&'r ObjectRow>,
}

impl<'r> StoredVersion<'r> {
    fn meta(self) -> Option<&'r ObjectMeta> {
        self.object.map(|object| &object.meta)
    }
}

impl<'r> From<&'r ObjectRow> for StoredVersion<'r> {
    fn from(object: &'r ObjectRow) -> Self {
        Self {
            bucket: object.bucket,
            key: &object.key,
            version: object.version,
            generation: object.generation,
            modified: object.modified,
            owner: object.meta.owner,
            object: Some(object),
        }
    }
}

impl<'r> From<&'r NoncurrentVersion> for StoredVersion<'r> {
    fn from(version: &'r NoncurrentVersion) -> Self {
        match version {
            KeyVersion::Object(object) => Self::from(&**object),
            KeyVersion::DeleteMarker(marker) => Self {
                bucket: marker.bucket,
                key: &marker.key,
                version: marker.version,
                generation: marker.generation,
                modified: marker.modified,
                owner: marker.owner,
                object: None,
            },
        }
    }
}

/// The `data_kind` of a delete marker.
const DELETE_MARKER: i64 = 3;

// The first three are the key of `object_versions`, the first two that of `objects`.
columns! {
    VersionColumns, stored from row: StoredVersion<'_> {
        bucket_id: i64 = row.bucket.0,
        key: &[u8] = row.key.as_bytes(),
        version_id: i64 = row.version.0,
        generation: i64 = row.generation.0,
        modified: i64 = row.modified.as_micros(),
        size: i64 = row.meta().map_or(0, |meta| stored_size(meta.size)),
        etag: &str = row.meta().map_or_else(String::new, |meta| meta.etag.to_string()),
        owner_id: i64 = row.owner.0,
        part_count: i64 = row.meta().map_or(0, |meta| i64::from(meta.part_count)),
        data_kind: i64 = match row.object.map(|object| object.place) {
            Some(DataPlace::Empty) => 0,
            Some(DataPlace::Inline(_)) => 1,
            Some(DataPlace::Extents(_)) => 2,
            None => DELETE_MARKER,
        },
        data_id: Option<i64> = row.object.and_then(ObjectRow::data_id).map(|id| id.0),
        headers: &str = row.meta().map_or_else(String::new, |meta| to_json(&meta.headers)),
        tags: &str = row.meta().map_or_else(String::new, |meta| to_json(&meta.tags)),
        checksum: Option<&[u8]> = row.meta().and_then(|meta| meta.checksum)
            .map(|checksum| checksum.pack()),
        retention_mode: Option<i64> = row.meta().and_then(|meta| retention_values(&meta.lock).0),
        retain_until: Option<i64> = row.meta().and_then(|meta| retention_values(&meta.lock).1),
        legal_hold: i64 = row.meta().map_or(0, |meta| legal_hold_value(&meta.lock)),
        acl: Option<String> = row.meta().and_then(|meta| meta.acl.clone()),
    }
    read as KeyVersion<ObjectRow> = {
        let bucket = BucketId(bucket_id);
        let key = codes::key(key, "objects.key")?;
        let version = VersionId(version_id);
        let generation = Generation(generation);
        let modified = Timestamp::from_micros(modified);
        let owner = AccountId(owner_id);
        match place(data_kind, data_id)? {
            None => KeyVersion::DeleteMarker(DeleteMarker {
                bucket,
                key,
                generation,
                version,
                modified,
                owner,
            }),
            Some(place) => KeyVersion::Object(ObjectRow {
                bucket,
                key,
                generation,
                version,
                modified,
                place,
                meta: ObjectMeta {
                    size: codes::size(size, "objects.size")?,
                    etag: codes::etag(etag, "objects.etag")?,
                    owner,
                    part_count: u32::try_from(part_count)
                        .map_err(|_| CatalogError::Corrupt("objects.part_count"))?,
                    headers: from_json(headers, "objects.headers")?,
                    tags: from_json(tags, "objects.tags")?,
                    checksum: codes::checksum(checksum, "objects.checksum")?,
                    lock: object_lock(
                        (retention_mode, retain_until),
                        legal_hold,
                        "objects.retention_mode",
                    )?,
                    acl,
                },
            }),
        }
    }
}

/// The place of an object's data; `None` for a delete marker.
const fn place(kind: i64, id: Option<i64>) -> Result<Option<DataPlace>, CatalogError> {
    match (kind, id) {
        (0, None) => Ok(Some(DataPlace::Empty)),
        (1, Some(id)) => Ok(Some(DataPlace::Inline(DataId(id)))),
        (2, Some(id)) => Ok(Some(DataPlace::Extents(DataId(id)))),
        (DELETE_MARKER, None) => Ok(None),
        _ => Err(CatalogError::Corrupt("objects.data_kind")),
    }
}

// What a GET returns, one row per key, so that a listing of objects meets neither older versions nor delete markers.
impl Record for ObjectRow {
    const TABLE: Table = Table {
        name: "objects",
        columns: VersionColumns::LIST,
        key: 2,
    };

    fn values(&self) -> Vec<Value> {
        VersionColumns::values(self.into())
    }

    fn read_from(row: &Row, first: usize) -> Result<Self, CatalogError> {
        match VersionColumns::read_from(row, first)? {
            KeyVersion::Object(object) => Ok(object),
            KeyVersion::DeleteMarker(_) => Err(CatalogError::Corrupt("objects.data_kind")),
        }
    }
}

impl Record for NoncurrentVersion {
    const TABLE: Table = Table {
        name: "object_versions",
        columns: VersionColumns::LIST,
        key: 3,
    };

    fn values(&self) -> Vec<Value> {
        VersionColumns::values(self.into())
    }

    fn read_from(row: &Row, first: usize) -> Result<Self, CatalogError> {
        Ok(VersionColumns::read_from(row, first)?.map(Arc::new))
    }
}

// The index `objects_pkey` holds these columns, so that a listing on Postgres reads nothing else.
excerpt! {
    ListedObject, of {
        key: &[u8],
        generation: i64,
        modified: i64,
        size: i64,
        etag: &str,
        part_count: i64,
        checksum: Option<&[u8]>,
    }
    read as Self {
        key: codes::key(key, "objects.key")?,
        generation: Generation(generation),
        modified: Timestamp::from_micros(modified),
        size: codes::size(size, "objects.size")?,
        etag: codes::etag(etag, "objects.etag")?,
        part_count: u32::try_from(part_count)
            .map_err(|_| CatalogError::Corrupt("objects.part_count"))?,
        checksum: codes::checksum(checksum, "objects.checksum")?,
        attributes: None,
    }
}

// A version in a listing of versions.
excerpt! {
    (VersionId, KeyVersion<ListedObject>), of {
        bucket_id: i64,
        key: &[u8],
        version_id: i64,
        generation: i64,
        modified: i64,
        size: i64,
        etag: &str,
        owner_id: i64,
        part_count: i64,
        data_kind: i64,
        checksum: Option<&[u8]>,
    }
    read as {
        let key = codes::key(key, "objects.key")?;
        let version = VersionId(version_id);
        let generation = Generation(generation);
        let modified = Timestamp::from_micros(modified);
        let entry = match data_kind {
            DELETE_MARKER => KeyVersion::DeleteMarker(DeleteMarker {
                bucket: BucketId(bucket_id),
                key,
                generation,
                version,
                modified,
                owner: AccountId(owner_id),
            }),
            0..=2 => KeyVersion::Object(ListedObject {
                key,
                generation,
                modified,
                size: codes::size(size, "objects.size")?,
                etag: codes::etag(etag, "objects.etag")?,
                part_count: u32::try_from(part_count)
                    .map_err(|_| CatalogError::Corrupt("objects.part_count"))?,
                checksum: codes::checksum(checksum, "objects.checksum")?,
                attributes: None,
            }),
            _ => return Err(CatalogError::Corrupt("objects.data_kind")),
        };
        (version, entry)
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
                .opt_slice(first + 1)?
                .ok_or(CatalogError::Corrupt("object_data.layout"))?;
            unpack_layout(packed).map(ObjectData::Extents)
        }
    }
}
