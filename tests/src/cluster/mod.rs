//! Three nodes on one PostgreSQL and one cloud store, behind HAProxy, with every part in a process that a test may
//! stop, kill, hang and start again.
//!
//! The cloud store is another server of this project. All parts listen on a loopback address of the cluster's own, so
//! that no other process takes a port while its owner is down.

mod postgres_server;
pub mod signals;
mod skewed_clock;

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

pub use postgres_server::PostgresServer;
pub use skewed_clock::SkewedClock;

use crate::error::HarnessError;
use crate::haproxy::{HaProxy, free_address};
use crate::http1::{Request, exchange};
use crate::server::{ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY, Server, ServerOptions, binary};
use crate::sigv4::{Payload, Signer};

/// The number of nodes.
pub const NODES: usize = 3;
/// The node whose clock can be set.
pub const SKEWED_NODE: usize = 1;
/// The bucket of the cluster.
pub const BUCKET: &str = "cluster-bucket";

/// The proxy asks a node every second whether it is ready.
const FOLLOW_LIMIT: Duration = Duration::from_secs(10);
/// A node reads its clock's file every second, and compares its clock with the database's with each heartbeat.
const SKEW_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);
/// The header in which the proxy tells which node answered.
pub const NODE_HEADER: &str = "x-node";

const STORE_BUCKET: &str = "store-bucket";
/// By how many seconds a node is ahead of the database, in its metrics.
const CLOCK_OFFSET: &str = "bucketry_database_clock_offset_seconds ";
/// Where a node answers whether it is ready, on the listener of its metrics.
const READINESS: &str = "/readyz";

/// A running cluster. Dropping it ends all of it.
#[derive(Debug)]
pub struct Cluster {
    proxy: HaProxy,
    /// The nodes.
    pub nodes: Vec<Server>,
    /// The cloud store.
    pub store: Server,
    /// The database.
    pub postgres: PostgresServer,
    clock: SkewedClock,
    /// The listeners of the nodes' metrics.
    metrics: Vec<SocketAddr>,
    environment: Vec<(&'static str, String)>,
}

/// What `bucketry fsck` found.
#[derive(Debug)]
pub struct Checked {
    /// Success if nothing is wrong.
    pub status: ExitStatus,
    /// The report as text, or why there is none.
    pub report: String,
}

impl Cluster {
    /// Starts all parts, the nodes with further arguments of `bucketry serve`, and makes the bucket.
    ///
    /// # Errors
    /// A part is not installed or did not start.
    pub fn start(node_arguments: &[&str]) -> Result<Self, HarnessError> {
        let host = own_loopback_address();
        let postgres = PostgresServer::start(host)?;
        let clock = SkewedClock::new()?;
        let store = Server::start(ServerOptions::new().listen(&free_address(host)?.to_string()))?;
        create_bucket(store.address(), STORE_BUCKET)?;
        let environment = store_environment(&store);
        let mut nodes = Vec::new();
        let mut checks = Vec::new();
        for number in 0..NODES {
            let readiness = free_address(host)?;
            let mut options = ServerOptions::new()
                .listen(&free_address(host)?.to_string())
                .database_url(&postgres.url())
                .argument(format!("--store=s3://{STORE_BUCKET}/blobs"))
                .argument(format!("--metrics-listen={readiness}"));
            for argument in node_arguments {
                options = options.argument(argument);
            }
            for (name, value) in &environment {
                options = options.environment(name, value);
            }
            if number == SKEWED_NODE {
                options = clock.of(options);
            }
            let node = Server::start(options)?;
            checks.push((node.address(), readiness));
            nodes.push(node);
        }
        let proxy = HaProxy::start(host, 1, |addresses| configuration(addresses, &checks))?;
        let cluster = Self {
            proxy,
            nodes,
            store,
            postgres,
            clock,
            metrics: checks.into_iter().map(|(_, metrics)| metrics).collect(),
            environment,
        };
        create_bucket(cluster.address(), BUCKET)?;
        Ok(cluster)
    }

    /// The address of the proxy.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.proxy.addresses().first().copied().unwrap_or_else(|| {
            // The proxy was started with one address.
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))
        })
    }

    /// Sets the clock of `SKEWED_NODE` to be that many seconds ahead, and waits until the node's metrics show it.
    ///
    /// # Errors
    /// The node did not follow within 30 seconds, or does not answer.
    pub fn skew(&self, ahead_seconds: i32) -> Result<(), HarnessError> {
        self.clock.set(ahead_seconds)?;
        let deadline = Instant::now() + SKEW_LIMIT;
        while Instant::now() < deadline {
            let metrics = exchange(self.metrics[SKEWED_NODE], Request::new("GET", "/metrics"))?;
            let ahead: f64 = metrics
                .text()
                .lines()
                .find_map(|line| line.strip_prefix(CLOCK_OFFSET)?.parse().ok())
                .ok_or(HarnessError::Incomplete("offset of the clock"))?;
            if (ahead - f64::from(ahead_seconds)).abs() <= 3.0 {
                return Ok(());
            }
            sleep(POLL);
        }
        Err(HarnessError::Incomplete("offset of the clock that was set"))
    }

    /// Restarts a node, and waits until the proxy sends requests to it again.
    ///
    /// # Errors
    /// The node did not end or start, or the proxy did not use it within ten seconds.
    pub fn restart_node(&mut self, number: usize) -> Result<(), HarnessError> {
        self.nodes[number].restart()?;
        let name = node_name(number);
        let deadline = Instant::now() + FOLLOW_LIMIT;
        while Instant::now() < deadline {
            let answer = exchange(self.address(), Request::new("GET", "/"))?;
            if answer.find(NODE_HEADER) == Some(&name) {
                return Ok(());
            }
            sleep(POLL);
        }
        Err(HarnessError::Incomplete("answer of a restarted node"))
    }

    /// Runs `bucketry fsck` on the database and the store.
    ///
    /// # Errors
    /// It could not be run.
    pub fn fsck(&self) -> Result<Checked, HarnessError> {
        let output = Command::new(binary()?)
            .args(["fsck", "--database-url", &self.postgres.url()])
            .arg(format!("--store=s3://{STORE_BUCKET}/blobs"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()
            .map_err(HarnessError::io("run fsck"))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        Ok(Checked {
            status: output.status,
            report: format!("{}\n{}", text(&output.stdout), text(&output.stderr)),
        })
    }
}

/// The root key's signer.
#[must_use]
pub fn root_signer() -> Signer {
    Signer::new(ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY)
}

fn create_bucket(address: SocketAddr, bucket: &str) -> Result<(), HarnessError> {
    let request = Request::new("PUT", &format!("/{bucket}"))
        .header("host", &address.to_string())
        .header("content-length", "0");
    let signed = root_signer().header(request, SystemTime::now(), Payload::Signed)?;
    let response = exchange(address, signed)?;
    match response.status {
        200 => Ok(()),
        _ => Err(HarnessError::Http(response.text())),
    }
}

/// How the nodes reach their store.
fn store_environment(store: &Server) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ENDPOINT", store.endpoint_url()),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", ROOT_ACCESS_KEY_ID.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", ROOT_SECRET_ACCESS_KEY.to_owned()),
    ]
}

/// What the proxy calls a node in `NODE_HEADER`.
#[must_use]
pub fn node_name(number: usize) -> String {
    format!("node{number}")
}

/// Nodes and where they say that they are ready. A node that is not ready gets no new request after 1.3 seconds, in
/// most cases after 0.3.
fn configuration(addresses: &[SocketAddr], nodes: &[(SocketAddr, SocketAddr)]) -> String {
    let mut settings = String::from(
        "defaults\n  mode http\n  timeout connect 1s\n  timeout client 60s\n  timeout server 10s\n  timeout check 1s\n  \
         retries 3\n  option redispatch 1\n",
    );
    for address in addresses {
        write!(
            settings,
            "listen s3\n  bind {address}\n  balance roundrobin\n  http-response set-header {NODE_HEADER} %s\n  \
             option httpchk GET {READINESS}\n  \
             default-server inter 300ms downinter 100ms fall 1 rise 1\n"
        )
        .ok();
    }
    for (number, (node, readiness)) in nodes.iter().enumerate() {
        writeln!(
            settings,
            "  server {} {node} check addr {} port {}",
            node_name(number),
            readiness.ip(),
            readiness.port()
        )
        .ok();
    }
    settings
}

/// A loopback address that no other cluster of this machine has.
fn own_loopback_address() -> IpAddr {
    static CLUSTERS: AtomicU8 = AtomicU8::new(1);
    let cluster = CLUSTERS.fetch_add(1, Ordering::Relaxed);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    IpAddr::from([127, 64 | cluster, high, low])
}
