//! Makes what a measurement needs: a bucket with its token, objects to read, keys to list.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::fault::Fault;
use crate::grpc;
use crate::server::root_credentials;
use crate::target::{Authority, Credentials, Front, Target};

/// The region of a server that was told none.
pub(crate) const REGION: &str = "us-east-1";
/// From this size on four objects are enough to read in turn.
const LARGE: u64 = 16 * 1024 * 1024;

/// A runtime for what is not measured.
pub(crate) fn runtime() -> Result<Runtime, Fault> {
    Ok(Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}

/// Makes a bucket and a token that reads and writes it.
pub(crate) async fn bucket(authority: &Authority, name: &str) -> Result<Target, Fault> {
    bucket_of(authority, &root_credentials(), name).await
}

/// As [`bucket`], in an account of its own.
pub(crate) async fn account(authority: &Authority, name: &str) -> Result<Target, Fault> {
    let administrator = grpc::create_account(authority, &root_credentials(), name).await?;
    bucket_of(authority, &administrator, name).await
}

async fn bucket_of(
    authority: &Authority,
    administrator: &Credentials,
    name: &str,
) -> Result<Target, Fault> {
    grpc::create_bucket(authority, administrator, name).await?;
    Ok(Target {
        front: Front::Grpc,
        authority: authority.clone(),
        bucket: name.to_owned(),
        credentials: grpc::create_token(authority, administrator, name).await?,
        region: REGION.to_owned(),
        tokens: Arc::default(),
    })
}

/// Bytes that do not compress.
pub(crate) fn content(size: usize) -> Bytes {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        // xorshift64: fast, and far from what a compressor or a deduplicator could use.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes.into()
}

/// A name that no earlier run had, so that keys are fresh.
pub(crate) fn run_name() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!("{}-{}", now.as_millis(), std::process::id())
}

/// How many objects of a size are read in turn.
pub(crate) fn objects_of(size: u64) -> usize {
    if size >= LARGE { 4 } else { 64 }
}

/// Writes the objects that a measurement reads, and answers with their keys.
pub(crate) async fn objects(target: &Target, content: &Bytes) -> Result<Vec<String>, Fault> {
    let mut connection = Connection::open(target).await?;
    let size = content.len() as u64;
    let mut keys = Vec::new();
    for number in 0..objects_of(size) {
        let key = format!("load-get/{size}/{number:04}");
        connection.put(&key, content.clone()).await?;
        keys.push(key);
    }
    Ok(keys)
}

/// Writes one tiny object under each of `count` keys, over a number of connections.
pub(crate) async fn fill(
    target: &Target,
    count: u64,
    connections: u16,
    key: fn(u64) -> String,
) -> Result<(), Fault> {
    let object = move |number| (key(number), Bytes::from_static(b"tiny"));
    write(target, count, connections, object).await
}

/// Writes `count` objects, each as `object` makes it of its number, over a number of connections.
pub(crate) async fn write(
    target: &Target,
    count: u64,
    connections: u16,
    object: impl Fn(u64) -> (String, Bytes) + Clone + Send + 'static,
) -> Result<(), Fault> {
    let next = Arc::new(AtomicU64::new(0));
    let mut writers = JoinSet::new();
    for _ in 0..connections {
        let next = Arc::clone(&next);
        let object = object.clone();
        let mut connection = Connection::open(target).await?;
        writers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok::<_, Fault>(());
                }
                let (key, content) = object(number);
                connection.put(&key, content).await?;
            }
        });
    }
    while let Some(outcome) = writers.join_next().await {
        outcome.map_err(|_| Fault::Thread)??;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_has_its_size_and_no_pattern() {
        let bytes = content(100_001);
        assert_eq!(bytes.len(), 100_001);
        let mut counts = [0_u32; 256];
        for byte in &bytes {
            counts[usize::from(*byte)] += 1;
        }
        assert!(counts.iter().all(|count| (250..550).contains(count)));
    }
}
