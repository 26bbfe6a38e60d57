//! Small codes shared by several tables.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::CatalogError;
use crate::model::{LegalHold, ObjectLock, RetentionMode};
use bucketry_domain::{Checksum, ETag, ObjectKey, Timestamp};

/// JSON text, empty for the default: most rows have no tags and few headers.
pub(crate) fn to_json<T: Serialize + Default + PartialEq>(value: &T) -> String {
    // Structs of strings and numbers have no way to fail.
    if *value == T::default() {
        String::new()
    } else {
        serde_json::to_string(value).unwrap_or_default()
    }
}

pub(crate) fn from_json<T: DeserializeOwned + Default>(
    text: &str,
    place: &'static str,
) -> Result<T, CatalogError> {
    if text.is_empty() {
        Ok(T::default())
    } else {
        serde_json::from_str(text).map_err(|_| CatalogError::Corrupt(place))
    }
}

pub(crate) fn size(value: i64, place: &'static str) -> Result<u64, CatalogError> {
    u64::try_from(value).map_err(|_| CatalogError::Corrupt(place))
}

/// Sizes and counters beyond `i64` cannot be reached by counting bytes.
pub(crate) fn stored_size(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(crate) fn etag(text: &str, place: &'static str) -> Result<ETag, CatalogError> {
    text.parse().map_err(|_| CatalogError::Corrupt(place))
}

pub(crate) fn key(bytes: &[u8], place: &'static str) -> Result<ObjectKey, CatalogError> {
    ObjectKey::from_bytes(bytes).map_err(|_| CatalogError::Corrupt(place))
}

pub(crate) fn checksum(
    bytes: Option<&[u8]>,
    place: &'static str,
) -> Result<Option<Checksum>, CatalogError> {
    bytes
        .map(|bytes| Checksum::unpack(bytes).map_err(|_| CatalogError::Corrupt(place)))
        .transpose()
}

/// The columns `retention_mode` and `retain_until`.
pub(crate) fn retention_values(lock: &ObjectLock) -> (Option<i64>, Option<i64>) {
    let mode = lock.retention.map(|(mode, _)| match mode {
        RetentionMode::Governance => 1,
        RetentionMode::Compliance => 2,
    });
    (mode, lock.retention.map(|(_, until)| until.as_micros()))
}

/// The column `legal_hold`.
pub(crate) fn legal_hold_value(lock: &ObjectLock) -> i64 {
    match lock.legal_hold {
        LegalHold::Off => 0,
        LegalHold::On => 1,
    }
}

/// The lock of the columns `retention_mode`, `retain_until` and `legal_hold`.
pub(crate) fn object_lock(
    (mode, until): (Option<i64>, Option<i64>),
    legal_hold: i64,
    place: &'static str,
) -> Result<ObjectLock, CatalogError> {
    let retention = match (mode, until) {
        (None, None) => None,
        (Some(1), Some(until)) => Some((RetentionMode::Governance, Timestamp::from_micros(until))),
        (Some(2), Some(until)) => Some((RetentionMode::Compliance, Timestamp::from_micros(until))),
        _ => return Err(CatalogError::Corrupt(place)),
    };
    let legal_hold = match legal_hold {
        0 => LegalHold::Off,
        1 => LegalHold::On,
        _ => return Err(CatalogError::Corrupt(place)),
    };
    Ok(ObjectLock {
        retention,
        legal_hold,
    })
}
