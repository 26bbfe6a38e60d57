use bucketry_domain::{AccountId, BucketId, BucketName, Timestamp};

/// A bucket. Its settings are stored apart, so that requests for objects neither read nor rewrite them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The row.
    pub id: BucketId,
    /// The name, unique among live buckets.
    pub name: BucketName,
    /// The owner.
    pub account: AccountId,
    /// The region that it was made in.
    pub region: String,
    /// When it was made.
    pub created: Timestamp,
    /// Alive or deleted.
    pub state: BucketState,
    /// Whether it keeps old versions.
    pub versioning: Versioning,
    /// Advances with every change that may alter what requests are allowed to do: a change of a setting that bears on
    /// access, and the deletion of the bucket.
    pub policy_epoch: i64,
}

/// Whether a bucket still is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketState {
    /// In use.
    Alive,
    /// Deleted; the row stays, so that its tokens can say what they were for.
    Deleted,
}

/// Whether a bucket keeps old versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versioning {
    /// One version per key.
    Unversioned,
}
