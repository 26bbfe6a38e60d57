use futures::TryStreamExt as _;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, Connection as _, PgConnection, Postgres, Sqlite, SqliteConnection};

use super::lease::Lease;
use super::{Arg, Dialect, Row, Statement, Value};

/// A connection taken from a pool. If it is dropped within a transaction, as when its task is aborted, it is closed instead
/// of returned: the next user must not commit half of what another began.
pub(crate) enum Connection {
    Sqlite(SqliteLease),
    Postgres(Lease),
}

/// A connection of a SQLite pool.
pub(crate) struct SqliteLease {
    /// `None` once it has been given up.
    connection: Option<PoolConnection<Sqlite>>,
    transaction: Transaction,
}

/// The state of a transaction on SQLite. Each statement there is a hop to the connection's thread and back, which costs more
/// than most statements: so `BEGIN` travels with the first one, and `COMMIT` with the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Transaction {
    #[default]
    None,
    /// `BEGIN` is to be sent before the next statement.
    Due,
    Open,
}

impl SqliteLease {
    pub(super) fn new(connection: PoolConnection<Sqlite>) -> Self {
        Self {
            connection: Some(connection),
            transaction: Transaction::None,
        }
    }

    fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        self.connection
            .as_deref_mut()
            .ok_or(sqlx::Error::PoolClosed)
    }
}

impl Drop for SqliteLease {
    fn drop(&mut self) {
        if self.transaction == Transaction::Open {
            drop(self.connection.take().map(PoolConnection::detach));
        }
    }
}

/// Why a transaction did not finish.
#[derive(Debug)]
pub(crate) enum Unfinished {
    /// It failed before its end: it has no effect.
    Before(sqlx::Error),
    /// It failed while it was committed: it may have an effect.
    During(sqlx::Error),
}

/// What an error means for a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Another transaction was in the way: the same batch may succeed now.
    Conflict,
    /// The server said no.
    Answered,
    /// Nothing was done: no connection or lock was free in time. An immediate retry would wait as long again.
    Unavailable,
    /// Nobody answered: whatever was under way may or may not have happened.
    Silent,
}

impl Fault {
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        let answer = match error {
            sqlx::Error::Database(answer) => answer,
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => {
                return Self::Silent;
            }
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => return Self::Unavailable,
            // Before anything was sent, or after all of it was understood.
            _ => return Self::Answered,
        };
        match answer.code().as_deref() {
            // Deadlock, serialization failure, unique violation between two nodes; SQLITE_BUSY and its kinds.
            Some("40P01" | "40001" | "23505" | "5" | "261" | "517") => Self::Conflict,
            // The session was ended because its transaction stood idle (this process was stopped). The server says so before
            // it begins the next statement, even if that is COMMIT: nothing of the transaction remains.
            Some("25P03") => Self::Conflict,
            // No lock in time, cancelled by the limit of a statement, too many connections.
            Some("55P03" | "57014" | "53300") => Self::Unavailable,
            // The connection is going away: class 08 and the administrator's shutdowns.
            Some(code) if code.starts_with("08") || code.starts_with("57P") => Self::Silent,
            _ => Self::Answered,
        }
    }
}

impl Connection {
    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement and reads all rows of its answer.
    pub(crate) async fn fetch(&mut self, statement: Statement) -> Result<Vec<Row>, sqlx::Error> {
        let statement = self.with_begin(statement);
        let (sql, args) = statement.into_parts();
        match self {
            Self::Sqlite(lease) => {
                let query = sqlx::query_with::<Sqlite, _>(sql, sqlite_arguments(args)?);
                query
                    .fetch(lease.connection()?)
                    .map_ok(Row::Sqlite)
                    .try_collect()
                    .await
            }
            Self::Postgres(connection) => {
                let query = sqlx::query_with::<Postgres, _>(sql, postgres_arguments(args)?);
                let run = async |connection: &mut PgConnection| {
                    query
                        .fetch(connection)
                        .map_ok(Row::Postgres)
                        .try_collect()
                        .await
                };
                connection.run(run).await
            }
        }
    }

    /// Runs a statement and answers how many rows it changed.
    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<u64, sqlx::Error> {
        let statement = self.with_begin(statement);
        let (sql, args) = statement.into_parts();
        match self {
            Self::Sqlite(lease) => {
                let query = sqlx::query_with::<Sqlite, _>(sql, sqlite_arguments(args)?);
                query
                    .execute(lease.connection()?)
                    .await
                    .map(|done| done.rows_affected())
            }
            Self::Postgres(connection) => {
                let query = sqlx::query_with::<Postgres, _>(sql, postgres_arguments(args)?);
                let run = async |connection: &mut PgConnection| query.execute(connection).await;
                connection.run(run).await.map(|done| done.rows_affected())
            }
        }
    }

    /// Begins a writing transaction. SQLite takes the write lock at once: a later upgrade could only fail.
    pub(crate) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(lease) => lease.transaction = Transaction::Due,
            Self::Postgres(lease) => {
                lease.transaction_begins();
                self.execute(Statement::new("BEGIN")).await?;
            }
        }
        Ok(())
    }

    /// Runs independent statements and commits the transaction with them: in one go on SQLite, in two on Postgres.
    pub(crate) async fn finish(&mut self, statements: Vec<Statement>) -> Result<(), Unfinished> {
        match self {
            Self::Sqlite(_) => {
                let all = Statement::in_sequence(statements, "COMMIT");
                self.execute(all).await.map_err(|error| {
                    if may_have_committed(&error) {
                        Unfinished::During(error)
                    } else {
                        Unfinished::Before(error)
                    }
                })?;
            }
            Self::Postgres(_) => {
                if let Some(all) = Statement::at_once(statements) {
                    self.execute(all).await.map_err(Unfinished::Before)?;
                }
                let committed = self.execute(Statement::new("COMMIT")).await;
                committed.map_err(|error| match Fault::of(&error) {
                    Fault::Silent | Fault::Unavailable => Unfinished::During(error),
                    Fault::Conflict | Fault::Answered => Unfinished::Before(error),
                })?;
            }
        }
        self.transaction_ended();
        Ok(())
    }

    /// Ends the transaction without effect. If even that fails the connection is thrown away, and the transaction with it.
    pub(crate) async fn roll_back(mut self) {
        if let Self::Sqlite(lease) = &self
            && lease.transaction == Transaction::Due
        {
            return;
        }
        match self.execute(Statement::new("ROLLBACK")).await {
            Ok(_) => self.transaction_ended(),
            Err(_) => self.throw_away().await,
        }
    }

    /// Closes the connection instead of giving it back to its pool.
    pub(crate) async fn throw_away(self) {
        match self {
            Self::Sqlite(mut lease) => {
                if let Some(connection) = lease.connection.take()
                    && let Err(error) = connection.detach().close().await
                {
                    tracing::debug!(%error, "closing a broken database connection");
                }
            }
            Self::Postgres(mut connection) => connection.give_up(),
        }
    }

    fn with_begin(&mut self, statement: Statement) -> Statement {
        match self {
            Self::Sqlite(lease) if lease.transaction == Transaction::Due => {
                lease.transaction = Transaction::Open;
                statement.after("BEGIN IMMEDIATE")
            }
            Self::Sqlite(_) | Self::Postgres(_) => statement,
        }
    }

    fn transaction_ended(&mut self) {
        match self {
            Self::Sqlite(lease) => lease.transaction = Transaction::None,
            Self::Postgres(lease) => lease.transaction_ended(),
        }
    }
}

/// After a failed write or fsync SQLite may still have written the page that makes a transaction valid.
fn may_have_committed(error: &sqlx::Error) -> bool {
    const SQLITE_IOERR: u32 = 10;
    match error {
        sqlx::Error::Database(answer) => {
            let code = answer.code().and_then(|code| code.parse::<u32>().ok());
            // The lowest byte is the kind, the others the circumstances.
            code.is_none_or(|code| code & 0xff == SQLITE_IOERR)
        }
        _ => Fault::of(error) == Fault::Silent,
    }
}

fn sqlite_arguments(args: Vec<Arg>) -> Result<SqliteArguments, sqlx::Error> {
    let mut arguments = SqliteArguments::default();
    for arg in args {
        match arg {
            Arg::One(Value::Int(value)) => arguments.add(value),
            Arg::One(Value::Text(value)) => arguments.add(value),
            Arg::One(Value::Bytes(value)) => arguments.add(value),
            Arg::Ints(_) | Arg::Texts(_) | Arg::Blobs(_) | Arg::Mixed => {
                Err("SQLite has no array arguments".into())
            }
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn postgres_arguments(args: Vec<Arg>) -> Result<PgArguments, sqlx::Error> {
    let mut arguments = PgArguments::default();
    for arg in args {
        match arg {
            Arg::One(Value::Int(value)) => arguments.add(value),
            Arg::One(Value::Text(value)) => arguments.add(value),
            Arg::One(Value::Bytes(value)) => arguments.add(value),
            Arg::Ints(values) => arguments.add(values),
            Arg::Texts(values) => arguments.add(values),
            Arg::Blobs(values) => arguments.add(values),
            Arg::Mixed => Err("a value is not of its column's type".into()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}
