use std::path::PathBuf;
use std::sync::Arc;

use super::model::KeyState;
use super::sql::DatabaseError;
use bucketry_domain::{AccessKeyPk, AccountId, BlobBatchId, BucketId, Generation, UploadId};

/// Why the catalog did not do something.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CatalogError {
    /// A precondition did not hold; nothing was changed.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// The connection was lost while committing: the change may or may not have been made. A blob that it refers to must
    /// not be deleted.
    #[error("the outcome of the commit is unknown")]
    OutcomeUnknown,
    /// The catalog is shutting down, or its writer has ended.
    #[error("the catalog is closed")]
    Closed,
    /// The database failed; nothing was changed.
    #[error("the database failed: {0}")]
    Database(Arc<DatabaseError>),
    /// A migration failed.
    #[error("a migration failed: {0}")]
    Migration(Arc<MigrationError>),
    /// The catalog was written by a later version.
    #[error(
        "the catalog was written by a newer version of bucketry (schema {found}; this version supports {known}): start that \
         version or a later one"
    )]
    NewerSchema {
        /// The schema version of the catalog.
        found: i64,
        /// The latest schema version that this program supports.
        known: i64,
    },
    /// A stored value cannot be what it should be.
    #[error("the catalog holds an impossible value in {0}")]
    Corrupt(&'static str),
    /// The directory cannot be used.
    #[error("cannot use the data directory {path}: {error}")]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        error: Arc<std::io::Error>,
    },
    /// Another process has this directory open.
    #[error("the data directory {0} is in use by another process")]
    InUse(PathBuf),
    /// The Postgres server is a standby.
    #[error(
        "the database server is a standby, which accepts no writes: database-url must name the primary"
    )]
    Standby,
    /// The Postgres server does not write commits to its disk.
    #[error(
        "the database server has fsync=off, so a crash of its machine may lose or damage what was acknowledged: set \
         fsync=on there; for a test database give --allow-unsafe-database"
    )]
    UnsafeDatabase,
    /// The locks of the database do not exclude each other.
    #[error(
        "the advisory locks of the database do not exclude each other, so commits of several nodes would not be ordered: \
         database-url must name a PostgreSQL server itself, or a pooler in session mode"
    )]
    LocksWithoutEffect,
}

impl CatalogError {
    /// The outcome of a mutation belongs to another kind of change.
    pub const OTHER_OUTCOME: Self = Self::Corrupt("an outcome of another change");
}

impl From<DatabaseError> for CatalogError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl From<rusqlite::Error> for CatalogError {
    fn from(error: rusqlite::Error) -> Self {
        DatabaseError::from(error).into()
    }
}

impl From<sqlx::Error> for CatalogError {
    fn from(error: sqlx::Error) -> Self {
        DatabaseError::from(error).into()
    }
}

/// Why the tables could not be made or migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// What a PostgreSQL server answered, or what its record of migrations says.
    #[error(transparent)]
    Postgres(sqlx::migrate::MigrateError),
    /// A script failed on SQLite: nothing of it remains.
    #[error("migration {number}: {error}")]
    Script {
        /// The script.
        number: i64,
        /// The answer.
        error: rusqlite::Error,
    },
    /// A script was run with another text.
    #[error("migration {0} was previously applied but has been modified")]
    Changed(i64),
    /// A script was run in part.
    #[error("migration {0} is partially applied")]
    Partial(i64),
}

impl From<MigrationError> for CatalogError {
    fn from(error: MigrationError) -> Self {
        Self::Migration(Arc::new(error))
    }
}

/// A precondition that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The caller's key is suspended, revoked, expired or gone.
    #[error("access key {pk} is not active")]
    KeyNotActive {
        /// The key.
        pk: AccessKeyPk,
        /// Its state; `Active` if it expired; absent if it is gone.
        state: Option<KeyState>,
    },
    /// The key was edited since the request was allowed: decide again and submit again.
    #[error("access key {pk} is at epoch {epoch}")]
    EpochMoved {
        /// The key.
        pk: AccessKeyPk,
        /// Its epoch now.
        epoch: i64,
    },
    /// What the bucket permits was changed since the request was allowed: decide again and submit again.
    #[error("bucket {bucket} is at policy epoch {epoch}")]
    PolicyMoved {
        /// The bucket.
        bucket: BucketId,
        /// Its policy epoch now.
        epoch: i64,
    },
    /// The key was edited since the editor saw it.
    #[error("access key {pk} is at version {version}")]
    VersionMoved {
        /// The key.
        pk: AccessKeyPk,
        /// Its version now.
        version: i64,
    },
    /// No such key.
    #[error("no access key {0}")]
    AccessKeyNotFound(AccessKeyPk),
    /// A key with this public half exists.
    #[error("the access key id is taken")]
    AccessKeyExists,
    /// The key is revoked, which is final.
    #[error("access key {0} is revoked")]
    AccessKeyRevoked(AccessKeyPk),
    /// The key can still be used, so it cannot be purged.
    #[error("access key {0} is still usable")]
    AccessKeyUsable(AccessKeyPk),
    /// No other administrator key of the account is usable.
    #[error("account {0} has no other usable administrator key")]
    LastAdministrator(AccountId),
    /// No such account, or it is suspended.
    #[error("no account {0}")]
    AccountNotFound(AccountId),
    /// An account of this name exists.
    #[error("the account name is taken")]
    AccountExists,
    /// A live bucket of this name exists.
    #[error("the bucket name is taken")]
    BucketExists {
        /// The bucket.
        bucket: BucketId,
        /// Its owner.
        owner: AccountId,
    },
    /// The bucket is deleted.
    #[error("bucket {0} is gone")]
    BucketGone(BucketId),
    /// The bucket's limit of open uploads is reached.
    #[error("the bucket has {limit} open uploads")]
    TooManyUploads {
        /// The limit.
        limit: u32,
    },
    /// The bucket holds objects.
    #[error("bucket {0} is not empty")]
    BucketNotEmpty(BucketId),
    /// The key must exist for this and does not.
    #[error("the object does not exist")]
    ObjectNotFound,
    /// A condition on the current version does not hold.
    #[error("{0:?} does not hold")]
    Precondition(Condition),
    /// No such upload in this bucket, or it ended.
    #[error("no upload {0}")]
    UploadNotFound(UploadId),
    /// The part is not there as it was read: uploaded again since, or never.
    #[error("part {number} is missing or was replaced")]
    PartChanged {
        /// The part.
        number: u16,
    },
    /// The part list is empty, not ascending, or its sizes do not add up to the object's.
    #[error("the part list is not valid")]
    PartList,
    /// The reservation of a new blob is gone: its bytes may be collected at any time.
    #[error("the reservation {0} of a blob is gone")]
    IntentLost(BlobBatchId),
    /// The data that was to be shared is gone: read the source again.
    #[error("the shared data is gone")]
    SourceGone,
}

/// The condition that did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `If-Match`.
    IfMatch,
    /// `If-None-Match`.
    IfNoneMatch,
    /// The generation; with the one that the key has (0: none).
    Generation(Generation),
}
