//! Writes that race the end of their token.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bucketry_contract::v1::PutSmallObjectRequest;
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::exchange;
use bytes::Bytes;

use super::doors::{ENDS, Holder};
use super::{Nodes, keys, report, spec};

const ROUNDS_WITH_WRITERS: usize = 36;

/// Writes one object after the other until it is refused, and once more after the end is known to have returned.
async fn write_until_refused(
    holder: Arc<Holder>,
    writer: usize,
    prefix: String,
    acknowledged: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
) -> Result<Vec<String>, HarnessError> {
    let mut client = holder.by_key()?;
    let mut written = Vec::new();
    loop {
        let late = over.load(Ordering::SeqCst);
        let key = format!("{prefix}{writer}/{}", written.len());
        let allowed = match writer % 3 {
            0 => holder.send("PUT", &format!("/{key}"), b"x")?.status == 200,
            1 => {
                let request = holder.presigned("PUT", &format!("/{key}"))?;
                let request = request.header("content-length", "1").body(*b"x");
                exchange(holder.address, request)?.status == 200
            }
            _ => {
                let request = PutSmallObjectRequest {
                    spec: Some(spec(&key)),
                    data: Bytes::from_static(b"x"),
                };
                client.put_small_object(request).await.is_ok()
            }
        };
        assert!(
            !(late && allowed),
            "{key} was begun after the end had returned"
        );
        if !allowed {
            return Ok(written);
        }
        written.push(key);
        acknowledged.fetch_add(1, Ordering::SeqCst);
    }
}

/// Nothing that races the end appears after its return, and all that was acknowledged is there.
async fn with_writers(nodes: Nodes) -> Result<(), HarnessError> {
    let mut root = Clients::root(&nodes.first).await?;
    let way = nodes.way().await?;
    let (mut writes, mut rounds) = (0, 0);
    for round in 0..ROUNDS_WITH_WRITERS {
        let end = ENDS[round % ENDS.len()];
        let prefix = format!("race/{round:04}/");
        let holder = Arc::new(Holder::new(&mut root, &way).await?);
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..6)
            .map(|writer| {
                let (holder, prefix) = (Arc::clone(&holder), prefix.clone());
                let (acknowledged, over) = (Arc::clone(&acknowledged), Arc::clone(&over));
                tokio::spawn(async move {
                    write_until_refused(holder, writer, prefix, acknowledged, over).await
                })
            })
            .collect();
        // Not before they are at it.
        while acknowledged.load(Ordering::SeqCst) < 4 + round % 7 {
            tokio::task::yield_now().await;
        }
        end.apply(&mut root, &holder.token).await?;
        over.store(true, Ordering::SeqCst);
        let at_return = keys(&mut root, &prefix).await?;
        let mut written = Vec::new();
        for writer in writers {
            written.extend(writer.await.expect("a writer does not panic")?);
        }
        let at_last = keys(&mut root, &prefix).await?;
        assert_eq!(
            at_return, at_last,
            "round {round}: written after the end returned"
        );
        written.sort_unstable();
        for key in &written {
            assert!(
                at_last.contains(key),
                "round {round}: {key} was acknowledged"
            );
        }
        writes += written.len();
        rounds += 1;
    }
    report(&format!(
        "ended under 6 writers: {rounds} rounds, {writes} writes acknowledged before, none after"
    ));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn no_write_commits_after_the_return_on_the_other_node() -> Result<(), HarnessError> {
    with_writers(Nodes::on_postgres().await?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn no_write_commits_after_the_return_on_the_same_node() -> Result<(), HarnessError> {
    with_writers(Nodes::on_sqlite().await?).await
}
