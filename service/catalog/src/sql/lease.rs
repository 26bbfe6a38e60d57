use std::sync::Arc;

use bucketry_edge::fair::Permit;
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres as Engine};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::postgres::Postgres;

/// A connection of a Postgres pool, whose every statement ends in time: with an answer, or because the server does not
/// answer.
pub(crate) struct Lease {
    /// `None` once it has been given up.
    connection: Option<PoolConnection<Engine>>,
    /// Declared after the connection, so that it is given back after it.
    _permit: Option<Permit>,
    lost: CancellationToken,
    postgres: Arc<Postgres>,
    in_transaction: bool,
}

/// Within a transaction the connection is closed: see [`Connection`](super::Connection).
impl Drop for Lease {
    fn drop(&mut self) {
        if self.in_transaction {
            self.give_up();
        }
    }
}

impl Lease {
    pub(super) fn new(
        connection: PoolConnection<Engine>,
        permit: Option<Permit>,
        lost: CancellationToken,
        postgres: Arc<Postgres>,
    ) -> Self {
        Self {
            connection: Some(connection),
            _permit: permit,
            lost,
            postgres,
            in_transaction: false,
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
        let connection = self.connection.as_mut().ok_or_else(silence)?;
        let answer = self.lost.run_until_cancelled(work(connection));
        match timeout(self.postgres.answer_timeout(), answer).await {
            Ok(Some(answer)) => {
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
        drop(self.connection.take().map(PoolConnection::detach));
    }
}

fn silence() -> sqlx::Error {
    let error = std::io::Error::new(std::io::ErrorKind::TimedOut, "the database does not answer");
    sqlx::Error::Io(error)
}
