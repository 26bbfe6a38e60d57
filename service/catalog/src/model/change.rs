use bucketry_domain::{BucketId, Generation, ObjectKey, Timestamp, VersionId};

/// A change of an object, as the change log keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectChange {
    /// The number of the change, which rises along each key: the generation of a version that it made.
    pub number: Generation,
    /// The bucket.
    pub bucket: BucketId,
    /// The key.
    pub key: ObjectKey,
    /// The version that was made, changed or deleted.
    pub version: VersionId,
    /// The kind of change.
    pub kind: ChangeKind,
    /// When it was made, by the clock of the node that made it.
    pub at: Timestamp,
    /// By how much the number of current versions changed: -1, 0 or 1.
    pub objects: i64,
    /// By how many bytes the current versions grew; below 0, shrank.
    pub bytes: i64,
}

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// A new current version.
    Put,
    /// The current version was deleted.
    Deleted,
    /// The attributes of the current version changed.
    Updated,
}

/// A place in the change log. Of two positions of one incarnation the greater is later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangePosition {
    /// The incarnation of the catalog: another one after a failover of the database.
    pub incarnation: i64,
    /// The position within it.
    pub position: i64,
}

/// What a bucket holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BucketStatistics {
    /// Current versions.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}
