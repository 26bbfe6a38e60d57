use super::Preconditions;
use crate::model::{ObjectHeaders, ObjectLock, ObjectMeta, PartData};
use bucketry_domain::{
    AccountId, BucketId, Checksum, ChecksumAlgorithm, ChecksumType, DataId, ETag, ObjectKey, Tag,
    UploadId,
};

/// Begins a multipart upload.
#[derive(Clone, Debug)]
pub struct CreateUpload {
    /// The id to be.
    pub id: UploadId,
    /// The bucket.
    pub bucket: BucketId,
    /// The key.
    pub key: ObjectKey,
    /// Who begins it: an access key id.
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
    /// The checksum to be.
    pub checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
    /// How many uploads of the bucket may be open with this one.
    pub most_open: u32,
}

/// Adds a part to an upload, or replaces the part of that number.
#[derive(Clone, Debug)]
pub struct PutPart {
    /// The bucket that the upload must be in.
    pub bucket: BucketId,
    /// The upload.
    pub upload: UploadId,
    /// 1 to 10,000.
    pub number: u16,
    /// Bytes.
    pub size: u64,
    /// The MD5 of the part as an entity tag.
    pub etag: ETag,
    /// The part's checksum.
    pub checksum: Option<Checksum>,
    /// See [`Part`](crate::model::Part).
    pub object_crc: Option<Checksum>,
    /// The bytes.
    pub data: PartData,
}

/// Ends an upload without an object.
#[derive(Clone, Debug)]
pub struct AbortUpload {
    /// The bucket that the upload must be in.
    pub bucket: BucketId,
    /// The upload.
    pub upload: UploadId,
}

/// Joins parts to an object. Metadata only: no byte is copied.
#[derive(Clone, Debug)]
pub struct CompleteUpload {
    /// The bucket that the upload must be in.
    pub bucket: BucketId,
    /// The key that it must be for.
    pub key: ObjectKey,
    /// The upload.
    pub upload: UploadId,
    /// The parts, ascending, each as it was read: refused if one was replaced since.
    pub parts: Vec<(u16, DataId)>,
    /// What the version is: size, tag and checksum computed from these parts.
    pub meta: ObjectMeta,
    /// Conditions on the key.
    pub preconditions: Preconditions,
}
