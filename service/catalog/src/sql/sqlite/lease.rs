use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::open::open_writer;
use super::statements;
use crate::CatalogError;
use crate::sql::error::may_have_committed;
use crate::sql::{DatabaseError, Row, Statement, Unfinished};

const BEGIN: Statement = Statement::new("BEGIN IMMEDIATE");
const COMMIT: Statement = Statement::new("COMMIT");
const ROLLBACK: Statement = Statement::new("ROLLBACK");

/// The connection that writes. SQLite has one writer, and waiting here is fairer than in its busy handler.
pub(super) struct Writing {
    file: PathBuf,
    /// `None` after it was thrown away: the next user opens another.
    connection: Option<Connection>,
    closed: bool,
}

impl Writing {
    pub(super) fn new(file: &Path, connection: Connection) -> Self {
        Self {
            file: file.to_owned(),
            connection: Some(connection),
            closed: false,
        }
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
        self.connection = None;
    }
}

/// The turn of one user at the writing connection. A transaction that was not committed is rolled back at its end, as when
/// a task is aborted: the next user must not commit half of what another began.
struct Turn(OwnedMutexGuard<Writing>);

impl Turn {
    fn connection(&mut self) -> Result<&Connection, DatabaseError> {
        let writing = &mut *self.0;
        if writing.closed {
            return Err(DatabaseError::Closed);
        }
        Ok(match writing.connection {
            Some(ref connection) => connection,
            None => writing.connection.insert(open_writer(&writing.file)?),
        })
    }

    fn finish(&mut self, plan: &[Statement]) -> Result<(), Unfinished> {
        let connection = self.connection().map_err(Unfinished::Before)?;
        for statement in plan {
            statements::execute(connection, statement).map_err(Unfinished::Before)?;
        }
        match statements::execute(connection, &COMMIT) {
            Ok(_) => Ok(()),
            Err(DatabaseError::Sqlite(error)) if may_have_committed(&error) => {
                Err(Unfinished::During(error.into()))
            }
            Err(error) => Err(Unfinished::Before(error)),
        }
    }

    /// Ends an open transaction without effect. If even that fails the connection is thrown away, and the transaction with
    /// it.
    fn roll_back(&mut self) {
        let Some(connection) = &self.0.connection else {
            return;
        };
        if !connection.is_autocommit() && statements::execute(connection, &ROLLBACK).is_err() {
            self.throw_away();
        }
    }

    fn throw_away(&mut self) {
        self.0.connection = None;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.roll_back();
    }
}

/// The writing connection in the hands of one user. On a thread of a runtime each statement runs on a thread that may block;
/// the thread that writes has no runtime, and runs its statements itself.
pub(crate) struct SqliteLease {
    /// `None` while a statement runs elsewhere, and after one whose thread ended badly.
    turn: Option<Turn>,
}

impl SqliteLease {
    pub(super) async fn take(writing: &Arc<Mutex<Writing>>) -> Self {
        let turn = Arc::clone(writing).lock_owned().await;
        Self {
            turn: Some(Turn(turn)),
        }
    }

    pub(crate) async fn fetch<T: Send + 'static>(
        &mut self,
        statement: Statement,
        read: impl FnMut(&Row<'_>) -> Result<T, CatalogError> + Send + 'static,
    ) -> Result<Vec<T>, CatalogError> {
        self.run(move |turn| statements::fetch(turn.connection()?, &statement, read))
            .await?
    }

    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<u64, DatabaseError> {
        self.run(move |turn| statements::execute(turn.connection()?, &statement))
            .await?
    }

    /// Takes the write lock at once: a later upgrade could only fail.
    pub(crate) async fn begin(&mut self) -> Result<(), DatabaseError> {
        self.execute(BEGIN).await.map(drop)
    }

    pub(crate) async fn finish(&mut self, plan: Vec<Statement>) -> Result<(), Unfinished> {
        self.run(move |turn| turn.finish(&plan))
            .await
            .map_err(Unfinished::Before)?
    }

    pub(crate) async fn roll_back(mut self) {
        // If there is no turn any more, it has ended, and its transaction with it.
        let _ended = self.run(Turn::roll_back).await;
    }

    pub(crate) async fn throw_away(mut self) {
        let _ended = self.run(Turn::throw_away).await;
    }

    /// The turn moves to the thread that works: if the caller is aborted meanwhile, the work is completed, and the turn ends
    /// there.
    async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Turn) -> T + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let mut turn = self.turn.take().ok_or(DatabaseError::Closed)?;
        let Ok(runtime) = Handle::try_current() else {
            let answer = work(&mut turn);
            self.turn = Some(turn);
            return Ok(answer);
        };
        let worked = runtime.spawn_blocking(move || {
            let answer = work(&mut turn);
            (turn, answer)
        });
        let (turn, answer) = worked.await.map_err(|_| DatabaseError::Closed)?;
        self.turn = Some(turn);
        Ok(answer)
    }
}
