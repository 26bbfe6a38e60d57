//! The connections to a Postgres server, and whether it answers.
//!
//! A pool alone handles an outage badly: each request waits for a connection until it times out, and after the outage
//! the pool is full of dead connections. So one task probes the server twice a second. When it does not, all waiting
//! requests fail at once, and so do new ones; when it answers again, a new pool replaces the old one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bucketry_edge::fair::{Permit, Permits, on_behalf};
use bucketry_edge::task;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::durability::Durability;
use super::link::Link;
use super::postgres_lease::PostgresLease;
use super::watchdog::Watchdog;
use crate::{CatalogError, CatalogOptions};

/// How long a session may hold locks while its node is silent. This bounds how long a stopped node delays the others.
const IDLE_IN_TRANSACTION: &str = "2000";
/// How long a statement waits for a lock: longer than a silent node may hold one.
const LOCK_TIMEOUT: &str = "2500";
/// How much longer the client waits than the server's statement time-out.
const ANSWER_SLACK: Duration = Duration::from_secs(1);
/// For statements without a limit: longer than any.
const UNLIMITED: Duration = Duration::from_secs(24 * 3600);
/// How long closing waits for connections in use.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that requests leave to the server's own work: commits, heartbeats, upkeep.
const OWN_CONNECTIONS: u32 = 2;

/// A Postgres server as one process uses it.
pub(crate) struct Postgres {
    pub(super) connect: PgConnectOptions,
    connections: u32,
    acquire_timeout: Duration,
    /// Divides the connections among the callers of requests.
    permits: Arc<Permits>,
    /// How long the answer to a statement is waited for.
    answer_timeout: Duration,
    current: RwLock<Arc<Link>>,
    /// Answers that came from the server, on any connection: a sign of life.
    answers: AtomicU64,
    pub(super) closed: CancellationToken,
}

impl Postgres {
    /// Takes a server that has just answered, and watches it from now on.
    pub(super) fn start(
        connect: &PgConnectOptions,
        options: &CatalogOptions,
        durability: Durability,
    ) -> Arc<Self> {
        let connect = with_session_settings(connect.clone(), options.statement_timeout)
            .options([("synchronous_commit", durability.synchronous_commit)]);
        let answer_timeout = options
            .statement_timeout
            .map_or(UNLIMITED, |limit| limit + ANSWER_SLACK);
        let connections = options.connections.clamp(2, 1000);
        let link = Link::new(&connect, connections, options.acquire_timeout);
        let postgres = Arc::new(Self {
            connect,
            connections,
            acquire_timeout: options.acquire_timeout,
            permits: Permits::new(connections.saturating_sub(OWN_CONNECTIONS) as usize),
            answer_timeout,
            current: RwLock::new(Arc::new(link)),
            answers: AtomicU64::new(0),
            closed: CancellationToken::new(),
        });
        task::spawn("watch_database", Watchdog::new(&postgres).run());
        postgres
    }

    /// A connection of the pool. Fails at once while the server does not answer.
    pub(super) async fn acquire(self: &Arc<Self>) -> Result<PostgresLease, sqlx::Error> {
        let link = self.link();
        if link.lost.is_cancelled() {
            return Err(sqlx::Error::PoolTimedOut);
        }
        // 8 KiB that every operation would carry, also those that SQLite or a cache answers.
        let acquiring = Box::pin(async {
            let permit = permit(&self.permits, self.acquire_timeout).await?;
            Ok::<_, sqlx::Error>((permit, link.acquire(self.acquire_timeout).await?))
        });
        let acquired = link.lost.run_until_cancelled(acquiring).await;
        let (permit, connection) = acquired.ok_or(sqlx::Error::PoolTimedOut)??;
        Ok(PostgresLease::new(connection, permit, Arc::clone(self)))
    }

    pub(super) const fn answer_timeout(&self) -> Duration {
        self.answer_timeout
    }

    pub(super) fn note_answer(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// Whether the server answered the latest probe.
    pub(super) fn is_up(&self) -> bool {
        !self.link().lost.is_cancelled()
    }

    /// The server does not answer: ends all waiting.
    pub(super) fn mark_down(&self) {
        self.link().lost.cancel();
    }

    /// The server answers, and the connections that there are may be dead: uses new ones from now on.
    pub(super) fn replace_pool(&self) {
        let fresh = Link::new(&self.connect, self.connections, self.acquire_timeout);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *current, Arc::new(fresh));
        drop(current);
        // There is no need to wait for its connections.
        drop(old.close());
    }

    /// Returns connections that have not been used lately to the pool, which closes them in time.
    pub(super) fn look_through(&self) {
        self.link().look_through();
    }

    pub(super) async fn close(&self) {
        self.closed.cancel();
        let link = self.link();
        // A connection that is never returned ends with the process.
        let _in_time = timeout(CLOSE_TIMEOUT, link.close()).await;
    }

    fn link(&self) -> Arc<Link> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }
}

/// The turn of a request at the connections of a pool. The server's own work, commits among it, waits for none.
pub(super) async fn permit(
    permits: &Arc<Permits>,
    within: Duration,
) -> Result<Option<Permit>, sqlx::Error> {
    let Some(caller) = on_behalf::current() else {
        return Ok(None);
    };
    match timeout(within, permits.acquire(caller)).await {
        Ok(Ok(permit)) => Ok(Some(permit)),
        Ok(Err(_)) | Err(_) => Err(sqlx::Error::PoolTimedOut),
    }
}

/// Limits by which the server ends what a stopped node or a dead network leaves behind, and how it plans.
///
/// A prepared statement keeps its plan until the table is analyzed. One that was made while the table was small reads all of
/// it, also when it has grown a thousandfold: a commit then costs as much as the bucket has objects. Every statement of a
/// request has an index, so scans of tables are discouraged. That raises the cost of those that have none (of `fsck`) above
/// the threshold of the JIT compiler, which would take longer than they do.
fn with_session_settings(
    connect: PgConnectOptions,
    statement_timeout: Option<Duration>,
) -> PgConnectOptions {
    let statement = statement_timeout.map_or(0, |limit| limit.as_millis());
    connect
        .options([
            ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION),
            ("lock_timeout", LOCK_TIMEOUT),
            ("tcp_keepalives_idle", "10"),
            ("tcp_keepalives_interval", "5"),
            ("tcp_keepalives_count", "3"),
            ("tcp_user_timeout", "10000"),
            ("enable_seqscan", "off"),
            ("jit", "off"),
        ])
        .options([("statement_timeout", statement)])
}

/// Reads a URL.
pub(super) fn parse(url: &str) -> Result<PgConnectOptions, CatalogError> {
    let connect: PgConnectOptions = url.parse()?;
    Ok(connect
        .statement_cache_capacity(256)
        .disable_statement_logging())
}

/// Whether the server is a standby, which accepts no writes.
pub(super) async fn is_standby(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_is_in_recovery()")
        .fetch_one(connection)
        .await
}
