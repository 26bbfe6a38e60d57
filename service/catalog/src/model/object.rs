use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use bucketry_domain::{
    AccountId, BlobId, BucketId, Checksum, DataId, ETag, Generation, ObjectKey, Tag, Timestamp,
    VersionId,
};

/// An object, which is a version of a key, without its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRow {
    /// The bucket.
    pub bucket: BucketId,
    /// The key.
    pub key: ObjectKey,
    /// The commit that made it.
    pub generation: Generation,
    /// The version.
    pub version: VersionId,
    /// When it was made.
    pub modified: Timestamp,
    /// Everything that its maker said about it.
    pub meta: ObjectMeta,
    /// Where its data is.
    pub place: DataPlace,
}

impl ObjectRow {
    /// The row of data, which copies name as their source; absent for an empty object.
    pub const fn data_id(&self) -> Option<DataId> {
        match self.place {
            DataPlace::Empty => None,
            DataPlace::Inline(id) | DataPlace::Extents(id) => Some(id),
        }
    }
}

/// Where a version's data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataPlace {
    /// Nowhere: there are no bytes.
    Empty,
    /// In the catalog.
    Inline(DataId),
    /// In blobs.
    Extents(DataId),
}

/// What the maker of a version says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Bytes of content.
    pub size: u64,
    /// The entity tag.
    pub etag: ETag,
    /// The owner.
    pub owner: AccountId,
    /// Headers that are given back with it.
    pub headers: ObjectHeaders,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Its checksum.
    pub checksum: Option<Checksum>,
    /// Retention and legal hold.
    pub lock: ObjectLock,
    /// The ACL as its writer put it; absent means private to the owner.
    pub acl: Option<String>,
    /// How many parts it was uploaded in; 0 if it was sent whole.
    pub part_count: u32,
}

impl ObjectMeta {
    /// The least that can be said: everything else absent.
    pub fn new(size: u64, etag: ETag, owner: AccountId) -> Self {
        Self {
            size,
            etag,
            owner,
            headers: ObjectHeaders::default(),
            tags: Vec::new(),
            checksum: None,
            lock: ObjectLock::default(),
            acl: None,
            part_count: 0,
        }
    }
}

/// A version with its data or where to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// The version.
    pub row: Arc<ObjectRow>,
    /// The data.
    pub data: ObjectData,
}

/// Headers that are stored with an object and given back as they were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectHeaders {
    /// `Content-Type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `Cache-Control`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    /// `Content-Encoding`, without `aws-chunked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    /// `Expires`, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// `x-amz-website-redirect-location`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website_redirect: Option<String>,
    /// User metadata: lower-case names without `x-amz-meta-`, and values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user_metadata: Vec<(String, String)>,
}

/// Retention and legal hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ObjectLock {
    /// Retention mode and its end.
    pub retention: Option<(RetentionMode, Timestamp)>,
    /// Legal hold.
    pub legal_hold: LegalHold,
}

/// Whether a legal hold lies on a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LegalHold {
    /// None.
    #[default]
    Off,
    /// Held.
    On,
}

/// How strict a retention is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionMode {
    /// May be bypassed with the right to do so.
    Governance,
    /// Never.
    Compliance,
}

/// A version's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectData {
    /// No bytes.
    Empty,
    /// Bytes kept in the catalog.
    Inline(Bytes),
    /// Bytes kept in blobs.
    Extents(Layout),
}

/// Where the bytes of a version are, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Pieces of blobs; joined they are the content.
    pub extents: Vec<Extent>,
    /// The parts that the content was uploaded in; empty if it was sent whole.
    pub parts: Vec<PartLayout>,
}

/// A piece of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The blob.
    pub blob: BlobId,
    /// Where the piece begins, in bytes of content.
    pub offset: u64,
    /// Its length in bytes; at least 1.
    pub length: u64,
}

/// One part of a multipart object, as `GetObject` by part number needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartLayout {
    /// 1 to 10,000.
    pub number: u16,
    /// Bytes.
    pub size: u64,
    /// The part's checksum.
    pub checksum: Option<Checksum>,
}

/// Data for a version that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewData {
    /// No bytes.
    Empty,
    /// Bytes to be kept in the catalog.
    Inline(Bytes),
    /// Bytes in blobs of reserved batches, each written for this version and durable.
    Extents(Layout),
    /// The blobs of another version's data, which must still be there.
    Shared {
        /// The other version's data.
        source: DataId,
        /// What was read there.
        layout: Layout,
    },
}
