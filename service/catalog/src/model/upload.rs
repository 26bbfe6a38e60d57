use super::Extent;
use super::{ObjectHeaders, ObjectLock};
use bucketry_domain::{
    AccountId, BucketId, Checksum, ChecksumAlgorithm, ChecksumType, DataId, ETag, Generation,
    ObjectKey, Tag, Timestamp, UploadId, VersionId,
};

/// A multipart upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its id.
    pub id: UploadId,
    /// The bucket.
    pub bucket: BucketId,
    /// The key that it will become.
    pub key: ObjectKey,
    /// When it began.
    pub created: Timestamp,
    /// Who began it: an access key id, shown as the initiator.
    pub initiator: String,
    /// The owner of the object to be.
    pub owner: AccountId,
    /// Headers of the object to be.
    pub headers: ObjectHeaders,
    /// Tags of the object to be.
    pub tags: Vec<Tag>,
    /// Retention and legal hold of the object to be.
    pub lock: ObjectLock,
    /// ACL of the object to be.
    pub acl: Option<String>,
    /// The checksum that every part has and the object will have; if none is named, CRC64NVME of the whole object.
    pub checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
    /// Open or completed.
    pub state: UploadState,
}

/// Whether an upload still takes parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadState {
    /// Taking parts.
    Open,
    /// Finished; remembered for a while so that a repeated completion gets the same answer.
    Completed(CompletedUpload),
}

/// What a completed upload became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompletedUpload {
    /// The object's generation.
    pub generation: Generation,
    /// The object's version.
    pub version: VersionId,
    /// The object's entity tag.
    pub etag: ETag,
    /// The object's size in bytes.
    pub size: u64,
    /// When it was completed.
    pub modified: Timestamp,
    /// The object's checksum.
    pub checksum: Option<Checksum>,
}

/// An uploaded part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// 1 to 10,000.
    pub number: u16,
    /// Bytes.
    pub size: u64,
    /// The MD5 of the part as an entity tag.
    pub etag: ETag,
    /// When it was uploaded.
    pub modified: Timestamp,
    /// Its checksum, by the algorithm that its client named, else by the upload's.
    pub checksum: Option<Checksum>,
    /// CRC64NVME for the future object, if the upload names no algorithm and `checksum` is of another.
    pub object_crc: Option<Checksum>,
    /// Identifies this very upload of the part: another upload of the number has another.
    pub data_id: DataId,
}

/// The bytes of a new part. They are never kept in the catalog: a finished object joins its parts' extents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartData {
    /// Blobs of reserved batches, durable; empty for a part of no bytes.
    Extents(Vec<Extent>),
    /// Blobs of an object's data (a copied part), which must still be there.
    Shared {
        /// The object's data.
        source: DataId,
        /// The pieces that make the part.
        extents: Vec<Extent>,
    },
}
