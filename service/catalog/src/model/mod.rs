//! What the catalog holds, as its callers see it.

mod access_key;
mod account;
mod audit;
mod blob;
mod bucket;
mod change;
mod object;
mod upload;
mod usage;
mod version;

pub use access_key::{AccessKey, KeyLimits, KeyScope, KeyState, SealCheck, SealedSecret, Stamp};
pub use account::{Account, AccountState};
pub use audit::{AuditEntry, AuditRecord};
pub use blob::{BlobBatch, DataLayout, DataOwner, GarbageBlob};
pub use bucket::{Bucket, BucketState, Versioning};
pub use change::{
    BucketStatistics, ChangeKind, ChangePosition, ObjectChange, StatisticsDifference,
};
pub use object::{
    DataPlace, Extent, Layout, LegalHold, NewData, ObjectData, ObjectHeaders, ObjectLock,
    ObjectMeta, ObjectRow, PartLayout, RetentionMode, StoredObject,
};
pub use upload::{CompletedUpload, Part, PartData, Upload, UploadState};
pub use usage::{DenialCause, DenialRow, LastUse, UsageRow};
pub use version::{DeleteMarker, KeyVersion, NoncurrentVersion};
