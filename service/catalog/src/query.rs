//! Questions to the catalog, and pages of answers.

use std::sync::Arc;

use super::model::{
    AccessKey, Account, AuditRecord, Bucket, ChangePosition, KeyVersion, ObjectChange,
    ObjectHeaders, Part, Upload,
};
use bucketry_domain::{
    AccessKeyPk, AccountId, BucketId, BucketName, Checksum, ETag, Generation, ObjectKey, Tag,
    Timestamp, UploadId, VersionId,
};

/// Lists the current versions of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListObjects {
    /// The bucket.
    pub bucket: BucketId,
    /// Only keys that begin with this.
    pub prefix: String,
    /// Keys with this after the prefix are rolled up; empty: none are. Any text.
    pub delimiter: String,
    /// Only keys and common prefixes after this, in byte order; empty: from the start.
    pub after: String,
    /// At most this many keys and common prefixes together.
    pub max: u32,
    /// How much of each object is read.
    pub view: ObjectView,
}

/// How much of each object a listing reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ObjectView {
    /// What S3 lists: all but the attributes.
    #[default]
    Basic,
    /// The attributes as well.
    Full,
}

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// The key.
    pub key: ObjectKey,
    /// The change that made the current version.
    pub generation: Generation,
    /// When it was made.
    pub modified: Timestamp,
    /// Bytes of content.
    pub size: u64,
    /// The entity tag.
    pub etag: ETag,
    /// The number of parts that it was uploaded in; 0 if it was not a multipart upload.
    pub part_count: u32,
    /// Its checksum.
    pub checksum: Option<Checksum>,
    /// Headers and tags, in [`ObjectView::Full`].
    pub attributes: Option<(ObjectHeaders, Vec<Tag>)>,
}

/// The part of the change log after a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangesSince {
    /// Changes of all buckets, by position, and the position of the last one.
    Page(Vec<ObjectChange>, ChangePosition),
    /// The log does not hold all changes since then: objects must be listed again.
    Compacted,
}

/// An entry of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed<T> {
    /// A key.
    Entry(T),
    /// All keys that begin with this: the prefix, more, and the delimiter.
    CommonPrefix(String),
}

/// A page of objects in byte order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectPage {
    /// Keys and common prefixes.
    pub entries: Vec<Listed<ListedObject>>,
    /// Where the next page begins ([`ListObjects::after`]); absent if there is no more.
    pub next: Option<String>,
}

/// Lists all versions of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListVersions {
    /// The bucket.
    pub bucket: BucketId,
    /// Only keys that begin with this.
    pub prefix: String,
    /// Only versions after this.
    pub after: VersionMarker,
    /// At most this many versions.
    pub max: u32,
}

/// A place in a listing of versions. By default, the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionMarker {
    /// Keys up to this one are before the place.
    pub key: String,
    /// With it, the older versions of `key` are after the place. A generation, since a place must not depend on a version
    /// that may be deleted before the next page.
    pub generation: Option<Generation>,
}

/// A version in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVersion {
    /// The version.
    pub version: VersionId,
    /// Whether it is the newest of its key.
    pub is_latest: bool,
    /// What is stored under it.
    pub entry: KeyVersion<ListedObject>,
}

/// A page of versions: keys in byte order, the versions of a key newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionPage {
    /// The versions.
    pub versions: Vec<ListedVersion>,
    /// Where the next page begins; absent if there is no more.
    pub next: Option<VersionMarker>,
}

/// Lists the open uploads of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListUploads {
    /// The bucket.
    pub bucket: BucketId,
    /// Only keys that begin with this.
    pub prefix: String,
    /// Keys with this after the prefix are rolled up; empty: none are.
    pub delimiter: String,
    /// Only keys after this; empty: from the start.
    pub key_marker: String,
    /// With it also the uploads of `key_marker` itself that come after this one.
    pub upload_marker: Option<UploadId>,
    /// At most this many uploads and common prefixes together.
    pub max: u32,
}

/// A page of uploads by key, then by start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadPage {
    /// Uploads and common prefixes.
    pub entries: Vec<Listed<Upload>>,
    /// Where the next page begins; absent if there is no more.
    pub next: Option<(String, Option<UploadId>)>,
}

/// A page of parts by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartPage {
    /// The parts.
    pub parts: Vec<Part>,
    /// The number to go on after; absent if there is no more.
    pub next: Option<u16>,
}

/// Lists buckets by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListBuckets {
    /// Only this account's; absent: all.
    pub account: Option<AccountId>,
    /// Only names that begin with this.
    pub prefix: String,
    /// Only names after this.
    pub after: Option<BucketName>,
    /// At most this many.
    pub max: u32,
}

/// Lists access keys by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListAccessKeys {
    /// Which.
    pub of: KeysOf,
    /// Only rows after this.
    pub after: Option<AccessKeyPk>,
    /// At most this many.
    pub max: u32,
}

/// Whose access keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysOf {
    /// All.
    Everyone,
    /// The operators'.
    Operators,
    /// The operators' and the account administrators'.
    Administrators,
    /// The account's administrators.
    AdministratorsOf(AccountId),
    /// The account's administrators and its buckets' tokens.
    Account(AccountId),
    /// The bucket's tokens.
    Bucket(BucketId),
    /// Tokens whose bucket is gone: of this account; absent: of all.
    Orphaned(Option<AccountId>),
    /// Those sealed by this key-encryption key.
    Kek(i64),
}

/// Lists audit records, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListAudit {
    /// Only about this account.
    pub account: Option<AccountId>,
    /// Only about this bucket.
    pub bucket: Option<BucketId>,
    /// Only about this access key.
    pub access_key: Option<AccessKeyPk>,
    /// Only records before this one: its time and id.
    pub before: Option<(Timestamp, i64)>,
    /// At most this many.
    pub max: u32,
}

/// A page of anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Whether there is more after the last item.
    pub more: More,
}

/// Whether a page is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    /// There is more.
    Yes,
    /// That was all.
    No,
}

/// A page of accounts.
pub type AccountPage = Page<Account>;
/// A page of buckets.
pub type BucketPage = Page<Arc<Bucket>>;
/// A page of access keys.
pub type AccessKeyPage = Page<Arc<AccessKey>>;
/// A page of audit records.
pub type AuditPage = Page<AuditRecord>;

/// Asks for what the collector may delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListGarbage {
    /// Only blobs whose last reference went before this: now, less the grace delay.
    pub unreferenced_before: Timestamp,
    /// Now: nodes whose lease ran out before this do not count.
    pub now: Timestamp,
    /// At most this many.
    pub max: u32,
}

/// A place in a listing of objects, for tests and for the caller's own paging.
impl ListObjects {
    /// Everything in a bucket, in pages of `max`.
    pub fn all(bucket: BucketId, max: u32) -> Self {
        Self {
            bucket,
            prefix: String::new(),
            delimiter: String::new(),
            after: String::new(),
            max,
            view: ObjectView::Basic,
        }
    }
}

impl Listed<ListedObject> {
    /// The key, if it is one.
    pub fn key(&self) -> Option<&ObjectKey> {
        match self {
            Self::Entry(object) => Some(&object.key),
            Self::CommonPrefix(_) => None,
        }
    }
}

impl KeyVersion<ListedObject> {
    /// The key.
    pub const fn key(&self) -> &ObjectKey {
        match self {
            Self::Object(object) => &object.key,
            Self::DeleteMarker(marker) => &marker.key,
        }
    }

    /// The change that made the version.
    pub const fn generation(&self) -> Generation {
        match self {
            Self::Object(object) => object.generation,
            Self::DeleteMarker(marker) => marker.generation,
        }
    }
}
