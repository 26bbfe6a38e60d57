use std::sync::Arc;

use futures::TryStreamExt as _;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments as _, AssertSqlSafe, PgConnection, Postgres, SqlSafeStr as _, SqlStr};

use super::postgres_lease::PostgresLease;
use super::select::split;
use super::{Arg, DatabaseError, Dialect, Fault, Row, Select, SqliteLease, Statement, Value};
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

    /// Runs statements that read, and reads all rows of their answers: on Postgres all of them at once.
    pub(crate) async fn fetch_all<T: Send + 'static>(
        &mut self,
        selects: Vec<Select<T>>,
    ) -> Result<Vec<T>, CatalogError> {
        match self {
            Self::Sqlite(lease) => {
                let mut found = Vec::new();
                for select in selects {
                    let read = move |row: &Row<'_>| (select.read)(row, 0);
                    found.append(&mut lease.fetch(select.statement, read).await?);
                }
                Ok(found)
            }
            Self::Postgres(lease) => {
                let (statements, readers) = split(selects);
                let Some(all) = Statement::side_by_side(statements) else {
                    return Ok(Vec::new());
                };
                let rows = fetch_postgres(lease, all).await?;
                read_postgres(&rows, |row| readers.read(row))
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
            Self::Postgres(lease) => begin_postgres(lease, None).await.map(drop),
        }
    }

    /// Begins a writing transaction with a statement without arguments, which reads integers, and returns those. On Postgres
    /// both take one round trip.
    pub(crate) async fn begin_with(&mut self, first: Statement) -> Result<Vec<i64>, CatalogError> {
        let read = |row: &Row<'_>| Ok(row.int(0)?);
        match self {
            Self::Sqlite(lease) => {
                lease.begin().await?;
                lease.fetch(first, read).await
            }
            Self::Postgres(lease) => {
                let rows = begin_postgres(lease, Some(first)).await?;
                read_postgres(&rows, read)
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
                match command_postgres(&mut lease, "ROLLBACK".into_sql_str()).await {
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

/// Begins a transaction, together with a statement without arguments. The server takes a new snapshot for it.
async fn begin_postgres(
    lease: &mut PostgresLease,
    first: Option<Statement>,
) -> Result<Vec<PgRow>, DatabaseError> {
    lease.transaction_begins();
    let commands = match first {
        None => "BEGIN".into_sql_str(),
        Some(first) if first.args().is_empty() => {
            let text = Arc::<str>::from(format!("BEGIN; {}", first.sql()));
            AssertSqlSafe(text).into_sql_str()
        }
        Some(_) => {
            let arguments = "the first statement of a transaction has arguments";
            return Err(DatabaseError::Argument(arguments));
        }
    };
    command_postgres(lease, commands).await
}

/// Runs commands without arguments, which are not worth preparing, with one message to the server.
async fn command_postgres(
    lease: &mut PostgresLease,
    commands: SqlStr,
) -> Result<Vec<PgRow>, DatabaseError> {
    let query = sqlx::raw_sql(commands);
    let run =
        async |connection: &mut PgConnection| query.fetch(connection).try_collect::<Vec<_>>().await;
    Ok(lease.run(run).await?)
}

async fn finish_postgres(
    lease: &mut PostgresLease,
    statements: Vec<Statement>,
) -> Result<(), Unfinished> {
    if let Some(all) = Statement::at_once(statements) {
        let written = execute_postgres(lease, all).await;
        written.map_err(Unfinished::Before)?;
    }
    let committed = command_postgres(lease, "COMMIT".into_sql_str()).await;
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
