use super::codes::{
    checksum, etag, from_json, key, lock_values, read_lock, size, stored_size, to_json,
};
use crate::catalog::CatalogError;
use crate::catalog::model::{CompletedUpload, Upload, UploadState};
use crate::catalog::sql::{Kind, Record, Row, Table, Value};
use crate::domain::{
    AccountId, BucketId, ChecksumAlgorithm, ChecksumType, Generation, Timestamp, UploadId,
    VersionId,
};

impl Record for Upload {
    const TABLE: Table = Table {
        name: "uploads",
        columns: &[
            ("id", Kind::Bytes),
            ("bucket_id", Kind::Int),
            ("key", Kind::Bytes),
            ("created", Kind::Int),
            ("initiator", Kind::Text),
            ("owner_id", Kind::Int),
            ("headers", Kind::Text),
            ("tags", Kind::Text),
            ("checksum", Kind::Int),
            ("retention_mode", Kind::Int),
            ("retain_until", Kind::Int),
            ("legal_hold", Kind::Int),
            ("acl", Kind::Text),
            ("state", Kind::Int),
            ("done_generation", Kind::Int),
            ("done_version", Kind::Int),
            ("done_etag", Kind::Text),
            ("done_size", Kind::Int),
            ("done_at", Kind::Int),
            ("done_checksum", Kind::Bytes),
        ],
        key: 1,
    };

    fn values(&self) -> Vec<Value> {
        let [mode, until, hold] = lock_values(&self.lock);
        let (state, done) = match &self.state {
            UploadState::Open => (0, None),
            UploadState::Completed(done) => (1, Some(done)),
        };
        vec![
            self.id.as_bytes().as_slice().into(),
            self.bucket.0.into(),
            self.key.as_bytes().into(),
            self.created.as_micros().into(),
            self.initiator.as_str().into(),
            self.owner.0.into(),
            to_json(&self.headers).into(),
            to_json(&self.tags).into(),
            self.checksum.map(checksum_code).into(),
            mode,
            until,
            hold,
            self.acl.clone().into(),
            state.into(),
            done.map(|done| done.generation.0).into(),
            done.map(|done| done.version.0).into(),
            done.map(|done| done.etag.to_string()).into(),
            done.map(|done| stored_size(done.size)).into(),
            done.map(|done| done.modified.as_micros()).into(),
            done.and_then(|done| done.checksum)
                .map(|checksum| checksum.pack())
                .into(),
        ]
    }

    fn read(row: &Row) -> Result<Self, CatalogError> {
        Ok(Self {
            id: read_upload_id(row, 0)?,
            bucket: BucketId(row.int(1)?),
            key: key(&row.bytes(2)?, "uploads.key")?,
            created: Timestamp::from_micros(row.int(3)?),
            initiator: row.text(4)?,
            owner: AccountId(row.int(5)?),
            headers: from_json(&row.text(6)?, "uploads.headers")?,
            tags: from_json(&row.text(7)?, "uploads.tags")?,
            checksum: row.opt_int(8)?.map(read_checksum_code).transpose()?,
            lock: read_lock(row, 9, "uploads.retention_mode")?,
            acl: row.opt_text(12)?,
            state: match row.int(13)? {
                0 => UploadState::Open,
                1 => UploadState::Completed(read_completed(row)?),
                _ => return Err(CatalogError::Corrupt("uploads.state")),
            },
        })
    }
}

pub(super) fn read_upload_id(row: &Row, column: usize) -> Result<UploadId, CatalogError> {
    let bytes = row
        .bytes(column)?
        .try_into()
        .map_err(|_| CatalogError::Corrupt("uploads.id"))?;
    Ok(UploadId::from_bytes(bytes))
}

fn read_completed(row: &Row) -> Result<CompletedUpload, CatalogError> {
    Ok(CompletedUpload {
        generation: Generation(row.int(14)?),
        version: VersionId(row.int(15)?),
        etag: etag(&row.text(16)?, "uploads.done_etag")?,
        size: size(row.int(17)?, "uploads.done_size")?,
        modified: Timestamp::from_micros(row.int(18)?),
        checksum: checksum(row.opt_bytes(19)?, "uploads.done_checksum")?,
    })
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
