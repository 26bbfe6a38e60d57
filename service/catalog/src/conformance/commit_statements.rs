//! How many statements a commit on a server takes, and how the server plans them.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use tokio::time::Instant;

use crate::model::ObjectRow;
use crate::mutation::{Guard, Mutation};
use crate::sql::{Record as _, Statement, Value};
use crate::testing::{by_the_servers_clock, put, put_blob, second_session};
use bucketry_domain::BucketId;

/// Waits until another session runs a statement like this.
async fn runs(session: &mut PgConnection, pattern: &str) {
    let look = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity
                WHERE datname = current_database() AND state = 'active' AND wait_event_type = 'Lock' AND query LIKE $1)";
    let begun = Instant::now();
    while !sqlx::query_scalar::<_, bool>(look)
        .bind(pattern)
        .fetch_one(&mut *session)
        .await
        .unwrap()
    {
        assert!(begun.elapsed() < Duration::from_secs(2), "{pattern}");
    }
}

async fn execute(session: &mut PgConnection, sql: &'static str, number: i64) {
    let query = sqlx::query(sql).bind(number);
    query.execute(session).await.unwrap();
}

#[tokio::test]
async fn a_commit_takes_its_locks_with_one_message_and_its_rows_with_another() {
    let fixture = by_the_servers_clock().await;
    let bucket = fixture.bucket("messages").await.id;
    let token = fixture.token(bucket).await;
    let batch = fixture.batch().await;
    let caller = Guard::Key {
        pk: token.pk,
        epoch: 1,
        account: token.scope.account(),
    };
    let change = put_blob(bucket, "k", batch, 1);
    let change = Mutation {
        caller,
        ..Mutation::from(change)
    };
    let mut session = second_session(&fixture).await;
    execute(
        &mut session,
        "SELECT pg_advisory_lock($1)",
        token.pk.0 * 4 + 2,
    )
    .await;
    let mut rows = second_session(&fixture).await;
    let mut locking = rows.begin().await.unwrap();
    let reservation = "SELECT id FROM blob_batches WHERE id = $1 FOR UPDATE";
    execute(&mut locking, reservation, batch.0).await;
    let commit = fixture.catalog.submit(change);
    let watch = async {
        runs(&mut session, "BEGIN; SELECT nextval%pg_advisory_xact_lock%").await;
        execute(
            &mut session,
            "SELECT pg_advisory_unlock($1)",
            token.pk.0 * 4 + 2,
        )
        .await;
        // It waits for the reservation, which it reads last.
        runs(&mut session, "WITH s0 AS (SELECT o.pk,%").await;
        locking.commit().await.unwrap();
    };
    let (stored, ()) = tokio::join!(commit, watch);
    let found = fixture.get(bucket, "k").await;
    assert_eq!(
        found.map(|object| object.row.clone()),
        Some(stored.unwrap().row)
    );
    rows.close().await.unwrap();
    session.close().await.unwrap();
    fixture.finish().await;
}

/// A revocation that a commit waited for is seen by it: what the locks guard is read later than they are taken.
#[tokio::test]
async fn a_commit_reads_what_its_locks_guard_after_its_wait() {
    let fixture = by_the_servers_clock().await;
    let bucket = fixture.bucket("waiting").await.id;
    let token = fixture.token(bucket).await;
    let caller = Guard::Key {
        pk: token.pk,
        epoch: 1,
        account: token.scope.account(),
    };
    let change = Mutation {
        caller,
        ..Mutation::from(put(bucket, "k", b"x"))
    };
    let mut session = second_session(&fixture).await;
    let mut revocation = session.begin().await.unwrap();
    execute(
        &mut revocation,
        "SELECT pg_advisory_xact_lock($1)",
        token.pk.0 * 4 + 2,
    )
    .await;
    let revoke = "UPDATE access_keys SET epoch = epoch + 1 WHERE pk = $1";
    execute(&mut revocation, revoke, token.pk.0).await;
    let commit = fixture.catalog.submit(change);
    let mut other = second_session(&fixture).await;
    let watch = async {
        runs(&mut other, "BEGIN; SELECT nextval%").await;
        revocation.commit().await.unwrap();
    };
    let (refused, ()) = tokio::join!(commit, watch);
    refused.unwrap_err();
    assert!(fixture.get(bucket, "k").await.is_none());
    other.close().await.unwrap();
    session.close().await.unwrap();
    fixture.finish().await;
}

fn one_key(bucket: BucketId) -> Vec<Vec<Value>> {
    vec![vec![bucket.0.into(), b"k".as_slice().into()]]
}

/// A plan that was made while the tables were small is used until they are analyzed again.
#[tokio::test]
async fn a_commit_to_a_small_catalog_reads_by_index() {
    let fixture = by_the_servers_clock().await;
    let bucket = fixture.bucket("small").await.id;
    fixture.put(bucket, "k").await;
    let mut session = second_session(&fixture).await;
    sqlx::query("VACUUM ANALYZE objects")
        .execute(&mut session)
        .await
        .unwrap();
    let mut connection = fixture.catalog.engine().pools.writer().await.unwrap();
    for statement in (connection.dialect()).select_by_key(&ObjectRow::TABLE, one_key(bucket)) {
        let plan = connection.fetch(statement.explained("EXPLAIN"), |row| Ok(row.text(0)?));
        let plan = plan.await.unwrap().join("\n");
        let condition = "Index Cond: ((bucket_id = k.column1) AND (key = k.column2))";
        assert!(plan.contains(condition), "{plan}");
    }
    drop(connection);
    session.close().await.unwrap();
    fixture.finish().await;
}

#[tokio::test]
async fn the_rows_of_a_commit_are_not_planned_anew_for_each() {
    let fixture = by_the_servers_clock().await;
    let bucket = fixture.bucket("planned").await.id;
    let mut connection = fixture.catalog.engine().pools.writer().await.unwrap();
    // The server compares plans from the sixth execution on.
    for _ in 0..10 {
        for statement in (connection.dialect()).select_by_key(&ObjectRow::TABLE, one_key(bucket)) {
            connection.fetch(statement, |_| Ok(())).await.unwrap();
        }
    }
    let plans = "SELECT generic_plans FROM pg_prepared_statements WHERE statement LIKE 'SELECT o.bucket_id%'";
    let plans = connection.fetch(Statement::new(plans), |row| Ok(row.int(0)?));
    assert_eq!(plans.await.unwrap(), [5]);
    drop(connection);
    fixture.finish().await;
}
