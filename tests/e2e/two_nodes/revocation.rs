//! A token that is ended on one node and then used on the other, or on the same one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::{Request, exchange};
use bucketry_tests::server::{ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY};
use bucketry_tests::sigv4::{Payload, Signer};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tonic::Code;

use super::doors::{DOORS, Door, ENDS, Holder};
use super::{Nodes, WORKERS, listing, report};

const TRIES: usize = 1000;

const NEXT_ROOT_SECRET: &str = "next/root+secret/access+key/of/40/chars/";

/// Ends a token on one node and uses it at once on the other, a thousand times.
async fn a_thousand_tries(nodes: Nodes) -> Result<(), HarnessError> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        let next = Arc::clone(&next);
        let mut root = Clients::root(&nodes.first).await?;
        let way = nodes.way().await?;
        workers.push(tokio::spawn(async move {
            let mut done = 0;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= TRIES {
                    return Ok::<_, HarnessError>(done);
                }
                let end = ENDS[number / DOORS % ENDS.len()];
                let holder = Holder::new(&mut root, &way).await?;
                let mut door = Door::open(number, &holder).await?;
                end.apply(&mut root, &holder.token).await?;
                let said = door.try_again(&holder).await?;
                assert_eq!(said, door.expected(end), "try {number}: {end:?}");
                done += 1;
            }
        }));
    }
    let mut tries = 0;
    for worker in workers {
        tries += worker.await.expect("a worker does not panic")?;
    }
    assert_eq!(tries, TRIES);
    let mut root = Clients::root(&nodes.first).await?;
    let left = root.objects.list_objects(listing("")).await?.into_inner();
    let keys: Vec<_> = left.objects.iter().map(|object| &object.key).collect();
    assert_eq!(keys, ["k"], "an upload was completed");
    report(&format!(
        "ended and tried at once: {tries} tries, all refused"
    ));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_revoked_key_is_refused_by_the_other_node_a_thousand_times() -> Result<(), HarnessError> {
    a_thousand_tries(Nodes::on_postgres().await?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_revoked_key_is_refused_by_the_same_node_a_thousand_times() -> Result<(), HarnessError> {
    a_thousand_tries(Nodes::on_sqlite().await?).await
}

/// Ends every connection of the nodes to their database, as a failover does.
async fn cut(database: &str) -> Result<(), HarnessError> {
    let options: PgConnectOptions = database.parse()?;
    let mut connection = options.connect().await?;
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .execute(&mut connection)
    .await?;
    Ok(connection.close().await?)
}

/// Does something again while the database is out of reach.
async fn insist<T, F>(mut work: impl FnMut() -> F) -> Result<T, HarnessError>
where
    F: Future<Output = Result<T, HarnessError>>,
{
    loop {
        match work().await {
            Err(HarnessError::Refused(status)) if status.code() == Code::Unavailable => {}
            answer => return answer,
        }
    }
}

/// Connections are cut at every point of a try: what has returned holds, and what cannot be asked is an outage.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revoked_key_is_refused_while_database_connections_are_cut() -> Result<(), HarnessError> {
    const CUT_TRIES: usize = 120;
    let nodes = Nodes::on_postgres().await?;
    let database = nodes.database.clone().unwrap_or_default();
    let root = Clients::root(&nodes.first).await?;
    let way = nodes.way().await?;
    let mut outages = 0;
    for number in 0..CUT_TRIES {
        let end = ENDS[number % ENDS.len()];
        let holder = insist(|| {
            let (mut root, way) = (root.clone(), way.clone());
            async move { Holder::new(&mut root, &way).await }
        })
        .await?;
        let request = holder.presigned("GET", "/k")?;
        while exchange(holder.address, request.clone())?.status == 503 {}
        assert_eq!(exchange(holder.address, request.clone())?.status, 200);
        if number % 3 == 0 {
            cut(&database).await?;
        }
        let ended = insist(|| {
            let (mut root, token) = (root.clone(), holder.token.clone());
            async move { end.apply(&mut root, &token).await }
        });
        if number % 3 == 1 {
            let (ended, cut) = tokio::join!(ended, cut(&database));
            ended?;
            cut?;
        } else {
            ended.await?;
        }
        if number % 3 == 2 {
            cut(&database).await?;
        }
        let mut answer = exchange(holder.address, request.clone())?;
        while answer.status == 503 {
            outages += 1;
            answer = exchange(holder.address, request.clone())?;
        }
        assert_eq!(answer.status, 403, "try {number}: {}", answer.text());
    }
    report(&format!(
        "ended while connections were cut: {CUT_TRIES} tries, all refused, {outages} answers of 503 before"
    ));
    Ok(())
}

/// The operator's key of the environment is the one key whose secret can be replaced: by a start with another one. What
/// the other node remembers of the former secret is of no use from then on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_root_secret_holds_on_the_other_node() -> Result<(), HarnessError> {
    let mut nodes = Nodes::on_postgres().await?;
    let list = |address: SocketAddr, secret: &str| -> Result<u16, HarnessError> {
        let request = Request::new("GET", "/").header("host", &address.to_string());
        let signer = Signer::new(ROOT_ACCESS_KEY_ID, secret);
        let signed = signer.header(request, SystemTime::now(), Payload::Signed)?;
        Ok(exchange(address, signed)?.status)
    };
    let other = nodes.user().address();
    assert_eq!(list(other, ROOT_SECRET_ACCESS_KEY)?, 200);
    let replaced = nodes
        .options
        .clone()
        .environment("BUCKETRY_ROOT_SECRET_ACCESS_KEY", NEXT_ROOT_SECRET);
    nodes.first.restart_with(replaced)?;
    for address in [nodes.first.address(), other] {
        assert_eq!(list(address, NEXT_ROOT_SECRET)?, 200);
        assert_eq!(list(address, ROOT_SECRET_ACCESS_KEY)?, 403);
    }
    Ok(())
}

/// A key id that was asked for before it was made is there once it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_thousand_tokens_created_at_once_differ_and_work() -> Result<(), HarnessError> {
    let nodes = Nodes::on_postgres().await?;
    let mut makers = Vec::new();
    for maker in 0..WORKERS {
        // Half of them on either node.
        let node = if maker % 2 == 0 {
            &nodes.first
        } else {
            nodes.user()
        };
        let mut root = Clients::root(node).await?;
        let way = nodes.way().await?;
        makers.push(tokio::spawn(async move {
            let mut made = Vec::new();
            for number in 0..TRIES / WORKERS {
                let holder = Holder::new(&mut root, &way).await?;
                if number % 10 == 0 {
                    assert_eq!(holder.send("GET", "/k", b"")?.status, 200);
                }
                made.push((
                    holder.token.token_id.clone(),
                    holder.credentials.access_key_id.clone(),
                    holder.credentials.secret_access_key.clone(),
                ));
            }
            Ok::<_, HarnessError>(made)
        }));
    }
    let mut all = Vec::new();
    for maker in makers {
        all.extend(maker.await.expect("a maker does not panic")?);
    }
    assert_eq!(all.len(), TRIES);
    let distinct = |pick: fn(&(String, String, String)) -> &String| {
        all.iter()
            .map(pick)
            .collect::<std::collections::HashSet<_>>()
            .len()
    };
    assert_eq!(distinct(|made| &made.0), TRIES, "token ids");
    assert_eq!(distinct(|made| &made.1), TRIES, "access key ids");
    assert_eq!(distinct(|made| &made.2), TRIES, "secrets");
    Ok(())
}
