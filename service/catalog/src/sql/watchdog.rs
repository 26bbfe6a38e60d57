use std::sync::{Arc, Weak};
use std::time::Duration;

use metrics::gauge;
use sqlx::{ConnectOptions as _, PgConnection};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::error::Fault;
use super::postgres::{Postgres, is_standby};
use crate::DATABASE_UP;

/// The interval of probes while the server answers.
const INTERVAL: Duration = Duration::from_millis(500);
/// The interval of attempts to connect while it does not.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);
/// The time limit of a probe.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// A probe that is this late means that this process was paused, not the server.
const OWN_STANDSTILL: Duration = Duration::from_secs(3);

/// Probes a server periodically on a connection of its own.
pub(super) struct Watchdog {
    postgres: Weak<Postgres>,
    closed: CancellationToken,
    connection: Option<PgConnection>,
    /// Since when the server has not answered.
    down_since: Option<Instant>,
}

/// The result of a probe.
#[derive(Debug)]
enum Answer {
    /// The server accepts writes.
    Primary,
    /// The server is a standby and accepts no writes.
    Standby,
    /// The connection ended, or none could be made.
    Failed(sqlx::Error),
    /// There was no answer in time.
    Nothing,
}

impl Watchdog {
    pub(super) fn new(postgres: &Arc<Postgres>) -> Self {
        Self {
            postgres: Arc::downgrade(postgres),
            closed: postgres.closed.clone(),
            connection: None,
            down_since: None,
        }
    }

    /// Runs until the server is closed or dropped.
    pub(super) async fn run(mut self) {
        let closed = self.closed.clone();
        closed.run_until_cancelled(self.watch()).await;
    }

    async fn watch(&mut self) {
        gauge!(DATABASE_UP).set(1.0);
        while let Some(postgres) = self.postgres.upgrade() {
            self.look(&postgres).await;
            postgres.look_through();
            drop(postgres);
            let interval = match self.down_since {
                None => INTERVAL,
                Some(_) => RETRY_INTERVAL,
            };
            sleep(interval).await;
        }
    }

    async fn look(&mut self, postgres: &Postgres) {
        let had_connection = self.connection.is_some();
        let answers = postgres.answers();
        let began = Instant::now();
        let mut answer = self.ask(postgres).await;
        if had_connection && matches!(answer, Answer::Failed(_)) {
            // It was cut off; so may have been those of the pool.
            answer = self.ask(postgres).await;
            if matches!(answer, Answer::Primary) && self.down_since.is_none() {
                postgres.replace_pool();
            }
        }
        let others_are_answered = postgres.answers() != answers;
        match answer {
            Answer::Primary => self.up(postgres),
            Answer::Standby => self.down(postgres, "it is a standby"),
            Answer::Nothing if others_are_answered || began.elapsed() > OWN_STANDSTILL => {}
            Answer::Nothing => self.down(postgres, "no answer in time"),
            Answer::Failed(error) if Fault::of_postgres(&error) == Fault::Silent => {
                self.down(postgres, &error.to_string());
            }
            Answer::Failed(error) => {
                tracing::debug!(%error, "the connection that watches the database cannot be made");
            }
        }
    }

    async fn ask(&mut self, postgres: &Postgres) -> Answer {
        let connection = self.connection.take();
        let ask = async {
            let mut connection = match connection {
                Some(connection) => connection,
                None => postgres.connect.connect().await?,
            };
            let standby = is_standby(&mut connection).await?;
            Ok((connection, standby))
        };
        match timeout(ANSWER_TIMEOUT, ask).await {
            Ok(Ok((connection, standby))) => {
                self.connection = Some(connection);
                if standby {
                    Answer::Standby
                } else {
                    Answer::Primary
                }
            }
            Ok(Err(error)) => Answer::Failed(error),
            Err(_) => Answer::Nothing,
        }
    }

    fn up(&mut self, postgres: &Postgres) {
        if let Some(since) = self.down_since.take() {
            postgres.replace_pool();
            gauge!(DATABASE_UP).set(1.0);
            tracing::info!(
                seconds = since.elapsed().as_secs(),
                "the database answers again"
            );
        }
    }

    fn down(&mut self, postgres: &Postgres, cause: &str) {
        // A standby stays connected to be asked again; but it may be another server that takes the writes now.
        self.connection = None;
        if self.down_since.is_none() {
            self.down_since = Some(Instant::now());
            postgres.mark_down();
            gauge!(DATABASE_UP).set(0.0);
            tracing::error!(
                cause,
                "the database does not answer: requests are refused until it does"
            );
        }
    }
}
