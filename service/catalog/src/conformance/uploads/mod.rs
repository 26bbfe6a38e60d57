//! Uploads in parts, from their beginning to their completion or abort.

mod completion;
mod open_uploads;
mod parts;

pub(super) use completion::{
    answer_repeated_completions_alike, become_objects, refuse_changed_parts,
};
pub(super) use open_uploads::{
    are_limited_by_bucket, are_listed_by_key_and_start, end_without_an_object,
};
pub(super) use parts::{replace_parts, share_blobs_between_parts};

use std::sync::Arc;

use crate::model::{ObjectHeaders, ObjectLock, ObjectMeta, Part, PartData, Upload};
use crate::mutation::{CompleteUpload, CreateUpload, Mutation, Preconditions, PutPart};
use crate::testing::{Fixture, etag, extent, key, later};
use bucketry_domain::{
    AccountId, BlobBatchId, BucketId, Checksum, ChecksumAlgorithm, ChecksumType, Tag, UploadId,
};

/// Begins an upload at `later(number)`.
pub(super) fn begin(bucket: BucketId, name: &str, number: u64) -> Mutation<CreateUpload> {
    Mutation::by_system(later(number), beginning(bucket, name, number))
}

fn beginning(bucket: BucketId, name: &str, number: u64) -> CreateUpload {
    CreateUpload {
        id: UploadId::new(later(number), bucket.0.to_be_bytes()),
        bucket,
        key: key(name),
        initiator: "BKTY".into(),
        owner: AccountId(1),
        headers: ObjectHeaders {
            content_type: Some("x/y".into()),
            ..ObjectHeaders::default()
        },
        tags: vec![Tag {
            key: "a".into(),
            value: "b".into(),
        }],
        lock: ObjectLock::default(),
        acl: None,
        checksum: Some((ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject)),
        most_open: 10_000,
    }
}

/// Some value.
fn checksum_of(algorithm: ChecksumAlgorithm, number: u16) -> Option<Checksum> {
    let bytes = vec![number as u8; algorithm.byte_length()];
    Checksum::new(algorithm, ChecksumType::FullObject, &bytes).ok()
}

/// A part of 1,000 bytes in the blob of its number, with two checksums: its own and one for the object.
pub(super) fn part(upload: &Upload, number: u16, batch: BlobBatchId, blob: u16) -> PutPart {
    PutPart {
        bucket: upload.bucket,
        upload: upload.id,
        number,
        size: 1000,
        etag: etag(number as u8),
        checksum: checksum_of(ChecksumAlgorithm::XxHash128, number),
        object_crc: checksum_of(ChecksumAlgorithm::Crc64Nvme, number),
        data: PartData::Extents(vec![extent(batch, blob, 1000)]),
    }
}

/// Completes an upload at `later(100)`.
pub(super) fn complete(upload: &Upload, parts: &[&Part]) -> Mutation<CompleteUpload> {
    Mutation::by_system(later(100), completion(upload, parts))
}

fn completion(upload: &Upload, parts: &[&Part]) -> CompleteUpload {
    CompleteUpload {
        bucket: upload.bucket,
        key: upload.key.clone(),
        upload: upload.id,
        parts: parts
            .iter()
            .map(|part| (part.number, part.data_id))
            .collect(),
        meta: ObjectMeta::new(
            parts.iter().map(|part| part.size).sum(),
            etag(0xcc),
            AccountId(1),
        ),
        preconditions: Preconditions::default(),
    }
}

async fn begun(fixture: &Fixture, bucket: BucketId) -> (Arc<Upload>, BlobBatchId) {
    (
        fixture.catalog.make(begin(bucket, "k", 1)).await.unwrap(),
        fixture.batch().await,
    )
}
