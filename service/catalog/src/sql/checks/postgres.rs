use std::time::Duration;

use sqlx::PgConnection;
use sqlx::postgres::PgConnectOptions;
use tokio::time::timeout;

use super::super::durability::{DurabilitySettings, durability_settings};
use super::super::locks::prove_locks;
use super::super::migrations::NEWEST;
use super::super::postgres::{is_standby, parse};
use super::super::start::connect_in_time;
use super::{CheckFailure, Checks, schema};
use crate::CatalogError;
use crate::engine::DATABASE_TIME;
use crate::upkeep::{TOLERATED_CLOCK_OFFSET, clock_offset_micros};
use bucketry_domain::Timestamp;

/// The time limit of a check.
const LIMIT: Duration = Duration::from_secs(10);

pub(super) async fn check(url: &str, clock: impl Fn() -> Timestamp, checks: &mut Checks) {
    let (connect, mut connection) = match within(connect(url)).await {
        Ok((connect, connection)) => (connect, connection),
        Err(failure) => return checks.add("connection", Err(failure)),
    };
    checks.add("connection", within(version(&mut connection)).await);
    checks.add("primary", within(primary(&mut connection)).await);
    let settings = within(async { Ok(durability_settings(&mut connection).await?) }).await;
    match settings {
        Ok(settings) => {
            checks.add("fsync", fsync(&settings));
            checks.add("synchronous_commit", Ok(synchronous_commit(settings)));
        }
        Err(failure) => checks.add("fsync", Err(failure)),
    }
    checks.add("locks", within(locks(&connect, &mut connection)).await);
    checks.add("schema", within(newest(&mut connection)).await);
    checks.add("clock", within(clocks(clock, &mut connection)).await);
}

async fn within<T>(
    check: impl Future<Output = Result<T, CheckFailure>>,
) -> Result<T, CheckFailure> {
    timeout(LIMIT, check)
        .await
        .unwrap_or(Err(CheckFailure::NoAnswer))
}

async fn connect(url: &str) -> Result<(PgConnectOptions, PgConnection), CheckFailure> {
    let connect = parse(url)?;
    let connection = connect_in_time(&connect, Duration::ZERO).await?;
    Ok((connect, connection))
}

async fn version(connection: &mut PgConnection) -> Result<String, CheckFailure> {
    let version: String = sqlx::query_scalar("SELECT current_setting('server_version')")
        .fetch_one(connection)
        .await?;
    Ok(format!("PostgreSQL {version}"))
}

async fn primary(connection: &mut PgConnection) -> Result<String, CheckFailure> {
    match is_standby(connection).await? {
        true => Err(CatalogError::Standby.into()),
        false => Ok("the server accepts writes".to_owned()),
    }
}

fn fsync(settings: &DurabilitySettings) -> Result<String, CheckFailure> {
    match settings.fsync.as_str() {
        "off" => Err(CatalogError::UnsafeDatabase.into()),
        on => Ok(on.to_owned()),
    }
}

fn synchronous_commit(settings: DurabilitySettings) -> String {
    match settings.synchronous_commit.as_str() {
        "off" => "off; each session of bucketry sets it to on".to_owned(),
        _ => settings.synchronous_commit,
    }
}

async fn locks(
    connect: &PgConnectOptions,
    connection: &mut PgConnection,
) -> Result<String, CheckFailure> {
    let mut other = connect_in_time(connect, Duration::ZERO).await?;
    prove_locks(connection, &mut other).await?;
    Ok("advisory locks of two connections exclude each other".to_owned())
}

async fn newest(connection: &mut PgConnection) -> Result<String, CheckFailure> {
    let table = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
    let exists: bool = sqlx::query_scalar(table)
        .fetch_one(&mut *connection)
        .await?;
    let newest = match exists {
        true => sqlx::query_scalar(NEWEST).fetch_one(connection).await?,
        false => None,
    };
    schema(newest)
}

async fn clocks(
    clock: impl Fn() -> Timestamp,
    connection: &mut PgConnection,
) -> Result<String, CheckFailure> {
    let asked = clock();
    let micros: i64 = sqlx::query_scalar(DATABASE_TIME)
        .fetch_one(connection)
        .await?;
    let offset = clock_offset_micros(asked, clock(), Timestamp::from_micros(micros));
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds of an offset need no more than a double has"
    )]
    let seconds = offset as f64 / 1e6;
    if u128::from(offset.unsigned_abs()) > TOLERATED_CLOCK_OFFSET.as_micros() {
        return Err(CheckFailure::Clock { seconds });
    }
    Ok(format!("{seconds:+.1} s from the database's"))
}
