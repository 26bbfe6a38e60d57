use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{Connection as _, PgConnection, Postgres, Row as _};

use crate::CatalogError;

/// Proves with two sessions that advisory locks exclude each other: those of transactions, which order commits, and those
/// of sessions, which order migrations. Some engines that speak PostgreSQL's protocol accept them and do nothing, and a
/// pooler in transaction mode may give both sessions the same connection.
pub(super) async fn prove_locks(
    holder: &mut PgConnection,
    other: &mut PgConnection,
) -> Result<(), CatalogError> {
    // Random: other nodes may start at the same time.
    let number = uuid::Uuid::new_v4().as_u64_pair().0.cast_signed();
    query("SELECT pg_advisory_lock($1)", number)
        .execute(&mut *holder)
        .await?;
    let beside_session = is_free(other, number).await?;
    query("SELECT pg_advisory_unlock($1)", number)
        .execute(&mut *holder)
        .await?;

    let mut transaction = holder.begin().await?;
    query("SELECT pg_advisory_xact_lock($1)", number)
        .execute(&mut *transaction)
        .await?;
    let beside_transaction = is_free(other, number).await?;
    transaction.rollback().await?;
    let afterwards = is_free(other, number).await?;

    match (beside_session, beside_transaction, afterwards) {
        (false, false, true) => Ok(()),
        _ => Err(CatalogError::LocksWithoutEffect),
    }
}

/// Whether this session gets the lock, alone or shared.
async fn is_free(connection: &mut PgConnection, number: i64) -> Result<bool, sqlx::Error> {
    let alone = query("SELECT pg_try_advisory_xact_lock($1)", number);
    let alone: bool = alone.fetch_one(&mut *connection).await?.try_get(0)?;
    let shared = query("SELECT pg_try_advisory_xact_lock_shared($1)", number);
    let shared: bool = shared.fetch_one(connection).await?.try_get(0)?;
    Ok(alone || shared)
}

fn query(sql: &'static str, number: i64) -> Query<'static, Postgres, PgArguments> {
    sqlx::query(sql).bind(number)
}
