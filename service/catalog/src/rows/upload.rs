use super::codes::{
    self, from_json, legal_hold_value, object_lock, retention_values, stored_size, to_json,
};
use crate::CatalogError;
use crate::model::{CompletedUpload, Upload, UploadState};
use crate::sql::record;
use bucketry_domain::{
    AccountId, BucketId, ChecksumAlgorithm, ChecksumType, Generation, Timestamp, UploadId,
    VersionId,
};

record! {
    Upload, table "uploads", key 1, stored from row {
        id: &[u8] = row.id.as_bytes().as_slice(),
        bucket_id: i64 = row.bucket.0,
        key: &[u8] = row.key.as_bytes(),
        created: i64 = row.created.as_micros(),
        initiator: String = row.initiator.as_str(),
        owner_id: i64 = row.owner.0,
        headers: &str = to_json(&row.headers),
        tags: &str = to_json(&row.tags),
        checksum: Option<i64> = row.checksum.map(checksum_code),
        retention_mode: Option<i64> = retention_values(&row.lock).0,
        retain_until: Option<i64> = retention_values(&row.lock).1,
        legal_hold: i64 = legal_hold_value(&row.lock),
        acl: Option<String> = row.acl.clone(),
        state: i64 = match row.state {
            UploadState::Open => 0,
            UploadState::Completed(_) => 1,
        },
        done_generation: Option<i64> = completed(row).map(|done| done.generation.0),
        done_version: Option<i64> = completed(row).map(|done| done.version.0),
        done_etag: Option<String> = completed(row).map(|done| done.etag.to_string()),
        done_size: Option<i64> = completed(row).map(|done| stored_size(done.size)),
        done_at: Option<i64> = completed(row).map(|done| done.modified.as_micros()),
        done_checksum: Option<&[u8]> = completed(row)
            .and_then(|done| done.checksum)
            .map(|checksum| checksum.pack()),
    }
    read as Self {
        id: upload_id(id)?,
        bucket: BucketId(bucket_id),
        key: codes::key(key, "uploads.key")?,
        created: Timestamp::from_micros(created),
        initiator,
        owner: AccountId(owner_id),
        headers: from_json(headers, "uploads.headers")?,
        tags: from_json(tags, "uploads.tags")?,
        checksum: checksum.map(read_checksum_code).transpose()?,
        lock: object_lock((retention_mode, retain_until), legal_hold, "uploads.retention_mode")?,
        acl,
        state: match (state, done_generation, done_version, done_etag, done_size, done_at) {
            (0, ..) => UploadState::Open,
            (1, Some(generation), Some(version), Some(etag), Some(size), Some(at)) => {
                UploadState::Completed(CompletedUpload {
                    generation: Generation(generation),
                    version: VersionId(version),
                    etag: codes::etag(&etag, "uploads.done_etag")?,
                    size: codes::size(size, "uploads.done_size")?,
                    modified: Timestamp::from_micros(at),
                    checksum: codes::checksum(done_checksum, "uploads.done_checksum")?,
                })
            }
            _ => return Err(CatalogError::Corrupt("uploads.state")),
        },
    }
}

fn completed(upload: &Upload) -> Option<&CompletedUpload> {
    match &upload.state {
        UploadState::Open => None,
        UploadState::Completed(completed) => Some(completed),
    }
}

pub(super) fn upload_id(bytes: &[u8]) -> Result<UploadId, CatalogError> {
    let bytes = bytes
        .try_into()
        .map_err(|_| CatalogError::Corrupt("uploads.id"))?;
    Ok(UploadId::from_bytes(bytes))
}

/// Algorithm and type in one number.
fn checksum_code((algorithm, kind): (ChecksumAlgorithm, ChecksumType)) -> i64 {
    let algorithm = match algorithm {
        ChecksumAlgorithm::Crc32 => 0,
        ChecksumAlgorithm::Crc32c => 1,
        ChecksumAlgorithm::Crc64Nvme => 2,
        ChecksumAlgorithm::Sha1 => 3,
        ChecksumAlgorithm::Sha256 => 4,
        ChecksumAlgorithm::Sha512 => 5,
        ChecksumAlgorithm::Md5 => 6,
        ChecksumAlgorithm::XxHash64 => 7,
        ChecksumAlgorithm::XxHash3 => 8,
        ChecksumAlgorithm::XxHash128 => 9,
    };
    let kind = match kind {
        ChecksumType::FullObject => 0,
        ChecksumType::Composite => 1,
    };
    algorithm * 2 + kind
}

fn read_checksum_code(code: i64) -> Result<(ChecksumAlgorithm, ChecksumType), CatalogError> {
    let all = ChecksumAlgorithm::ALL.into_iter();
    let mut all = all.flat_map(|algorithm| {
        [
            (algorithm, ChecksumType::FullObject),
            (algorithm, ChecksumType::Composite),
        ]
    });
    all.find(|pair| checksum_code(*pair) == code)
        .ok_or(CatalogError::Corrupt("uploads.checksum"))
}
