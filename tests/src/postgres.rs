//! Databases of their own on the PostgreSQL server that `tests/run` starts.

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

use crate::error::HarnessError;

/// Names the server: a URL of a superuser, as in `postgres://postgres@127.0.0.1:5432/postgres`.
pub const URL_VARIABLE: &str = "BUCKETRY_TEST_POSTGRES_URL";

/// Makes an empty database and gives its URL. It lives as long as the server that `tests/run` starts.
///
/// # Errors
/// There is no server: a test that needs one fails rather than being skipped.
pub async fn create_database() -> Result<String, HarnessError> {
    let url = std::env::var(URL_VARIABLE).map_err(|_| HarnessError::NoPostgres)?;
    let options: PgConnectOptions = url.parse()?;
    let name = format!("test_{}", uuid::Uuid::new_v4().simple());
    let mut connection = options.connect().await?;
    connection
        .execute(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .await?;
    connection.close().await?;
    Ok(options.database(&name).to_url_lossy().into())
}
