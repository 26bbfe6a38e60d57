use futures::TryStreamExt as _;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments as _, PgConnection, Postgres};

use super::postgres_lease::PostgresLease;
use super::{Arg, DatabaseError, Dialect, Fault, Row, SqliteLease, Statement, Value};
use crate::CatalogError;

/// A connection that may write. If it is dropped within a transaction, as when its task is aborted, the transaction has no
/// effect: the next user must not commit half of what another began.
pub(crate) enum Connection {
    Sqlite(SqliteLease),
    Postgres(PostgresLease),
}

/// Why a transaction did not finish.
#[derive(Debug)]
pub(crate) enum Unfinished {
    /// It failed before its end: it has no effect.
    Before(DatabaseError),
    /// It failed while it was committed: it may have an effect.
    During(DatabaseError),
}

impl Connection {
    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement and reads all rows of its answer, on SQLite on another thread.
    pub(crate) async fn fetch<T: Send + 'static>(
        &mut self,
        statement: Statement,
        read: impl FnMut(&Row<'_>) -> Result<T, CatalogError> + Send + 'static,
    ) -> Result<Vec<T>, CatalogError> {
        match self {
            Self::Sqlite(lease) => lease.fetch(statement, read).await,
            Self::Postgres(lease) => {
                let rows = fetch_postgres(lease, statement).await?;
                read_postgres(&rows, read)
            }
        }
    }

    /// Runs a statement and answers how many rows it changed.
    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<u64, DatabaseError> {
        match self {
            Self::Sqlite(lease) => lease.execute(statement).await,
            Self::Postgres(lease) => execute_postgres(lease, statement).await,
        }
    }

    /// Begins a writing transaction.
    pub(crate) async fn begin(&mut self) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(lease) => lease.begin().await,
            Self::Postgres(lease) => {
                lease.transaction_begins();
                execute_postgres(lease, Statement::new("BEGIN"))
                    .await
                    .map(drop)
            }
        }
    }

    /// Runs independent statements and commits the transaction with them: on Postgres all of them at once.
    pub(crate) async fn finish(&mut self, statements: Vec<Statement>) -> Result<(), Unfinished> {
        match self {
            Self::Sqlite(lease) => lease.finish(statements).await,
            Self::Postgres(lease) => finish_postgres(lease, statements).await,
        }
    }

    /// Ends the transaction without effect. If even that fails the connection is thrown away, and the transaction with it.
    pub(crate) async fn roll_back(self) {
        match self {
            Self::Sqlite(lease) => lease.roll_back().await,
            Self::Postgres(mut lease) => {
                match execute_postgres(&mut lease, Statement::new("ROLLBACK")).await {
                    Ok(_) => lease.transaction_ended(),
                    Err(_) => lease.give_up(),
                }
            }
        }
    }

    /// Closes the connection, so that nobody else uses it.
    pub(crate) async fn throw_away(self) {
        match self {
            Self::Sqlite(lease) => lease.throw_away().await,
            Self::Postgres(mut lease) => lease.give_up(),
        }
    }
}

pub(super) async fn fetch_postgres(
    lease: &mut PostgresLease,
    statement: Statement,
) -> Result<Vec<PgRow>, DatabaseError> {
    let (sql, args) = statement.into_parts();
    let query = sqlx::query_with::<Postgres, _>(sql, postgres_arguments(args)?);
    let run =
        async |connection: &mut PgConnection| query.fetch(connection).try_collect::<Vec<_>>().await;
    Ok(lease.run(run).await?)
}

pub(super) fn read_postgres<T>(
    rows: &[PgRow],
    mut read: impl FnMut(&Row<'_>) -> Result<T, CatalogError>,
) -> Result<Vec<T>, CatalogError> {
    rows.iter().map(|row| read(&Row::Postgres(row))).collect()
}

async fn execute_postgres(
    lease: &mut PostgresLease,
    statement: Statement,
) -> Result<u64, DatabaseError> {
    let (sql, args) = statement.into_parts();
    let query = sqlx::query_with::<Postgres, _>(sql, postgres_arguments(args)?);
    let run = async |connection: &mut PgConnection| query.execute(connection).await;
    Ok(lease.run(run).await?.rows_affected())
}

async fn finish_postgres(
    lease: &mut PostgresLease,
    statements: Vec<Statement>,
) -> Result<(), Unfinished> {
    if let Some(all) = Statement::at_once(statements) {
        let written = execute_postgres(lease, all).await;
        written.map_err(Unfinished::Before)?;
    }
    let committed = execute_postgres(lease, Statement::new("COMMIT")).await;
    committed.map_err(|error| match Fault::of(&error) {
        Fault::Silent | Fault::Unavailable => Unfinished::During(error),
        Fault::Conflict | Fault::Answered => Unfinished::Before(error),
    })?;
    lease.transaction_ended();
    Ok(())
}

fn postgres_arguments(args: Vec<Arg>) -> Result<PgArguments, DatabaseError> {
    let mut arguments = PgArguments::default();
    for arg in args {
        match arg {
            Arg::One(Value::Int(value)) => arguments.add(value),
            Arg::One(Value::Text(value)) => arguments.add(value),
            Arg::One(Value::Bytes(value)) => arguments.add(value),
            Arg::Ints(values) => arguments.add(values),
            Arg::Texts(values) => arguments.add(values),
            Arg::Blobs(values) => arguments.add(values),
            Arg::Mixed => {
                let mixed = "a value is not of its column's type";
                return Err(DatabaseError::Argument(mixed));
            }
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}
