//! A SQLite database: connections that read on the thread of whoever asks, and one that writes.
//!
//! No other code of this process may open or close the file: that would drop the locks that SQLite holds on it.

mod lease;
mod migrate;
mod open;
mod readers;
mod statements;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bucketry_edge::fair::Permits;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

pub(crate) use lease::SqliteLease;

use super::postgres::permit;
use super::{DatabaseError, Row, RowVisitor, Statement};
use crate::{CatalogError, CatalogOptions};
use lease::Writing;
use readers::Readers;

pub(crate) struct Sqlite {
    readers: Arc<Readers>,
    writing: Arc<Mutex<Writing>>,
    /// Divides long reads among the callers of requests.
    permits: Arc<Permits>,
    /// How long a request waits for its turn at a long read.
    acquire_timeout: Duration,
}

impl Sqlite {
    /// Opens the file, and makes or migrates the tables.
    pub(super) async fn open(file: &Path, options: &CatalogOptions) -> Result<Self, CatalogError> {
        let path = file.to_owned();
        let open = move || {
            let mut connection = open::open_writer(&path)?;
            migrate::migrate(&mut connection)?;
            Ok::<_, CatalogError>(Writing::new(&path, connection))
        };
        let writing = may_block(open).await??;
        let connections = options.connections.clamp(1, 64) as usize;
        Ok(Self {
            readers: Arc::new(Readers::new(file, connections)),
            writing: Arc::new(Mutex::new(writing)),
            permits: Permits::new(connections),
            acquire_timeout: options.acquire_timeout,
        })
    }

    pub(super) async fn writer(&self) -> SqliteLease {
        SqliteLease::take(&self.writing).await
    }

    /// Reads a few rows on this thread.
    pub(super) fn fetch<T>(
        &self,
        statement: &Statement,
        read: impl FnMut(&Row<'_>) -> Result<T, CatalogError>,
    ) -> Result<Vec<T>, CatalogError> {
        self.readers
            .with(|connection| statements::fetch(connection, statement, read))
    }

    /// Reads as long as it takes on a thread that may block, or until the caller gives up.
    pub(super) async fn scan<T: Send + 'static>(
        &self,
        statement: Statement,
        read: impl FnMut(&Row<'_>) -> Result<T, CatalogError> + Send + 'static,
    ) -> Result<Vec<T>, CatalogError> {
        self.read_long(move |connection| statements::fetch(connection, &statement, read))
            .await
    }

    /// The same, until the visitor has seen enough.
    pub(crate) async fn visit<V: RowVisitor + Send + 'static>(
        &self,
        statement: Statement,
        visitor: V,
    ) -> Result<V, CatalogError> {
        self.read_long(move |connection| statements::visit(connection, &statement, visitor))
            .await
    }

    async fn read_long<T: Send + 'static>(
        &self,
        read: impl FnOnce(&rusqlite::Connection) -> Result<T, CatalogError> + Send + 'static,
    ) -> Result<T, CatalogError> {
        let permit = permit(&self.permits, self.acquire_timeout)
            .await
            .map_err(|_| DatabaseError::Unavailable)?;
        let is_given_up = Arc::new(AtomicBool::new(false));
        let _guard = GivenUp(Arc::clone(&is_given_up));
        let readers = Arc::clone(&self.readers);
        let scan = move || {
            let _permit = permit;
            readers.with_until(is_given_up, read)
        };
        may_block(scan).await?
    }

    /// Closes all connections, the one that writes last: it leaves no log behind.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        let mut writing = Arc::clone(&self.writing).lock_owned().await;
        if let Err(error) = may_block(move || writing.close()).await {
            tracing::error!(%error, "closing the database");
        }
    }
}

/// Notes when a caller does not wait any more.
struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Works on a thread that may block: of the runtime, or this one if it has none.
pub(super) async fn may_block<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, DatabaseError> {
    match Handle::try_current() {
        Ok(runtime) => {
            let worked = runtime.spawn_blocking(work).await;
            worked.map_err(|_| DatabaseError::Closed)
        }
        Err(_) => Ok(work()),
    }
}
