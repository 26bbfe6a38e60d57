//! What only a server has: a clock and locks of its own, and several nodes.

use std::time::Duration;

use sqlx::Connection as _;
use tokio::time::{Instant, timeout};

use super::blobs::id;
use crate::model::{KeyScope, KeyState, ObjectRow};
use crate::mutation::{KeyEdit, Mutation, UpdateAccessKey};
use crate::query::{ListGarbage, ListedObject};
use crate::sql::{Excerpt as _, Fault, Record as _, Statement, Unfinished};
use crate::testing::{by_the_servers_clock, options, put, put_blob, second_session, server_time};
use crate::{Catalog, CatalogError, CatalogOptions, DatabaseUrl};
use bucketry_domain::Timestamp;

#[tokio::test]
async fn garbage_is_dated_by_the_servers_clock() {
    let fixture = by_the_servers_clock().await;
    let bucket = fixture.bucket("skewed").await.id;
    let batch = fixture.batch().await;
    let before = server_time(&fixture).await;
    // The clock of the node that asks is years behind.
    for name in ["k", "k", "other"] {
        let index = if name == "k" { 1 } else { 2 };
        let change = put_blob(bucket, name, batch, index);
        let change = Mutation::by_system(Timestamp::EPOCH, change);
        fixture.catalog.make(change).await.unwrap();
    }
    let small = Mutation::by_system(Timestamp::EPOCH, put(bucket, "other", b"small"));
    fixture.catalog.make(small).await.unwrap();
    let retired = fixture
        .catalog
        .retire_blob_batch(batch, vec![3], Timestamp::EPOCH);
    retired.await.unwrap();
    let reclaimed = fixture.catalog.reclaim_blob(id(batch, 4), Timestamp::EPOCH);
    reclaimed.await.unwrap();
    let query = ListGarbage {
        unreferenced_before: Timestamp::MAX,
        now: Timestamp::MAX,
        max: 9,
    };
    let garbage = fixture.catalog.list_garbage(&query).await.unwrap();
    let mut blobs: Vec<_> = garbage.iter().map(|mark| mark.blob).collect();
    blobs.sort_unstable();
    assert_eq!(blobs, [id(batch, 2), id(batch, 3), id(batch, 4)]);
    let after = server_time(&fixture).await;
    for mark in garbage {
        assert!(before <= mark.unreferenced_at && mark.unreferenced_at <= after);
    }
    fixture.finish().await;
}

#[tokio::test]
async fn a_revocation_that_gets_no_lock_says_so_and_changes_nothing() {
    let fixture = by_the_servers_clock().await;
    let key = fixture.key(KeyScope::Everything).await;
    // A session that is not ended, as that of a node that never finishes its commit.
    let mut session = second_session(&fixture).await;
    sqlx::query("SELECT pg_advisory_lock_shared($1)")
        .bind(key.pk.0 * 4 + 2)
        .execute(&mut session)
        .await
        .unwrap();
    let revoke = || UpdateAccessKey {
        pk: key.pk,
        if_version: None,
        unless_last_of: None,
        edit: KeyEdit {
            state: Some(KeyState::Revoked),
            ..KeyEdit::default()
        },
        by: "root".into(),
    };
    let begun = Instant::now();
    let refused = fixture.catalog.make(revoke()).await.unwrap_err();
    assert!(
        matches!(&refused, CatalogError::Database(error) if Fault::of(error) == Fault::Unavailable),
        "{refused:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(6));
    let found = fixture
        .catalog
        .access_key(&key.access_key_id)
        .await
        .unwrap();
    assert_eq!(found.as_ref(), Some(&key));
    session.close().await.unwrap();
    fixture.catalog.make(revoke()).await.unwrap();
    fixture.finish().await;
}

#[tokio::test]
async fn a_transaction_that_stood_idle_is_over() {
    let fixture = by_the_servers_clock().await;
    let mut connection = fixture.catalog.engine().pools.writer().await.unwrap();
    connection.begin().await.unwrap();
    // Until the server ends the session.
    let mut session = second_session(&fixture).await;
    let look = "SELECT NOT EXISTS (SELECT 1 FROM pg_stat_activity
                WHERE state = 'idle in transaction' AND query = 'BEGIN' AND datname = current_database())";
    let begun = Instant::now();
    while !sqlx::query_scalar::<_, bool>(look)
        .fetch_one(&mut session)
        .await
        .unwrap()
    {
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    let ended = connection.finish(Vec::new()).await.unwrap_err();
    let Unfinished::Before(error) = ended else {
        panic!("nothing of it can remain: {ended:?}")
    };
    assert_eq!(Fault::of(&error), Fault::Conflict, "{error}");
    connection.throw_away().await;
    session.close().await.unwrap();
    fixture.finish().await;
}

#[tokio::test]
async fn connections_that_died_are_no_reason_to_fail() {
    let fixture = by_the_servers_clock().await;
    let bucket = fixture.bucket("survivor").await.id;
    let mut session = second_session(&fixture).await;
    for _ in 0..3 {
        sqlx::query(
            "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a
             WHERE a.pid <> pg_backend_pid() AND a.datname = current_database()",
        )
        .execute(&mut session)
        .await
        .unwrap();
        fixture.catalog.make(put(bucket, "k", b"x")).await.unwrap();
        assert!(fixture.get(bucket, "k").await.is_some());
        fixture.catalog.ping().await.unwrap();
    }
    session.close().await.unwrap();
    fixture.finish().await;
}

#[tokio::test]
async fn no_session_commits_asynchronously() {
    let fixture = by_the_servers_clock().await;
    let mut session = second_session(&fixture).await;
    let database: String = sqlx::query_scalar("SELECT current_database()")
        .fetch_one(&mut session)
        .await
        .unwrap();
    for (default, used) in [("off", "on"), ("local", "local")] {
        let set = format!("ALTER DATABASE {database} SET synchronous_commit = {default}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(set))
            .execute(&mut session)
            .await
            .unwrap();
        let catalog = Catalog::open(fixture.url(), &options()).await.unwrap();
        let show = Statement::new("SELECT current_setting('synchronous_commit')");
        let found = catalog.engine().find(show, |row| Ok(row.text(0)?)).await;
        assert_eq!(found.unwrap().as_deref(), Some(used), "{default}");
        catalog.close().await;
    }
    session.close().await.unwrap();
    fixture.finish().await;
}

/// An engine that accepts advisory locks and does nothing.
#[tokio::test]
async fn a_database_without_locks_is_refused() {
    let fixture = by_the_servers_clock().await;
    let mut session = second_session(&fixture).await;
    let functions = "CREATE SCHEMA liar;
        CREATE FUNCTION liar.pg_try_advisory_xact_lock(bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true';";
    sqlx::raw_sql(functions)
        .execute(&mut session)
        .await
        .unwrap();
    let DatabaseUrl::Postgres(url) = fixture.url() else {
        panic!("a server")
    };
    let separator = if url.contains('?') { '&' } else { '?' };
    let path = "options=-c%20search_path%3Dliar,pg_catalog,public";
    let lying = DatabaseUrl::Postgres(format!("{}{separator}{path}", url.as_str()).into());
    let refused = Catalog::open(&lying, &options()).await.err();
    assert!(
        matches!(refused, Some(CatalogError::LocksWithoutEffect)),
        "{refused:?}"
    );
    session.close().await.unwrap();
    fixture.finish().await;
}

#[tokio::test]
async fn a_listing_reads_its_index_and_no_table() {
    let fixture = by_the_servers_clock().await;
    let bucket = fixture.bucket("listed").await.id;
    let puts = (0..300).map(|number| put(bucket, &format!("k-{number}"), b"x"));
    let puts = puts.map(|put| Mutation::from(put).untyped());
    fixture.catalog.commit(puts.collect()).await.unwrap();
    let mut session = second_session(&fixture).await;
    for statement in ["VACUUM ANALYZE objects", "SET enable_seqscan = off"] {
        sqlx::query(statement).execute(&mut session).await.unwrap();
    }
    let columns = ListedObject::select_list("o");
    let explain = format!(
        "EXPLAIN SELECT {columns} FROM objects o WHERE o.bucket_id = {} AND o.key >= ''
         ORDER BY o.key LIMIT 1001",
        bucket.0
    );
    let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(explain))
        .fetch_all(&mut session)
        .await
        .unwrap();
    let plan = plan.join("\n");
    assert!(
        plan.contains("Index Only Scan using objects_pkey"),
        "{plan}"
    );
    session.close().await.unwrap();
    fixture.finish().await;
}

/// A plan that was made while the catalog was empty is used until the tables are analyzed.
#[tokio::test]
async fn a_commit_to_an_empty_catalog_reads_by_index() {
    let fixture = by_the_servers_clock().await;
    let bucket = fixture.bucket("empty").await.id;
    let mut connection = fixture.catalog.engine().pools.writer().await.unwrap();
    let place = vec![bucket.0.into(), b"k".as_slice().into()];
    for statement in (connection.dialect()).select_by_key(&ObjectRow::TABLE, vec![place]) {
        let plan = connection.fetch(statement.explained("EXPLAIN"), |row| Ok(row.text(0)?));
        let plan = plan.await.unwrap().join("\n");
        assert!(plan.contains("Index Scan using objects_pkey"), "{plan}");
    }
    drop(connection);
    fixture.finish().await;
}

/// Without a test of the connection in between, which would be a round trip for every statement.
#[tokio::test]
async fn a_connection_that_is_given_back_is_used_next() {
    let fixture = by_the_servers_clock().await;
    let pools = &fixture.catalog.engine().pools;
    let process = async |sql: &'static str| {
        let mut connection = pools.writer().await.unwrap();
        let found = connection.fetch(Statement::new(sql), |row| Ok(row.int(0)?));
        found.await.map(|processes| processes[0])
    };
    let own = "SELECT CAST(pg_backend_pid() AS bigint)";
    let first = process(own).await.unwrap();
    assert_eq!(process(own).await.unwrap(), first);
    process("SELECT 1 / 0").await.unwrap_err();
    // The one whose statement failed is being tested.
    assert_ne!(process(own).await.unwrap(), first);
    fixture.finish().await;
}

/// A statement that is given up keeps its connection until it is answered. Nobody waits for that one while another is free.
#[tokio::test]
async fn who_waits_gets_the_connection_that_is_free_first() {
    let fixture = by_the_servers_clock().await;
    let few = CatalogOptions {
        connections: 2,
        acquire_timeout: Duration::from_secs(1),
        ..options()
    };
    let node = Catalog::open(fixture.url(), &few).await.unwrap();
    let pools = &node.engine().pools;
    let mut slow = pools.writer().await.unwrap();
    let sleep = slow.fetch(Statement::new("SELECT pg_sleep(3)"), |_| Ok(()));
    timeout(Duration::from_millis(50), sleep).await.unwrap_err();
    drop(slow);
    let held = pools.writer().await.unwrap();
    let (next, ()) = tokio::join!(pools.writer(), async { drop(held) });
    drop(next.unwrap());
    node.close().await;
    fixture.finish().await;
}
