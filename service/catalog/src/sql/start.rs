use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection};
use tokio::time::{Instant, sleep, timeout};

use super::error::Fault;
use crate::CatalogError;

/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Between two attempts.
const INTERVAL: Duration = Duration::from_millis(250);

/// Connects to a server that may still be starting: tries until `deadline` has passed, at least once. Errors that
/// waiting cannot resolve, such as a wrong password or a missing database, fail at once.
pub(super) async fn connect_in_time(
    connect: &PgConnectOptions,
    deadline: Duration,
) -> Result<PgConnection, CatalogError> {
    let until = Instant::now() + deadline;
    let mut told = false;
    loop {
        let error = match timeout(CONNECT_TIMEOUT, connect.connect()).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => error,
            Err(_) => sqlx::Error::PoolTimedOut,
        };
        if !may_pass(&error) || Instant::now() >= until {
            return Err(error.into());
        }
        if !told {
            tracing::warn!(
                host = connect.get_host(),
                port = connect.get_port(),
                seconds = deadline.as_secs(),
                %error,
                "waiting for the database"
            );
            told = true;
        }
        sleep(INTERVAL).await;
    }
}

/// Whether a server that is starting may answer with this error.
fn may_pass(error: &sqlx::Error) -> bool {
    match Fault::of_postgres(error) {
        Fault::Silent | Fault::Unavailable => true,
        Fault::Conflict | Fault::Answered => false,
    }
}
