//! Between the contract's messages and the service's own types. Whatever a caller sent is checked here, once.

mod attributes;
mod audit;
mod bucket;
mod conditions;
mod decision;
mod digests;
mod fitting;
mod object;
mod token;

pub(crate) use attributes::{
    attributes_from_proto, attributes_to_proto, tag_set_to_proto, tags_from_proto,
};
pub(crate) use audit::audit_event_to_proto;
pub(crate) use bucket::{bucket_to_proto, statistics_to_proto};
pub(crate) use conditions::{read_conditions, write_preconditions};
pub(crate) use decision::reason_to_proto;
pub(crate) use digests::{
    DeclaredDigests, algorithm_from_proto, algorithm_to_proto, checksum_to_proto,
    checksum_type_to_proto, declared_digests,
};
pub(crate) use fitting::{MAX_ITEM_BYTES, fitting, fitting_objects};
pub(crate) use object::{
    Owner, listed_to_proto, object_to_proto, object_view, part_to_proto, upload_to_proto,
};
pub(crate) use token::{
    account_to_proto, admin_key_to_proto, expiry_from_proto, ip_rules_from_proto, is_unnameable,
    limits_from_proto, limits_to_json, permission_from_proto, permission_of, token_name,
    token_to_proto,
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

/// A part number after which a page begins, as sent: from 0.
pub(crate) fn part_marker(number: i32) -> Result<u16, Error> {
    u16::try_from(number).map_err(|_| Error::InvalidArgument {
        field: "part_number_marker",
        problem: format!("{number} is not a part number"),
    })
}

/// What S3 calls the version of an object that was written while its bucket was not versioned.
pub(crate) const NULL_VERSION: &str = "null";

/// The markers of a listing of versions: a version marker needs a key marker. A marker is a place in the order whether
/// or not it names an existing version.
pub(crate) fn version_marker(key_marker: &str, version_id_marker: &str) -> Result<(), Error> {
    let problem = match version_id_marker {
        "" => return Ok(()),
        _ if key_marker.is_empty() => {
            "A version-id marker cannot be specified without a key marker."
        }
        marker if marker == NULL_VERSION || is_version_id(marker) => return Ok(()),
        _ => "Invalid version id specified",
    };
    Err(Error::InvalidArgument {
        field: "version_id_marker",
        problem: problem.to_owned(),
    })
}

/// There are no versions yet: a version id other than S3's `null` names none. S3 tells text that cannot be a version id
/// (400) from an id that names no version (404).
pub(crate) fn no_version(key: &str, version_id: &str) -> Result<(), Error> {
    match version_id {
        "" | NULL_VERSION => Ok(()),
        other if is_version_id(other) => Err(Error::NoSuchVersion {
            key: key.to_owned(),
            version_id: other.to_owned(),
        }),
        _ => Err(Error::InvalidArgument {
            field: "version_id",
            problem: "Invalid version id specified".to_owned(),
        }),
    }
}

/// The shape of S3's version ids.
fn is_version_id(text: &str) -> bool {
    text.len() == 32
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
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

/// A page size as sent: absent and 0 are the default, too large is coerced (AIP-158), negative is refused.
pub(crate) fn page_size(asked: Option<i32>, default: u32, most: u32) -> Result<u32, Error> {
    match asked {
        None | Some(0) => Ok(default),
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
    fn what_cannot_be_a_version_id_is_told_from_a_missing_version() {
        assert!(no_version("k", "").is_ok() && no_version("k", "null").is_ok());
        for text in ["none", "3HL4kqtJlcpXroDTDmJ rmSpXd3dIbrHY", &"v".repeat(33)] {
            let refused = no_version("k", text);
            assert!(matches!(
                refused,
                Err(Error::InvalidArgument {
                    field: "version_id",
                    ..
                })
            ));
        }
        let missing = no_version("k", "3HL4kqtJvjVBH40Nrjfkd_HY.XdnIbrH");
        assert!(matches!(missing, Err(Error::NoSuchVersion { .. })));
    }

    #[test]
    fn a_version_marker_needs_its_key() {
        let id = "3HL4kqtJvjVBH40Nrjfkd_HY.XdnIbrH";
        for (key, version) in [("", ""), ("k", ""), ("k", "null"), ("k", id)] {
            assert!(version_marker(key, version).is_ok(), "{key} {version}");
        }
        for (key, version, expected) in [
            ("", "null", "without a key marker"),
            ("", id, "without a key marker"),
            ("k", "x", "Invalid version id specified"),
        ] {
            let refused = version_marker(key, version).unwrap_err().to_string();
            assert!(refused.contains(expected), "{refused}");
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
        assert_eq!(page_size(Some(0), 100, 1000).ok(), Some(100));
        assert_eq!(page_size(None, 100, 1000).ok(), Some(100));
        assert!(page_size(Some(-1), 1000, 1000).is_err());
    }
}
