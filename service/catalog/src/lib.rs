//! The catalog: everything but the bytes of large objects, in SQL, on SQLite or Postgres.

// Tests spawn unnamed tasks.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

mod cache;
mod database_url;
mod engine;
mod error;
mod hints;
mod judge;
mod listing;
pub mod model;
pub mod mutation;
mod outcome;
pub mod query;
mod read;
mod rows;
pub mod search;
mod sql;
mod upkeep;
mod write;

#[cfg(test)]
mod conformance;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

use std::sync::Arc;
use std::time::Duration;

pub use cache::CacheBytes;
pub use database_url::{DatabaseUrl, DatabaseUrlError};
pub use error::{CatalogError, Condition, MigrationError, Refusal};
pub use outcome::{ObjectDeleted, ObjectStored, Outcome, Repetition, TypedChange, UploadCompleted};
pub use read::{AccessRows, MAX_READ_DETAILS, ObjectRead, SealedSecrets};
pub use sql::{CheckFailure, DatabaseCheck, DatabaseError, check_database};
pub use upkeep::{KeepChanges, Reclaim, TOLERATED_CLOCK_OFFSET, clock_offset_micros};
pub use write::Rejection;

use engine::Engine;
use upkeep::claim_setting;
use write::Writer;

/// The gauge that shows whether the database answers; Postgres only.
pub const DATABASE_UP: &str = "bucketry_database_up";

/// How a catalog is opened.
#[derive(Clone, Debug)]
pub struct CatalogOptions {
    /// Bounds of the caches of hot rows.
    pub cache_bytes: CacheBytes,
    /// Reading connections; on Postgres, all connections.
    pub connections: u32,
    /// How long a statement may wait for a connection.
    pub acquire_timeout: Duration,
    /// How long a statement may run, on Postgres; `None`: no limit.
    pub statement_timeout: Option<Duration>,
    /// How long a start tries to connect, on Postgres.
    pub start_deadline: Duration,
    /// What is done about a Postgres server that loses commits when its machine crashes.
    pub unsafe_database: UnsafeDatabase,
    /// Whose clock says when blobs become garbage and until when leases last.
    pub upkeep_clock: UpkeepClock,
}

/// Whether a Postgres server with `fsync=off` is used: a crash of its machine may lose what was committed, or damage
/// all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnsafeDatabase {
    /// It is not used.
    #[default]
    Refused,
    /// It is used, with a warning in the log.
    Allowed,
}

/// The clock that upkeep uses. It matters where nodes with different clocks share a catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpkeepClock {
    /// The database server's. On SQLite there is none, and the caller's counts.
    #[default]
    Database,
    /// The caller's: for tests, which do not wait.
    Caller,
}

impl Default for CatalogOptions {
    fn default() -> Self {
        Self {
            cache_bytes: CacheBytes::default(),
            connections: 8,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: None,
            start_deadline: Duration::ZERO,
            unsafe_database: UnsafeDatabase::default(),
            upkeep_clock: UpkeepClock::default(),
        }
    }
}

/// What one commit decided about one mutation.
pub type Verdict = Result<Outcome, Refusal>;

/// The catalog. Cheap to clone; all clones are one.
///
/// Every change goes through [`Catalog::submit`] or [`Catalog::commit`]; what a request answers comes from what they
/// returned. On SQLite the process has its directory for itself and hot rows are remembered. On Postgres every read is a
/// statement, so that an edit on one node is seen by all at once; what [`Catalog::remembered_key`] and
/// [`Catalog::remembered_bucket`] return is no more than a hint.
#[derive(Clone)]
pub struct Catalog {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Arc<Engine>,
    writer: Writer,
    store_id: String,
}

impl Catalog {
    /// Opens a catalog, and makes or migrates it if need be. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`CatalogError::InUse`] if another process has the directory, [`CatalogError::Migration`] if the catalog was made
    /// by a later version, and what the database says.
    pub async fn open(url: &DatabaseUrl, options: &CatalogOptions) -> Result<Self, CatalogError> {
        let engine = Arc::new(Engine::open(url, options).await?);
        let fresh = uuid::Uuid::new_v4().simple().to_string();
        let store_id = claim_setting(&engine, "store_id", fresh.into_bytes()).await?;
        let store_id =
            String::from_utf8(store_id).map_err(|_| CatalogError::Corrupt("settings.store_id"))?;
        let writer = Writer::start(&engine)?;
        Ok(Self {
            shared: Arc::new(Shared {
                engine,
                writer,
                store_id,
            }),
        })
    }

    /// Commits what was submitted, then closes all connections. Whatever is submitted later is refused as closed.
    pub async fn close(&self) {
        self.shared.writer.close().await;
        self.engine().close().await;
    }

    /// The store's own id: 32 hexadecimal digits, made when the catalog was.
    pub fn store_id(&self) -> &str {
        &self.shared.store_id
    }

    fn engine(&self) -> &Engine {
        &self.shared.engine
    }
}
