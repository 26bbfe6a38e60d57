use std::path::Path;
use std::sync::Arc;

use sqlx::Connection as _;

use super::connection::{fetch_postgres, read_postgres};
use super::durability::durability;
use super::locks::prove_locks;
use super::migrations::{NEWEST, failure, migrator};
use super::postgres::{self, Postgres};
use super::start::connect_in_time;
use super::{Connection, DatabaseError, Dialect, Row, Sqlite, Statement};
use crate::{CatalogError, CatalogOptions};

/// The connections of an engine.
pub(crate) enum Pools {
    Sqlite(Sqlite),
    Postgres(Arc<Postgres>),
}

impl Pools {
    pub(crate) async fn sqlite(
        file: &Path,
        options: &CatalogOptions,
    ) -> Result<Self, CatalogError> {
        Sqlite::open(file, options).await.map(Self::Sqlite)
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
        if let Err(error) = migrator().run(&mut connection).await {
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
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(crate) async fn writer(&self) -> Result<Connection, DatabaseError> {
        match self {
            Self::Sqlite(sqlite) => Ok(Connection::Sqlite(sqlite.writer().await)),
            Self::Postgres(server) => Ok(Connection::Postgres(server.acquire().await?)),
        }
    }

    /// Runs a statement that reads a few rows, on any free connection; on SQLite on this thread.
    pub(crate) async fn fetch<T>(
        &self,
        statement: &Statement,
        read: &mut impl FnMut(&Row<'_>) -> Result<T, CatalogError>,
    ) -> Result<Vec<T>, CatalogError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.fetch(statement, read),
            Self::Postgres(server) => {
                // Some KiB that every operation would carry, also those that SQLite or a cache answers.
                let rows = Box::pin(async {
                    let mut lease = server.acquire().await?;
                    fetch_postgres(&mut lease, statement.clone()).await
                });
                read_postgres(&rows.await?, read)
            }
        }
    }

    /// Runs a statement that may read many rows, on any free connection; on SQLite on a thread that may block, and until the
    /// caller gives up.
    pub(crate) async fn scan<T: Send + 'static>(
        &self,
        statement: &Statement,
        mut read: impl FnMut(&Row<'_>) -> Result<T, CatalogError> + Send + 'static,
    ) -> Result<Vec<T>, CatalogError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.scan(statement.clone(), read).await,
            Self::Postgres(_) => self.fetch(statement, &mut read).await,
        }
    }

    /// Whether the database answered the latest probe. SQLite always does.
    pub(crate) fn is_up(&self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            Self::Postgres(server) => server.is_up(),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(sqlite) => sqlite.close().await,
            Self::Postgres(server) => server.close().await,
        }
    }
}
