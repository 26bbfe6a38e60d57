//! What GetObject, HeadObject and GetSmallObject share: admitting the caller, finding the version, judging the
//! conditions, resolving the range.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use bucketry_contract::access_table::Classified;
use bucketry_contract::v1::{self, ByteRange, ContentRange, GetObjectRequest, ObjectHeader};

use crate::blobs::ActiveRead;
use crate::catalog::model::{ObjectData, ObjectRow, StoredObject};
use crate::convert::{
    checksum_to_proto, checksum_type_to_proto, no_version, object_key, object_to_proto,
    part_number, read_conditions,
};
use crate::domain::ObjectKey;
use crate::error::Error;
use crate::request::{BucketGrant, Credentials, Resource, Service};
use crate::rules::read_conditions::{ConditionResult, Facts, ReadConditions};

/// A version that may be read, and the bytes of it that were asked for.
pub(super) struct OpenObject {
    pub(super) grant: BucketGrant,
    pub(super) stored: Arc<StoredObject>,
    pub(super) range: Range<u64>,
    pub(super) header: ObjectHeader,
    pub(super) active: ActiveRead,
}

/// Checks that the version exists.
pub(super) async fn version_exists(
    service: &Service,
    grant: &BucketGrant,
    key: &str,
    version_id: &str,
) -> Result<(), Error> {
    no_version(key, version_id)?;
    let found = service
        .catalog
        .object(grant.bucket.id, &object_key(key)?)
        .await?;
    match found {
        Some(_) => Ok(()),
        None => Err(Error::NoSuchKey {
            key: key.to_owned(),
        }),
    }
}

/// Admits the caller and finds the version. `request` is what the caller sent, of which `asked` is a part.
pub(super) async fn open_object(
    service: &Service,
    caller: Credentials,
    request: &impl Classified,
    asked: &GetObjectRequest,
) -> Result<OpenObject, Error> {
    let resource = Resource::object(&asked.bucket, &asked.key);
    let Arguments {
        caller,
        key,
        conditions,
    } = arguments(service, caller, request, asked).await?;
    // Before the look-up: what the row refers to must not be collected until the read has ended.
    let active = service.content.blobs.begin_read(Instant::now());
    let (grant, stored) = service
        .admit_to_object(caller, request, resource, &key)
        .await?;
    let stored = stored.ok_or_else(|| Error::NoSuchKey {
        key: asked.key.clone(),
    })?;
    judge_conditions(&conditions, &stored.row)?;
    let (range, partial) = wanted_range(&stored, asked)?;
    let row = &stored.row;
    let whole = whole_header(service, &grant, row).await?;
    let header = match partial {
        false => whole,
        true => ObjectHeader {
            content_range: (!range.is_empty()).then(|| ContentRange {
                start: range.start as i64,
                end: range.end as i64 - 1,
                size: row.meta.size as i64,
            }),
            content_length: (range.end - range.start) as i64,
            range_checksum: part_checksum(&stored, &range),
            ..whole
        },
    };
    Ok(OpenObject {
        grant,
        stored,
        range,
        header,
        active,
    })
}

/// The header of a version of which neither a range nor a part was asked for: its data is not looked at.
pub(super) async fn read_header(
    service: &Service,
    caller: Credentials,
    request: &impl Classified,
    asked: &GetObjectRequest,
) -> Result<ObjectHeader, Error> {
    let resource = Resource::object(&asked.bucket, &asked.key);
    let Arguments {
        caller,
        key,
        conditions,
    } = arguments(service, caller, request, asked).await?;
    let (grant, row) = service
        .admit_to_row(caller, request, resource, &key)
        .await?;
    let row = row.ok_or_else(|| Error::NoSuchKey {
        key: asked.key.clone(),
    })?;
    judge_conditions(&conditions, &row)?;
    whole_header(service, &grant, &row).await
}

async fn whole_header(
    service: &Service,
    grant: &BucketGrant,
    row: &ObjectRow,
) -> Result<ObjectHeader, Error> {
    let owner = service.owner(row.meta.owner).await?;
    Ok(ObjectHeader {
        object: Some(object_to_proto(&grant.bucket.name, row, &owner)),
        content_range: None,
        content_length: row.meta.size as i64,
        range_checksum: None,
    })
}

struct Arguments {
    caller: Credentials,
    key: ObjectKey,
    conditions: ReadConditions,
}

/// Reads what identifies the version and its conditions. Only a caller who may read the object learns what is wrong with
/// them.
async fn arguments(
    service: &Service,
    caller: Credentials,
    request: &impl Classified,
    asked: &GetObjectRequest,
) -> Result<Arguments, Error> {
    let parse = || {
        let key = object_key(&asked.key)?;
        no_version(&asked.key, &asked.version_id)?;
        Ok((key, read_conditions(asked.precondition.clone())?))
    };
    match parse() {
        Ok((key, conditions)) => Ok(Arguments {
            caller,
            key,
            conditions,
        }),
        Err(error) => {
            let resource = Resource::object(&asked.bucket, &asked.key);
            service.admit(caller, request, resource).await?;
            Err(error)
        }
    }
}

fn judge_conditions(conditions: &ReadConditions, row: &ObjectRow) -> Result<(), Error> {
    let etag = row.meta.etag.text();
    let verdict = conditions.judge(Facts {
        etag: &etag,
        modified: row.modified,
        generation: row.generation,
    });
    match verdict {
        ConditionResult::Holds => Ok(()),
        ConditionResult::NotModified => Err(Error::NotModified {
            etag: etag.to_owned(),
            modified_seconds: row.modified.as_seconds(),
        }),
        ConditionResult::Failed(condition) => Err(Error::PreconditionFailed { condition }),
    }
}

/// The bytes that are asked for, and whether they were asked for as a part.
fn wanted_range(
    stored: &StoredObject,
    asked: &GetObjectRequest,
) -> Result<(Range<u64>, bool), Error> {
    let size = stored.row.meta.size;
    match (&asked.range, asked.part_number) {
        (None, 0) => Ok((0..size, false)),
        (Some(range), 0) => Ok((resolve(range, size)?, true)),
        (None, number) => Ok((part_range(stored, number)?, true)),
        (Some(_), _) => Err(Error::InvalidRequest(
            "a range and a part number cannot go together",
        )),
    }
}

/// The bytes that a range means in an object of `size` bytes: RFC 9110 section 14.1.2.
pub(super) fn resolve(asked: &ByteRange, size: u64) -> Result<Range<u64>, Error> {
    let refused = || Error::InvalidRange {
        asked: asked.end.map_or_else(
            || match asked.start {
                suffix if suffix < 0 => format!("bytes={suffix}"),
                start => format!("bytes={start}-"),
            },
            |end| format!("bytes={}-{end}", asked.start),
        ),
        size,
    };
    if asked.start < 0 {
        if asked.end.is_some() {
            return Err(Error::InvalidArgument {
                field: "range.end",
                problem: "a suffix range (a negative start) has no end".to_owned(),
            });
        }
        let length = asked.start.unsigned_abs().min(size);
        return if size == 0 {
            Err(refused())
        } else {
            Ok(size - length..size)
        };
    }
    let start = asked.start.unsigned_abs();
    if start >= size {
        return Err(refused());
    }
    let end = match asked.end {
        None => size,
        Some(end) => u64::try_from(end)
            .ok()
            .filter(|&end| end >= start)
            .ok_or_else(refused)?
            .saturating_add(1)
            .min(size),
    };
    Ok(start..end)
}

/// The bytes of one part. An object of a single put has one part: itself.
fn part_range(stored: &StoredObject, number: i32) -> Result<Range<u64>, Error> {
    let wanted = part_number(number)?;
    let parts = match &stored.data {
        ObjectData::Extents(layout) => layout.parts.as_slice(),
        ObjectData::Empty | ObjectData::Inline(_) => &[],
    };
    if parts.is_empty() && wanted == 1 {
        return Ok(0..stored.row.meta.size);
    }
    let mut start = 0;
    for part in parts {
        if part.number == wanted {
            return Ok(start..start + part.size);
        }
        start += part.size;
    }
    Err(Error::InvalidPartNumber {
        asked: number,
        count: parts.len().max(1),
    })
}

/// The checksum of a range that is a single part, with the object's type: "you can get an individual part's checksum by
/// specifying a part number or byte range that aligns with a single part". An object of a single put is one part.
fn part_checksum(stored: &StoredObject, range: &Range<u64>) -> Option<v1::Checksum> {
    let of_object = stored.row.meta.checksum?;
    let parts = match &stored.data {
        ObjectData::Extents(layout) => layout.parts.as_slice(),
        ObjectData::Empty | ObjectData::Inline(_) => &[],
    };
    if parts.is_empty() {
        return (*range == (0..stored.row.meta.size)).then(|| checksum_to_proto(&of_object, 0));
    }
    let mut start = 0;
    for part in parts {
        let end = start + part.size;
        if *range == (start..end) {
            let own = part
                .checksum
                .filter(|own| own.algorithm() == of_object.algorithm())?;
            return Some(v1::Checksum {
                r#type: checksum_type_to_proto(of_object.kind()).into(),
                ..checksum_to_proto(&own, 0)
            });
        }
        start = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: i64, end: Option<i64>, size: u64) -> Option<Range<u64>> {
        resolve(&ByteRange { start, end }, size).ok()
    }

    #[test]
    fn ranges_resolve_as_in_rfc_9110() {
        assert_eq!(range(0, Some(0), 10), Some(0..1));
        assert_eq!(range(3, None, 10), Some(3..10));
        assert_eq!(range(3, Some(99), 10), Some(3..10));
        assert_eq!(range(9, Some(9), 10), Some(9..10));
        assert_eq!(range(-4, None, 10), Some(6..10));
        assert_eq!(range(-40, None, 10), Some(0..10));
        assert_eq!(range(i64::MIN, None, 10), Some(0..10));
        assert_eq!(range(0, Some(i64::MAX), 10), Some(0..10));
        for (start, end, size) in [
            (10, None, 10),
            (0, None, 0),
            (-1, None, 0),
            (5, Some(4), 10),
        ] {
            assert_eq!(range(start, end, size), None, "{start} {end:?} of {size}");
        }
    }
}
