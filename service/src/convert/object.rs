use bucketry_contract::v1;

use super::{algorithm_to_proto, checksum_to_proto, checksum_type_to_proto, timestamp_to_proto};
use crate::catalog::model::{ObjectRow, Part, Upload};
use crate::catalog::query::{ListedObject, ObjectView};
use crate::domain::BucketName;
use crate::error::Error;

/// An owner as S3 shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    /// 64 hex digits.
    pub(crate) id: String,
    /// The account's name.
    pub(crate) display_name: String,
}

/// An object for the wire.
pub(crate) fn object_to_proto(bucket: &BucketName, row: &ObjectRow, owner: &Owner) -> v1::Object {
    let meta = &row.meta;
    v1::Object {
        bucket: bucket.as_str().to_owned(),
        key: row.key.as_str().to_owned(),
        generation: row.generation.0,
        version_id: String::new(),
        size: i64::try_from(meta.size).unwrap_or(i64::MAX),
        etag: meta.etag.text().to_owned(),
        modify_time: Some(timestamp_to_proto(row.modified)),
        attributes: Some(super::attributes_to_proto(&meta.headers, &meta.tags)),
        checksum: meta
            .checksum
            .as_ref()
            .map(|checksum| checksum_to_proto(checksum, meta.part_count)),
        part_count: i32::try_from(meta.part_count).unwrap_or(i32::MAX),
        owner_id: owner.id.clone(),
        owner_display_name: owner.display_name.clone(),
    }
}

/// An object of a listing for the wire.
pub(crate) fn listed_to_proto(
    bucket: &BucketName,
    object: ListedObject,
    owner: &Owner,
) -> v1::Object {
    let attributes = (object.attributes.as_ref())
        .map(|(headers, tags)| super::attributes_to_proto(headers, tags));
    let checksum = object.checksum.as_ref();
    v1::Object {
        bucket: bucket.as_str().to_owned(),
        generation: object.generation.0,
        version_id: String::new(),
        size: i64::try_from(object.size).unwrap_or(i64::MAX),
        etag: object.etag.text().to_owned(),
        modify_time: Some(timestamp_to_proto(object.modified)),
        attributes,
        checksum: checksum.map(|checksum| checksum_to_proto(checksum, object.part_count)),
        part_count: i32::try_from(object.part_count).unwrap_or(i32::MAX),
        owner_id: owner.id.clone(),
        owner_display_name: owner.display_name.clone(),
        key: object.key.as_str().to_owned(),
    }
}

/// How much of each object a listing is to show.
pub(crate) fn object_view(sent: i32) -> Result<ObjectView, Error> {
    match v1::ObjectView::try_from(sent) {
        Ok(v1::ObjectView::Unspecified | v1::ObjectView::Basic) => Ok(ObjectView::Basic),
        Ok(v1::ObjectView::Full) => Ok(ObjectView::Full),
        Err(_) => Err(Error::InvalidArgument {
            field: "view",
            problem: format!("{sent} is no view of objects"),
        }),
    }
}

/// A part for the wire.
pub(crate) fn part_to_proto(part: &Part) -> v1::Part {
    v1::Part {
        part_number: part.number.into(),
        size: i64::try_from(part.size).unwrap_or(i64::MAX),
        etag: part.etag.text().to_owned(),
        modify_time: Some(timestamp_to_proto(part.modified)),
        checksum: part
            .checksum
            .as_ref()
            .map(|checksum| checksum_to_proto(checksum, 0)),
    }
}

/// An upload for the wire.
pub(crate) fn upload_to_proto(
    bucket: &BucketName,
    upload: &Upload,
    owner: &Owner,
) -> v1::MultipartUpload {
    let (algorithm, kind) = upload.checksum.map_or(
        (
            v1::ChecksumAlgorithm::Unspecified,
            v1::ChecksumType::Unspecified,
        ),
        |(algorithm, kind)| (algorithm_to_proto(algorithm), checksum_type_to_proto(kind)),
    );
    v1::MultipartUpload {
        bucket: bucket.as_str().to_owned(),
        key: upload.key.as_str().to_owned(),
        upload_id: upload.id.to_string(),
        create_time: Some(timestamp_to_proto(upload.created)),
        checksum_algorithm: algorithm.into(),
        checksum_type: kind.into(),
        owner_id: owner.id.clone(),
        owner_display_name: owner.display_name.clone(),
    }
}
