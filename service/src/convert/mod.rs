//! Between the contract's messages and the service's own types. Whatever a caller sent is checked here, once.

mod attributes;
mod bucket;
mod conditions;
mod digests;
mod object;
mod token;

pub(crate) use attributes::{attributes_from_proto, attributes_to_proto, tags_from_proto};
pub(crate) use bucket::{
    bucket_to_proto, cors_from_proto, ownership_from_proto, tag_set_from_proto,
};
pub(crate) use conditions::{read_conditions, write_preconditions};
pub(crate) use digests::{
    DeclaredDigests, algorithm_from_proto, algorithm_name, algorithm_to_proto, checksum_to_proto,
    checksum_type_to_proto, declared_digests,
};
pub(crate) use object::{Owner, object_to_proto, part_to_proto, upload_to_proto};
pub(crate) use token::{
    account_to_proto, admin_key_to_proto, expiry_from_proto, ip_rules_from_proto,
    permission_from_proto, token_name, token_to_proto,
};

use crate::domain::{BucketName, ObjectKey, ObjectKeyError, Timestamp, UploadId};
use crate::error::Error;

/// A bucket's name as sent.
pub(crate) fn bucket_name(text: &str) -> Result<BucketName, Error> {
    text.parse().map_err(
        |problem: crate::domain::BucketNameError| Error::InvalidBucketName {
            name: text.chars().take(80).collect(),
            problem: problem.to_string(),
        },
    )
}

/// A key as sent.
pub(crate) fn object_key(text: &str) -> Result<ObjectKey, Error> {
    ObjectKey::new(text).map_err(|problem| match problem {
        ObjectKeyError::TooLong(length) => Error::KeyTooLong { length },
        ObjectKeyError::Empty | ObjectKeyError::NotUtf8(_) => Error::InvalidArgument {
            field: "key",
            problem: problem.to_string(),
        },
    })
}

/// An upload's id as sent; what cannot be one is no upload of ours.
pub(crate) fn upload_id(text: &str) -> Result<UploadId, Error> {
    text.parse().map_err(|_| Error::NoSuchUpload {
        upload_id: text.chars().take(80).collect(),
    })
}

/// A part number as sent: 1 to 10,000.
pub(crate) fn part_number(number: i32) -> Result<u16, Error> {
    match u16::try_from(number) {
        Ok(number @ 1..=10_000) => Ok(number),
        _ => Err(Error::InvalidArgument {
            field: "part_number",
            problem: format!("{number} is not between 1 and 10,000"),
        }),
    }
}

/// There are no versions yet: a version id other than S3's `null` names none.
pub(crate) fn no_version(key: &str, version_id: &str) -> Result<(), Error> {
    match version_id {
        "" | "null" => Ok(()),
        other => Err(Error::NoSuchVersion {
            key: key.to_owned(),
            version_id: other.chars().take(80).collect(),
        }),
    }
}

/// A time for the wire.
pub(crate) fn timestamp_to_proto(time: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: time.as_seconds(),
        // Below a thousand million, so it fits.
        nanos: i32::try_from(time.subsec_micros() * 1000).unwrap_or(0),
    }
}

/// A time from the wire, to the microsecond.
pub(crate) fn timestamp_from_proto(time: &prost_types::Timestamp) -> Timestamp {
    let micros = time.seconds.saturating_mul(1_000_000);
    Timestamp::from_micros(micros.saturating_add(i64::from(time.nanos / 1000)))
}

/// A page size as sent: absent is the default, too large is coerced (AIP-158), negative is refused.
pub(crate) fn page_size(asked: Option<i32>, default: u32, most: u32) -> Result<u32, Error> {
    match asked {
        None => Ok(default),
        Some(asked) => u32::try_from(asked)
            .map(|size| size.min(most))
            .map_err(|_| Error::InvalidArgument {
                field: "page_size",
                problem: format!("{asked} is negative"),
            }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_round_trip_to_the_microsecond() {
        for micros in [0, 1, 1_700_000_000_123_456, -1_500_000] {
            let time = Timestamp::from_micros(micros);
            assert_eq!(timestamp_from_proto(&timestamp_to_proto(time)), time);
        }
    }

    #[test]
    fn limits_are_named() {
        assert!(matches!(
            object_key(&"k".repeat(1025)),
            Err(Error::KeyTooLong { length: 1025 })
        ));
        assert!(object_key(&"k".repeat(1024)).is_ok());
        assert!(part_number(0).is_err() && part_number(10_001).is_err());
        assert_eq!(part_number(10_000).ok(), Some(10_000));
        assert_eq!(page_size(Some(5000), 1000, 1000).ok(), Some(1000));
        assert!(page_size(Some(-1), 1000, 1000).is_err());
    }
}
