//! What kinds of operation there are, and who may do each: the permission table as data.

use bucketry_domain::Permission;

/// The kind of an operation, as far as permission is concerned: the contract's classes, of which it gives every RPC
/// (and, where it matters, a field of its request) one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccessClass {
    /// For everybody, without a key: capabilities.
    Public,
    /// For every usable key: the list of its own buckets.
    Authenticated,
    /// What clients probe a bucket with: its existence, region, versioning.
    BucketProbe,
    /// Making a bucket; for a token, "ensuring" its own one, which changes nothing.
    CreateBucket,
    /// Reading a setting of the bucket that its users may see.
    BucketSetting,
    /// Reading an object: data, headers, attributes, tags.
    Read,
    /// Listing objects, versions or uploads.
    List,
    /// Storing an object, in one piece or many, or its tags; ending an upload. With a condition only that nothing be
    /// there, which tells no more than that a key exists.
    Write,
    /// Storing only over a given ETag or generation: would reveal it to a writer.
    ReadWrite,
    /// Copying. The source is judged apart, as [`AccessClass::Read`] of its own bucket.
    Copy,
    /// Deleting objects, versions or tags; renaming.
    Delete,
    /// Listing the parts of an upload, which its writer needs to resume.
    ListParts,
    /// A bucket's settings and tokens, and object settings kept from tokens (ACL, lock).
    BucketAdmin,
    /// An account's own affairs: deleting buckets, its keys.
    AccountAdmin,
    /// The store's affairs: accounts, maintenance.
    Operator,
    /// Authorizing on behalf of S3 callers and reporting their address: only for the edge key of a separate adapter.
    Edge,
}

/// Who, besides operators, may do the operations of a class: one row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClassRule {
    /// Tokens of the bucket concerned, by permission.
    pub(super) tokens: &'static [Permission],
    /// Account administrators, on their own account.
    pub(super) account: Holder,
    /// Whether a bucket must be named.
    pub(super) target: TargetNeed,
}

/// Whether a kind of key may do the operations of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    Granted,
    Refused,
}

/// What an operation of a class is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TargetNeed {
    /// A bucket or what is in it.
    Bucket,
    /// An account, a bucket, or nothing in particular.
    Any,
}

const NONE: &[Permission] = &[];
const READERS: &[Permission] = &[Permission::ReadOnly, Permission::ReadWrite];
const WRITERS: &[Permission] = &[Permission::WriteOnly, Permission::ReadWrite];
const READ_WRITE: &[Permission] = &[Permission::ReadWrite];
const ALL: &[Permission] = &Permission::ALL;

impl AccessClass {
    /// Every class, in the order of the table.
    pub const ALL: [Self; 16] = [
        Self::Public,
        Self::Authenticated,
        Self::BucketProbe,
        Self::CreateBucket,
        Self::BucketSetting,
        Self::Read,
        Self::List,
        Self::Write,
        Self::ReadWrite,
        Self::Copy,
        Self::Delete,
        Self::ListParts,
        Self::BucketAdmin,
        Self::AccountAdmin,
        Self::Operator,
        Self::Edge,
    ];

    /// The contract's name of it, as in `ACCESS_CLASS_READ` without the prefix.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "PUBLIC",
            Self::Authenticated => "AUTHENTICATED",
            Self::BucketProbe => "BUCKET_PROBE",
            Self::CreateBucket => "CREATE_BUCKET",
            Self::BucketSetting => "BUCKET_SETTING",
            Self::Read => "READ",
            Self::List => "LIST",
            Self::Write => "WRITE",
            Self::ReadWrite => "READ_WRITE",
            Self::Copy => "COPY",
            Self::Delete => "DELETE",
            Self::ListParts => "LIST_PARTS",
            Self::BucketAdmin => "BUCKET_ADMIN",
            Self::AccountAdmin => "ACCOUNT_ADMIN",
            Self::Operator => "OPERATOR",
            Self::Edge => "EDGE",
        }
    }

    /// The table. A new class does not compile without its row.
    pub(super) const fn rule(self) -> ClassRule {
        use Holder::{Granted, Refused};
        use TargetNeed::{Any, Bucket};
        let (tokens, account, target) = match self {
            Self::Public | Self::Authenticated => (ALL, Granted, Any),
            Self::BucketProbe | Self::CreateBucket => (ALL, Granted, Bucket),
            Self::BucketSetting | Self::Read | Self::List => (READERS, Granted, Bucket),
            Self::Write | Self::ListParts => (WRITERS, Granted, Bucket),
            Self::ReadWrite | Self::Copy | Self::Delete => (READ_WRITE, Granted, Bucket),
            Self::BucketAdmin => (NONE, Granted, Bucket),
            Self::AccountAdmin => (NONE, Granted, Any),
            Self::Operator | Self::Edge => (NONE, Refused, Any),
        };
        ClassRule {
            tokens,
            account,
            target,
        }
    }
}
