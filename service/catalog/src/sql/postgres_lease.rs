use std::sync::Arc;

use bucketry_edge::fair::Permit;
use sqlx::PgConnection;
use tokio::time::timeout;

use super::link::Linked;
use super::postgres::Postgres;

/// A connection of a Postgres pool, whose every statement ends in time: with an answer, or because the server does not
/// answer.
pub(crate) struct PostgresLease {
    /// `None` once it has been given up.
    linked: Option<Linked>,
    /// Declared after the connection, so that it is given back after it.
    _permit: Option<Permit>,
    postgres: Arc<Postgres>,
    in_transaction: bool,
    /// A statement has begun and was not answered.
    is_running: bool,
}

/// Within a transaction the connection is closed: see [`Connection`](super::Connection). One whose statement failed, or was
/// cancelled, is tested by the pool.
impl Drop for PostgresLease {
    fn drop(&mut self) {
        if self.in_transaction {
            return self.give_up();
        }
        match self.linked.take() {
            Some(linked) if self.is_running => linked.give_back(),
            Some(linked) => linked.keep(),
            None => {}
        }
    }
}

impl PostgresLease {
    pub(super) fn new(linked: Linked, permit: Option<Permit>, postgres: Arc<Postgres>) -> Self {
        Self {
            linked: Some(linked),
            _permit: permit,
            postgres,
            in_transaction: false,
            is_running: false,
        }
    }

    pub(super) fn transaction_begins(&mut self) {
        self.in_transaction = true;
    }

    pub(super) fn transaction_ended(&mut self) {
        self.in_transaction = false;
    }

    /// Runs a statement. One that is not answered in time may or may not have been run; its connection is given up, since an
    /// answer may still come.
    pub(super) async fn run<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let linked = self.linked.as_mut().ok_or_else(silence)?;
        self.is_running = true;
        let lost = linked.lost().clone();
        let answer = lost.run_until_cancelled(work(&mut linked.connection));
        match timeout(self.postgres.answer_timeout(), answer).await {
            Ok(Some(answer)) => {
                self.is_running = answer.is_err();
                if matches!(answer, Ok(_) | Err(sqlx::Error::Database(_))) {
                    self.postgres.note_answer();
                }
                answer
            }
            Ok(None) | Err(_) => {
                self.give_up();
                Err(silence())
            }
        }
    }

    /// Closes the connection's socket abruptly instead of returning the connection to the pool.
    pub(super) fn give_up(&mut self) {
        let linked = self.linked.take();
        drop(linked.map(|linked| linked.connection.detach()));
    }
}

fn silence() -> sqlx::Error {
    let error = std::io::Error::new(std::io::ErrorKind::TimedOut, "the database does not answer");
    sqlx::Error::Io(error)
}
