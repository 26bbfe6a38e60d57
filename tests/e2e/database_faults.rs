//! Paused nodes, and a PostgreSQL server that stops, hangs and returns.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use bucketry_contract::v1::{Permission, RevokeTokenRequest};
use bucketry_tests::cluster::signals::send;
use bucketry_tests::cluster::{PostgresServer, root_signer};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::{Request, exchange};
use bucketry_tests::postgres;
use bucketry_tests::server::{Server, ServerOptions, binary};
use bucketry_tests::sigv4::Payload;
use rustix::process::Signal;
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

const BUCKET: &str = "faults";
/// Too large for the catalog, so that it becomes a blob.
static CONTENT: [u8; 20_000] = [7; 20_000];
/// The promised time to notice an outage or its end.
const PROMISED: Duration = Duration::from_secs(2);
/// Additional time for a slow machine.
const SLACK: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(20);
/// The time limit of a test for an event that must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A store of files, and options of nodes that share it and a database.
struct Shared {
    store: TempDir,
    url: String,
    options: ServerOptions,
}

impl Shared {
    fn new(url: &str) -> Self {
        let store = tempfile::tempdir().expect("a folder for the store");
        let options = ServerOptions::new()
            .database_url(url)
            .argument("--store")
            .argument(format!("file://{}", store.path().display()));
        Self {
            store,
            url: url.to_owned(),
            options,
        }
    }

    /// Fails if `fsck` finds anything wrong, an orphan above all.
    fn check(&self) -> Result<(), HarnessError> {
        let output = Command::new(binary()?)
            .args(["fsck", "--database-url", &self.url, "--store"])
            .arg(format!("file://{}", self.store.path().display()))
            .output()
            .expect("fsck to run");
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{report}\n{output:?}");
        Ok(())
    }
}

fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    body: &[u8],
) -> Result<u16, HarnessError> {
    let request = Request::new(method, path)
        .header("host", &address.to_string())
        .header("content-length", &body.len().to_string())
        .body(body);
    let signed = root_signer().header(request, SystemTime::now(), Payload::Signed)?;
    Ok(exchange(address, signed)?.status)
}

fn put(address: SocketAddr, key: &str) -> Result<u16, HarnessError> {
    request(address, "PUT", &format!("/{BUCKET}/{key}"), &CONTENT)
}

fn get(address: SocketAddr, key: &str) -> Result<u16, HarnessError> {
    request(address, "GET", &format!("/{BUCKET}/{key}"), b"")
}

fn create_bucket(address: SocketAddr) -> Result<(), HarnessError> {
    assert_eq!(request(address, "PUT", &format!("/{BUCKET}"), b"")?, 200);
    Ok(())
}

/// Puts that many objects from eight threads, and returns the statuses other than 200.
fn put_many(address: SocketAddr, count: usize) -> Result<Vec<u16>, HarnessError> {
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            thread::spawn(move || {
                (0..count / 8)
                    .map(|number| put(address, &format!("many/{thread}/{number}")))
                    .filter(|status| !matches!(status, Ok(200)))
                    .collect::<Result<Vec<_>, _>>()
            })
        })
        .collect();
    let mut others = Vec::new();
    for thread in threads {
        others.extend(thread.join().expect("a thread that puts")?);
    }
    Ok(others)
}

/// Repeats the query until it returns true.
async fn until(url: &str, question: &'static str) -> Result<(), HarnessError> {
    let mut connection = PgConnection::connect(url).await?;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if sqlx::query_scalar(question)
            .fetch_one(&mut connection)
            .await?
        {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
    Err(HarnessError::Incomplete(question))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_counted_as_dead_continues_without_errors() -> Result<(), HarnessError> {
    let shared = Shared::new(&postgres::create_database().await?);
    let options = (shared.options.clone())
        .argument("--node-lease=3s")
        .argument("--collect-interval=1s");
    let paused = Server::start(options.clone())?;
    let _other = Server::start(options)?;
    create_bucket(paused.address())?;
    assert_eq!(put(paused.address(), "first")?, 200);

    send(paused.pid(), Signal::STOP)?;
    // The other node ends its reservation.
    let adopted = until(&shared.url, "SELECT COUNT(*) = 0 FROM blob_batches").await;
    send(paused.pid(), Signal::CONT)?;
    adopted?;
    let others = put_many(paused.address(), 400)?;
    assert!(others.is_empty(), "{others:?}");
    assert_eq!(get(paused.address(), "many/7/49")?, 200);
    shared.check()
}

/// Stops a node within a transaction that holds locks. `false`: it was stopped at another moment, and runs again.
async fn stop_within_commit(
    node: &Server,
    connection: &mut PgConnection,
) -> Result<bool, HarnessError> {
    send(node.pid(), Signal::STOP)?;
    let idle: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM pg_stat_activity a JOIN pg_locks l USING (pid)
         WHERE a.datname = current_database() AND a.state = 'idle in transaction' AND l.locktype = 'advisory')",
    )
    .fetch_one(connection)
    .await?;
    if !idle {
        send(node.pid(), Signal::CONT)?;
    }
    Ok(idle)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_within_a_commit_does_not_block_others() -> Result<(), HarnessError> {
    let shared = Shared::new(&postgres::create_database().await?);
    let stopped = Server::start(shared.options.clone())?;
    let other = Server::start(shared.options.clone())?;
    create_bucket(stopped.address())?;
    let mut root = Clients::root(&other).await?;
    let (token, _) = root.create_token(BUCKET, Permission::ReadWrite).await?;
    let address = stopped.address();
    let load = thread::spawn(move || put_many(address, 2000));
    let mut connection = PgConnection::connect(&shared.url).await?;
    let deadline = Instant::now() + PATIENCE;
    while !stop_within_commit(&stopped, &mut connection).await? {
        assert!(Instant::now() < deadline, "no commit was met");
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let begun = Instant::now();
    assert_eq!(put(other.address(), "other")?, 200);
    let request = RevokeTokenRequest {
        bucket: BUCKET.to_owned(),
        token_id: token.token_id,
    };
    root.tokens.revoke_token(request).await?;
    let took = begun.elapsed();
    send(stopped.pid(), Signal::CONT)?;
    assert!(took < Duration::from_secs(3) + SLACK, "{took:?}");
    let others = load.join().expect("the load")?;
    assert!(others.iter().all(|status| *status == 503), "{others:?}");
    shared.check()
}

/// Waits for requests to fail, each in time, or to succeed; returns when they do.
fn becomes(address: SocketAddr, status: u16, within: Duration) -> Result<(), HarnessError> {
    let begun = Instant::now();
    loop {
        let asked = Instant::now();
        let statuses = (put(address, "k")?, get(address, "first")?);
        assert!(
            [200, 503].contains(&statuses.0) && [200, 503].contains(&statuses.1),
            "{statuses:?}"
        );
        assert!(
            asked.elapsed() < 2 * (PROMISED + SLACK),
            "{:?}",
            asked.elapsed()
        );
        if statuses == (status, status) {
            return Ok(());
        }
        assert!(begun.elapsed() < within, "{statuses:?} after {within:?}");
        thread::sleep(POLL);
    }
}

#[test]
fn an_outage_of_the_database_is_noticed_in_time_and_so_is_its_end() -> Result<(), HarnessError> {
    let mut database = PostgresServer::start(IpAddr::V4(Ipv4Addr::LOCALHOST))?;
    let shared = Shared::new(&database.url());
    let node = Server::start(shared.options.clone().argument("--collect-interval=1s"))?;
    let address = node.address();
    create_bucket(address)?;
    assert_eq!(put(address, "first")?, 200);

    database.stop()?;
    becomes(address, 503, PROMISED + SLACK)?;
    database.start_again()?;
    becomes(address, 200, PROMISED + SLACK)?;

    database.hang()?;
    becomes(address, 503, PROMISED + SLACK)?;
    assert_eq!(put(address, "hung")?, 503);
    database.resume()?;
    becomes(address, 200, PROMISED + SLACK)?;

    let log = node.log();
    for expected in ["the database does not answer", "the database answers again"] {
        assert!(log.contains(expected), "{log}");
    }
    shared.check()
}

#[test]
fn a_start_waits_for_the_database() -> Result<(), HarnessError> {
    let mut database = PostgresServer::start(IpAddr::V4(Ipv4Addr::LOCALHOST))?;
    database.stop()?;
    let shared = Shared::new(&database.url());
    let address = database.url();
    let address = address
        .split(['@', '/'])
        .nth(3)
        .expect("the address in the URL");
    let port = TcpListener::bind(address).expect("the database's port");
    let options = shared.options.clone();
    let starting = thread::spawn(move || Server::start(options));
    // Closed at once: a database that is not there yet.
    drop(port.accept().expect("the node"));
    drop(port);
    database.start_again()?;
    let node = starting.join().expect("a start")?;
    create_bucket(node.address())?;
    assert!(node.log().contains("waiting for the database"));

    let missing = database.url().replace("/postgres", "/missing");
    let begun = Instant::now();
    let refused = Server::start(Shared::new(&missing).options);
    let refused = refused.expect_err("there is no such database").to_string();
    assert!(refused.contains("\"missing\" does not exist"), "{refused}");
    assert!(begun.elapsed() < Duration::from_secs(30), "it did not wait");
    Ok(())
}
