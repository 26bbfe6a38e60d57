use std::collections::BTreeMap;

use bucketry_domain::{BucketId, Generation, Timestamp, VersionId};

use super::codes;
use crate::CatalogError;
use crate::model::{ChangeKind, ObjectChange};
use crate::sql::record;

impl ChangeKind {
    const fn code(self) -> i64 {
        match self {
            Self::Put => 1,
            Self::Deleted => 2,
            Self::Updated => 3,
        }
    }

    const fn of_code(code: i64) -> Result<Self, CatalogError> {
        match code {
            1 => Ok(Self::Put),
            2 => Ok(Self::Deleted),
            3 => Ok(Self::Updated),
            _ => Err(CatalogError::Corrupt("change_log.kind")),
        }
    }
}

// A change that has no position yet.
record! {
    ObjectChange, table "change_intake", key 1, stored from row {
        number: i64 = row.number.0,
        bucket_id: i64 = row.bucket.0,
        key: &[u8] = row.key.as_bytes(),
        version_id: i64 = row.version.0,
        kind: i64 = row.kind.code(),
        at: i64 = row.at.as_micros(),
        objects: i64 = row.objects,
        bytes: i64 = row.bytes,
    }
    read as Self {
        number: Generation(number),
        bucket: BucketId(bucket_id),
        key: codes::key(key, "change_intake.key")?,
        version: VersionId(version_id),
        kind: ChangeKind::of_code(kind)?,
        at: Timestamp::from_micros(at),
        objects,
        bytes,
    }
}

/// A row of `change_log`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogRow {
    pub(crate) position: i64,
    pub(crate) change: ObjectChange,
}

record! {
    LogRow, table "change_log", key 1, stored from row {
        position: i64 = row.position,
        number: i64 = row.change.number.0,
        bucket_id: i64 = row.change.bucket.0,
        key: &[u8] = row.change.key.as_bytes(),
        version_id: i64 = row.change.version.0,
        kind: i64 = row.change.kind.code(),
        at: i64 = row.change.at.as_micros(),
        objects: i64 = row.change.objects,
        bytes: i64 = row.change.bytes,
    }
    read as Self {
        position,
        change: ObjectChange {
            number: Generation(number),
            bucket: BucketId(bucket_id),
            key: codes::key(key, "change_log.key")?,
            version: VersionId(version_id),
            kind: ChangeKind::of_code(kind)?,
            at: Timestamp::from_micros(at),
            objects,
            bytes,
        },
    }
}

/// A row of `bucket_statistics`, or differences to add to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatisticsRow {
    pub(crate) bucket: BucketId,
    pub(crate) objects: i64,
    pub(crate) bytes: i64,
}

record! {
    StatisticsRow, table "bucket_statistics", key 1, stored from row {
        bucket_id: i64 = row.bucket.0,
        objects: i64 = row.objects,
        bytes: i64 = row.bytes,
    }
    read as Self {
        bucket: BucketId(bucket_id),
        objects,
        bytes,
    }
}

impl StatisticsRow {
    /// Adds the differences to an existing row.
    pub(crate) const ADD: &str = "ON CONFLICT (bucket_id) DO UPDATE SET
        objects = bucket_statistics.objects + excluded.objects,
        bytes = bucket_statistics.bytes + excluded.bytes";

    /// The differences made by changes, one row per bucket.
    pub(crate) fn sums(changes: &[ObjectChange]) -> Vec<Self> {
        let mut sums = BTreeMap::<BucketId, Self>::new();
        for change in changes {
            let sum = sums.entry(change.bucket).or_insert(Self {
                bucket: change.bucket,
                objects: 0,
                bytes: 0,
            });
            sum.objects += change.objects;
            sum.bytes = sum.bytes.saturating_add(change.bytes);
        }
        sums.into_values().collect()
    }
}
