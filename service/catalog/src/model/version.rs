use std::sync::Arc;

use bucketry_domain::{AccountId, BucketId, Generation, ObjectKey, Timestamp, VersionId};

use super::ObjectRow;

/// A version of a key: an object, as much of it as `O` holds, or a delete marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyVersion<O> {
    /// An object.
    Object(O),
    /// A delete marker. While it is the newest version, the key has no current object.
    DeleteMarker(DeleteMarker),
}

/// A version that is not what a GET of its key returns.
pub type NoncurrentVersion = KeyVersion<Arc<ObjectRow>>;

/// A version without content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteMarker {
    /// The bucket.
    pub bucket: BucketId,
    /// The key.
    pub key: ObjectKey,
    /// The change that made it.
    pub generation: Generation,
    /// The version.
    pub version: VersionId,
    /// When it was made.
    pub modified: Timestamp,
    /// The owner.
    pub owner: AccountId,
}

impl<O> KeyVersion<O> {
    /// The same version with another view of an object.
    pub fn map<P>(self, view: impl FnOnce(O) -> P) -> KeyVersion<P> {
        match self {
            Self::Object(object) => KeyVersion::Object(view(object)),
            Self::DeleteMarker(marker) => KeyVersion::DeleteMarker(marker),
        }
    }
}
