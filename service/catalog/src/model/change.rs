use bucketry_domain::{BucketId, Generation, ObjectKey, Timestamp, VersionId};

/// A change of an object in the change log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectChange {
    /// The number of the change, which increases with each change of a key: the generation of a version that it made.
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
    /// The difference in the number of current versions: -1, 0 or 1.
    pub objects: i64,
    /// The difference in the bytes of current versions; may be negative.
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

/// A position in the change log. Within an incarnation, a greater position is later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangePosition {
    /// The incarnation of the catalog, which changes after a failover of the database.
    pub incarnation: i64,
    /// The position within it.
    pub position: i64,
}

/// The number and the size of a bucket's objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BucketStatistics {
    /// Current versions.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A bucket whose statistics do not agree with its objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatisticsDifference {
    /// The bucket.
    pub bucket: BucketId,
    /// Its name.
    pub name: String,
    /// The number and the size of its objects.
    pub counted: BucketStatistics,
    /// The number of objects by the statistics, together with the changes that wait to be sequenced.
    pub recorded_objects: i64,
    /// Likewise their bytes.
    pub recorded_bytes: i64,
}
