//! The catalog: everything but the bytes of large objects, in SQL, on SQLite or Postgres.

mod error;
pub mod model;
pub mod mutation;
mod outcome;
pub mod query;
mod url;

use std::sync::Arc;
use std::time::Duration;

pub use error::{CatalogError, Condition, Refusal};
pub use outcome::{ObjectDeleted, ObjectStored, Outcome, Repetition, TypedChange, UploadCompleted};
pub use url::CatalogUrl;

use crate::domain::{
    AccessKeyId, AccessKeyPk, AccountId, BlobBatchId, BlobId, BucketId, BucketName, NodeId,
    ObjectKey, Timestamp, UploadId,
};
use model::{
    AccessKey, Account, AuditEntry, BlobBatch, Bucket, GarbageBlob, LastUse, StoredObject, Upload,
    UsageRow,
};
use mutation::Mutation;
use query::{
    AccessKeyPage, AccountPage, AuditPage, BucketPage, ListAccessKeys, ListAudit, ListBuckets,
    ListGarbage, ListObjects, ListUploads, ObjectPage, PartPage, UploadPage,
};

/// How a catalog is opened.
#[derive(Clone, Debug)]
pub struct CatalogOptions {
    /// Bound of the caches of hot rows in bytes, inline data included. Used on SQLite only.
    pub cache_bytes: u64,
    /// Reading connections; on Postgres, all connections.
    pub connections: u32,
    /// How long a statement may wait for a connection.
    pub acquire_timeout: Duration,
}

impl Default for CatalogOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 32 * 1024 * 1024,
            connections: 8,
            acquire_timeout: Duration::from_secs(10),
        }
    }
}

/// What one commit decided about one mutation.
pub type Verdict = Result<Outcome, Refusal>;

/// The catalog. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Catalog {}

#[allow(clippy::unused_async, unused_variables, missing_docs)]
impl Catalog {
    pub async fn open(url: &CatalogUrl, options: &CatalogOptions) -> Result<Self, CatalogError> {
        Err(CatalogError::Closed)
    }
    /// Ends the writer after what was submitted, and closes all connections.
    pub async fn close(&self) {}

    // ids and settings
    pub async fn next_id(&self) -> Result<i64, CatalogError> {
        Err(CatalogError::Closed)
    }
    /// The store's own id: 32 hexadecimal digits, made when the catalog was.
    pub fn store_id(&self) -> &str {
        ""
    }
    pub async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, CatalogError> {
        Err(CatalogError::Closed)
    }
    /// Writes the setting unless there is one; answers the one that there is then.
    pub async fn claim_setting(
        &self,
        name: &'static str,
        value: Vec<u8>,
    ) -> Result<Vec<u8>, CatalogError> {
        Err(CatalogError::Closed)
    }

    // writes
    /// Submits one change to the next group commit and waits for its verdict.
    pub async fn submit<C: TypedChange>(&self, change: C) -> Result<C::Answer, CatalogError> {
        self.submit_audited(change, Vec::new()).await
    }
    pub async fn submit_audited<C: TypedChange>(
        &self,
        change: C,
        audit: Vec<AuditEntry>,
    ) -> Result<C::Answer, CatalogError> {
        Err(CatalogError::Closed)
    }
    pub async fn commit(&self, mutations: Vec<Mutation>) -> Result<Vec<Verdict>, CatalogError> {
        Err(CatalogError::Closed)
    }

    // reads
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>, CatalogError> {
        Err(CatalogError::Closed)
    }
    pub async fn account_by_name(&self, name: &str) -> Result<Option<Account>, CatalogError> {
        Err(CatalogError::Closed)
    }
    pub async fn list_accounts(
        &self,
        after: Option<AccountId>,
        max: u32,
    ) -> Result<AccountPage, CatalogError> {
        Err(CatalogError::Closed)
    }
    pub async fn access_key(
        &self,
        id: &AccessKeyId,
    ) -> Result<Option<Arc<AccessKey>>, CatalogError> {
        Err(CatalogError::Closed)
    }
    pub async fn access_key_by_pk(
        &self,
        pk: AccessKeyPk,
    ) -> Result<Option<Arc<AccessKey>>, CatalogError> {
        Err(CatalogError::Closed)
    }
    pub async fn list_access_keys(
        &self,
        query: &ListAccessKeys,
    ) -> Result<AccessKeyPage, CatalogError> {
        Err(CatalogError::Closed)
    }
    /// The live bucket of this name.
    pub async fn bucket_by_name(
        &self,
        name: &BucketName,
    ) -> Result<Option<Arc<Bucket>>, CatalogError> {
        Err(CatalogError::Closed)
    }
    /// The bucket of this id, deleted ones included.
    pub async fn bucket(&self, id: BucketId) -> Result<Option<Arc<Bucket>>, CatalogError> {
        Err(CatalogError::Closed)
    }
    pub async fn list_buckets(&self, query: &ListBuckets) -> Result<BucketPage, CatalogError> {
        Err(CatalogError::Closed)
    }
    /// The current version of a key with its data. The bucket's state is not looked at.
    pub async fn object(
        &self,
        bucket: BucketId,
        key: &ObjectKey,
    ) -> Result<Option<Arc<StoredObject>>, CatalogError> {
        Err(CatalogError::Closed)
    }
    pub async fn list_objects(&self, query: &ListObjects) -> Result<ObjectPage, CatalogError> {
        Err(CatalogError::Closed)
    }
    pub async fn upload(&self, id: UploadId) -> Result<Option<Arc<Upload>>, CatalogError> {
        Err(CatalogError::Closed)
    }
    pub async fn list_uploads(&self, query: &ListUploads) -> Result<UploadPage, CatalogError> {
        Err(CatalogError::Closed)
    }
    /// Parts with numbers above `after` (0: from the first).
    pub async fn list_parts(
        &self,
        upload: UploadId,
        after: u16,
        max: u32,
    ) -> Result<PartPage, CatalogError> {
        Err(CatalogError::Closed)
    }
    /// Usage in the hours from `from` (inclusive) to `to` (exclusive), by hour and class.
    pub async fn usage(
        &self,
        access_key: AccessKeyPk,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<UsageRow>, CatalogError> {
        Err(CatalogError::Closed)
    }
    pub async fn last_use(&self, access_key: AccessKeyPk) -> Result<Option<LastUse>, CatalogError> {
        Err(CatalogError::Closed)
    }
    pub async fn list_audit(&self, query: &ListAudit) -> Result<AuditPage, CatalogError> {
        Err(CatalogError::Closed)
    }

    // blobs
    /// Tells that the node lives until `lease_until` and reads nothing that began before `oldest_read_at`.
    pub async fn heartbeat(
        &self,
        node: NodeId,
        lease_until: Timestamp,
        oldest_read_at: Timestamp,
    ) -> Result<(), CatalogError> {
        Err(CatalogError::Closed)
    }
    /// Reserves 1,024 blob ids. Durable when it returns.
    pub async fn reserve_blob_batch(
        &self,
        node: NodeId,
        now: Timestamp,
    ) -> Result<BlobBatch, CatalogError> {
        Err(CatalogError::Closed)
    }
    /// Ends a reservation. Those of `candidates` (places in the batch whose blobs may exist) that nothing refers to
    /// become garbage. Answers how many did; a reservation that is gone already is no error.
    pub async fn retire_blob_batch(
        &self,
        batch: BlobBatchId,
        candidates: Vec<u16>,
        now: Timestamp,
    ) -> Result<u64, CatalogError> {
        Err(CatalogError::Closed)
    }
    /// Reservations of nodes whose lease ran out before `now`, or that never had one.
    pub async fn abandoned_blob_batches(
        &self,
        now: Timestamp,
        max: u32,
    ) -> Result<Vec<BlobBatch>, CatalogError> {
        Err(CatalogError::Closed)
    }
    /// Which of these blobs something refers to.
    pub async fn referenced_blobs(&self, blobs: &[BlobId]) -> Result<Vec<BlobId>, CatalogError> {
        Err(CatalogError::Closed)
    }
    /// Blobs that may be deleted: unreferenced, past the grace delay, and before every live node's oldest read.
    pub async fn list_garbage(
        &self,
        query: &ListGarbage,
    ) -> Result<Vec<GarbageBlob>, CatalogError> {
        Err(CatalogError::Closed)
    }
    /// Forgets garbage whose bytes are deleted.
    pub async fn remove_garbage(&self, blobs: Vec<GarbageBlob>) -> Result<(), CatalogError> {
        Err(CatalogError::Closed)
    }
    /// Open uploads of deleted buckets, to be aborted by the sweeper.
    pub async fn orphaned_uploads(&self, max: u32) -> Result<Vec<Arc<Upload>>, CatalogError> {
        Err(CatalogError::Closed)
    }
    /// Forgets up to `max` uploads that were completed before this; answers how many.
    pub async fn forget_completed_uploads(
        &self,
        before: Timestamp,
        max: u32,
    ) -> Result<u64, CatalogError> {
        Err(CatalogError::Closed)
    }
}
