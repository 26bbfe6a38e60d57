//! Values that cannot be wrong: parsed at the edge, trusted afterwards.

mod bucket_name;
mod bucket_settings;
mod checksum;
mod etag;
mod ids;
mod object_key;
mod permission;
mod timestamp;

pub use bucket_name::{BucketName, BucketNameError};
pub use bucket_settings::{
    BucketSetting, BucketSettings, CorsRule, ObjectOwnership, SettingEdit, Tag,
};
pub use checksum::{Checksum, ChecksumAlgorithm, ChecksumError, ChecksumType};
pub use etag::{ETag, ETagError, ETagText};
pub use ids::{
    AccessKeyId, AccessKeyIdError, AccessKeyPk, AccountId, BlobBatchId, BlobId, BucketId, DataId,
    Generation, NodeId, OwnerId, OwnerIdError, UploadId, UploadIdError, VersionId,
};
pub use object_key::{ObjectKey, ObjectKeyError};
pub use permission::{Permission, PermissionError};
pub use timestamp::Timestamp;
