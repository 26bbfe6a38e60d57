use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bucketry_edge::fair::Permits;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqlitePool};

use super::connection::SqliteLease;
use super::durability::durability;
use super::locks::prove_locks;
use super::migrations::{NEWEST, failure, migrator};
use super::postgres::{self, Postgres, permit};
use super::start::connect_in_time;
use super::{Connection, Dialect, Row, Statement};
use crate::{CatalogError, CatalogOptions};

/// The connections of an engine.
#[derive(Clone)]
pub(crate) enum Pools {
    Sqlite {
        /// One connection: SQLite has one writer, and waiting here is fairer than in its busy handler.
        writer: SqlitePool,
        readers: SqlitePool,
        /// Divides the readers among the callers of requests.
        permits: Arc<Permits>,
        /// How long a request waits for a reader.
        acquire_timeout: Duration,
    },
    Postgres(Arc<Postgres>),
}

/// The write-ahead log's pages between checkpoints: its recycled frames make the cheapest fsync there is.
const WAL_AUTOCHECKPOINT_PAGES: &str = "4000";

impl Pools {
    pub(crate) async fn sqlite(
        file: &Path,
        options: &CatalogOptions,
    ) -> Result<Self, CatalogError> {
        let connect = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
            .foreign_keys(false)
            .pragma("wal_autocheckpoint", WAL_AUTOCHECKPOINT_PAGES)
            .pragma("temp_store", "memory")
            .pragma("cache_size", "-8192")
            .statement_cache_capacity(256)
            .row_buffer_size(1024)
            .disable_statement_logging();
        let pool = || {
            SqlitePoolOptions::new()
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
        };
        let writer = pool()
            .max_connections(1)
            .min_connections(1)
            .connect_with(connect.clone())
            .await?;
        if let Err(error) = migrator(Dialect::Sqlite).run(&writer).await {
            let newest = sqlx::query_scalar(NEWEST).fetch_one(&writer);
            return Err(failure(error, newest).await);
        }
        let connections = options.connections.clamp(1, 64);
        let readers = pool()
            .max_connections(connections)
            .acquire_timeout(options.acquire_timeout)
            .connect_lazy_with(connect.pragma("query_only", "on"));
        Ok(Self::Sqlite {
            writer,
            readers,
            permits: Permits::new(connections as usize),
            acquire_timeout: options.acquire_timeout,
        })
    }

    /// Waits for the server, and makes or migrates the tables.
    pub(crate) async fn postgres(
        url: &str,
        options: &CatalogOptions,
    ) -> Result<Self, CatalogError> {
        let connect = postgres::parse(url)?;
        // Without the limits of the pool's sessions: a migration may take its time, or wait for that of another node.
        let mut connection = connect_in_time(&connect, options.start_deadline).await?;
        if postgres::is_standby(&mut connection).await? {
            return Err(CatalogError::Standby);
        }
        let durability = durability(&mut connection, options.unsafe_database).await?;
        let mut other = connect_in_time(&connect, options.start_deadline).await?;
        prove_locks(&mut connection, &mut other).await?;
        drop(other);
        // The server or the role may have limits of their own.
        sqlx::raw_sql("SET statement_timeout = 0; SET lock_timeout = 0")
            .execute(&mut connection)
            .await?;
        if let Err(error) = migrator(Dialect::Postgres).run(&mut connection).await {
            let newest = sqlx::query_scalar(NEWEST).fetch_one(&mut connection);
            return Err(failure(error, newest).await);
        }
        // The connection is not used again, so a failure to close it does not matter.
        let _closed = connection.close().await;
        Ok(Self::Postgres(Postgres::start(
            &connect, options, durability,
        )))
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite { .. } => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(crate) async fn writer(&self) -> Result<Connection, sqlx::Error> {
        match self {
            Self::Sqlite { writer, .. } => Ok(Connection::Sqlite(SqliteLease::new(
                writer.acquire().await?,
            ))),
            Self::Postgres(server) => server.acquire().await.map(Connection::Postgres),
        }
    }

    /// Runs a reading statement on any free connection.
    pub(crate) async fn fetch(&self, statement: Statement) -> Result<Vec<Row>, sqlx::Error> {
        match self {
            Self::Sqlite {
                readers,
                permits,
                acquire_timeout,
                ..
            } => {
                let _permit = permit(permits, *acquire_timeout).await?;
                let mut connection = Connection::Sqlite(SqliteLease::new(readers.acquire().await?));
                connection.fetch(statement).await
            }
            Self::Postgres(server) => {
                let mut connection = Connection::Postgres(server.acquire().await?);
                connection.fetch(statement).await
            }
        }
    }

    /// Whether the database answered the latest probe. SQLite always does.
    pub(crate) fn is_up(&self) -> bool {
        match self {
            Self::Sqlite { .. } => true,
            Self::Postgres(server) => server.is_up(),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite {
                writer, readers, ..
            } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(server) => server.close().await,
        }
    }
}
