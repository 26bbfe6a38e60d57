//! Joins what the configuration names into one running node.

mod bootstrap;
mod health;
mod s3;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bucketry_contract::adapter::v1::adapter_service_server::AdapterServiceServer;
use bucketry_contract::v1::admin_service_server::AdminServiceServer;
use bucketry_contract::v1::token_service_server::TokenServiceServer;
use bucketry_edge::fair::{Fair, FairLimits};
use bucketry_edge::health::Health;
use bucketry_edge::{WebOrigin, task};
use quick_cache::sync::Cache;
use tokio::task::JoinHandle;

pub use health::{PROBED_PARTS, Readiness};
pub use s3::S3Service;

pub use crate::sealing::SealingError;

use crate::access::sigv4::{AcceptedRegions, SigningKeyCache};
use crate::blobs::{BlobStore, BlobStoreOptions, UnusableStore};
use crate::call_gate::{CallGate, MAX_MESSAGE_BYTES};
use crate::catalog::{CacheBytes, Catalog, CatalogError, CatalogOptions, DatabaseUrl};
use crate::clock::Clock;
use crate::config::{Config, KeyPair, PublicUrl, process_environment};
use crate::console::{ConsoleFiles, Origins};
use crate::content::{ContentStore, Placement};
use crate::domain::{NodeId, Timestamp};
use crate::endpoints::Endpoints;
use crate::grpc::{ObjectServer, Server};
use crate::ops::SEARCHES;
use crate::page_tokens::PageTokens;
use crate::request::{AdapterCertificate, Ledger, Service, ServiceSettings};
use crate::sealing::{self, LiveKeyring};
use crate::server::{
    ConsoleFront, DescriptorSets, Front, GrpcBuilder, GrpcError, GrpcFront, ListenerRouter,
};
use crate::upkeep::{Collector, Heartbeat, sequence_changes};

/// The memory that a signing key takes, with the cache's own bookkeeping.
const SIGNING_KEY_BYTES: u64 = 256;
/// Longer than any upload waits between two writes.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);
/// The interval at which the metrics of shared resources are updated.
const LOAD_INTERVAL: Duration = Duration::from_secs(1);
/// Accounts kept.
const OWNERS: usize = 10_000;

/// Why a node cannot be opened. The operator reads it.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The gRPC services cannot be joined.
    #[error(transparent)]
    Grpc(#[from] GrpcError),
    /// The catalog cannot be opened.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The store cannot be opened, or is another one.
    #[error(transparent)]
    Store(#[from] UnusableStore),
    /// The keyring cannot be used.
    #[error(transparent)]
    Keyring(#[from] SealingError),
    /// The root credentials cannot be used.
    #[error("BUCKETRY_ROOT_ACCESS_KEY_ID and BUCKETRY_ROOT_SECRET_ACCESS_KEY: {0}")]
    Root(String),
    /// An operation of the first start failed.
    #[error("{0}")]
    FirstStart(String),
    /// The public URL cannot stand in a header.
    #[error("--public-url cannot be sent in a header: {0}")]
    Console(#[from] http::header::InvalidHeaderValue),
    /// The store's id in the catalog cannot be read.
    #[error("the catalog's store id cannot be read")]
    StoreId,
}

/// All that serves requests.
#[derive(Debug)]
pub struct Node {
    /// Answers the requests of all listeners.
    pub router: ListenerRouter<Front<S3Service>>,
    /// The operator's key if this start made it; to be shown once.
    pub first_start: Option<KeyPair>,
    /// Readiness for load balancers.
    pub readiness: Readiness,
    /// What must outlive the fronts.
    pub upkeep: RunningNode,
}

/// The node's background work and its stores.
pub struct RunningNode {
    collector: Collector,
    work: Vec<JoinHandle<()>>,
    service: Arc<Service>,
}

/// Reads the keyring again when the operator asks for it on this machine.
#[derive(Debug, Clone)]
pub struct KeyringReloader(Arc<Service>);

impl KeyringReloader {
    /// Reloads, and says in the log and in the audit how that went. A refused keyring changes nothing.
    pub async fn reload(&self, signal: &'static str) {
        let done = crate::ops::admin::reload_by_signal(&self.0, signal).await;
        if let Err(error) = done {
            tracing::error!(%error, "cannot reload the keyring; the previous one stays in use");
        }
    }
}

impl std::fmt::Debug for RunningNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningNode").finish_non_exhaustive()
    }
}

impl RunningNode {
    /// What reads the keyring again.
    #[must_use]
    pub fn keyring(&self) -> KeyringReloader {
        KeyringReloader(Arc::clone(&self.service))
    }

    /// To be called when no request runs any more: gives back what this node held and closes the catalog.
    pub async fn close(self) {
        self.work.iter().for_each(JoinHandle::abort);
        if let Err(error) = self.service.ledger.flush(&self.collector.catalog).await {
            tracing::warn!(%error, "the usage since the last flush is lost");
        }
        if let Err(error) = self.collector.sign_off().await {
            // Nothing is lost: another node, or the next start, takes over when the lease ends.
            tracing::warn!(%error, "could not sign off");
        }
        self.collector.catalog.close().await;
    }
}

/// Where clients and browsers find a node.
#[derive(Debug, Clone, Copy)]
pub struct ServerUrls<'a> {
    /// The URL that clients use.
    pub public_url: &'a PublicUrl,
    /// The origins of consoles.
    pub web_origins: &'a [WebOrigin],
}

/// Opens a node. On a new data directory this makes the keyring, the first account and the operator's key.
///
/// # Errors
/// [`NodeError`].
pub async fn open(
    config: &Config,
    urls: ServerUrls<'_>,
    health: Health,
) -> Result<Node, NodeError> {
    let started = Clock::System.now();
    let catalog = Catalog::open(
        &config.storage.places.database,
        &CatalogOptions {
            connections: config.database.connections,
            cache_bytes: CacheBytes {
                keys: config.database.key_cache / 4 * 3,
                objects: config.database.object_cache,
            },
            acquire_timeout: config.database.acquire_timeout,
            statement_timeout: Some(config.database.statement_timeout),
            start_deadline: config.database.start_deadline,
            unsafe_database: config.database.unsafe_database,
            ..CatalogOptions::default()
        },
    )
    .await?;
    let clock = clock(&catalog).await?;
    let source = &config.storage.keyring;
    let keyring = sealing::load(&catalog, source).await?;
    let keyring = Arc::new(LiveKeyring::new(keyring, source.clone()));
    let store_url = &config.storage.places.store;
    let blobs = BlobStore::open(
        store_url,
        &BlobStoreOptions {
            environment: process_environment(),
            reserve: config.storage.disk_reserve,
            timeout: config.storage.places.store_timeout,
            ..BlobStoreOptions::default()
        },
    )
    .map_err(|error| UnusableStore::new(store_url, error))?;
    bootstrap::store(&catalog, &blobs, store_url).await?;
    let node = NodeId(catalog.next_id().await?);
    let placement = Placement::new(catalog.clone(), node, clock.clone());
    let first_account = bootstrap::first_account(&catalog, &clock).await?;
    let service = Arc::new(Service {
        catalog: catalog.clone(),
        content: ContentStore {
            catalog: catalog.clone(),
            blobs: blobs.clone(),
            placement: placement.clone(),
            clock: clock.clone(),
        },
        page_tokens: PageTokens::new(Arc::clone(&keyring)),
        keyring,
        signing_keys: SigningKeyCache::new(signing_keys(config.database.key_cache)),
        clock: clock.clone(),
        settings: ServiceSettings {
            endpoint_url: urls.public_url.to_string(),
            region: config.server.region.as_str().to_owned(),
            accepted_regions: AcceptedRegions::new(config.server.region.as_str()),
            plaintext_credentials: config.server.plaintext_credentials,
            signature_v2: config.server.signature_v2,
            endpoints: endpoints(config, urls),
            adapter_certificate: adapter_certificate(config),
            max_open_uploads: config.fair.max_open_uploads,
            message_timeout: config.fair.message_timeout,
            first_account,
        },
        owners: Cache::new(OWNERS),
        ledger: Ledger::new(clock.clone()),
        fair: Fair::new(config.fair.limits),
        searches: Fair::new(SEARCHES),
    });
    let first_start = bootstrap::operator_key(&service, config.root.as_ref()).await?;
    let heartbeat = Heartbeat::new(
        catalog.clone(),
        blobs.clone(),
        placement.clone(),
        (node, clock.clone()),
        config.upkeep.lease,
    );
    let collector = Collector {
        catalog,
        blobs,
        placement,
        node,
        clock,
        upkeep: config.upkeep.into(),
    };
    if let DatabaseUrl::Sqlite(_) = config.storage.places.database {
        // The directory's lock proves it: what an earlier process left need not wait for its lease to end.
        collector.catalog.end_leases_of_others(node).await?;
    }
    heartbeat.beat().await?;
    let left = left_before(config, started);
    task::spawn("sweep_store", sweep(collector.blobs.clone(), left));
    let grpc = grpc(&service, config.fair.limits).await?;
    let readiness = Readiness::of_opened(health.clone(), grpc.clone()).await;
    let work = start_work(config, &service, &collector, heartbeat, &readiness);
    let console = console(grpc.clone(), config, urls)?.with_health(health.clone());
    let front = front(&service, grpc, config, urls).with_health(health);
    Ok(Node {
        router: ListenerRouter::new(front, console),
        readiness,
        first_start,
        upkeep: RunningNode {
            collector,
            work,
            service,
        },
    })
}

/// How many signing keys are kept, in a quarter of the memory for keys.
fn signing_keys(key_cache: u64) -> usize {
    usize::try_from(key_cache / 4 / SIGNING_KEY_BYTES).unwrap_or(usize::MAX)
}

/// Starts what a node does in intervals.
fn start_work(
    config: &Config,
    service: &Arc<Service>,
    collector: &Collector,
    heartbeat: Heartbeat,
    readiness: &Readiness,
) -> Vec<JoinHandle<()>> {
    let (catalog, blobs) = (&collector.catalog, &collector.blobs);
    let probe_catalog = readiness.clone().probe_catalog(catalog.clone());
    let probe_store = readiness.clone().probe_store(blobs.clone());
    let reseal = sealing::reseal_for_ever(
        catalog.clone(),
        Arc::clone(&service.keyring),
        collector.clock.clone(),
    );
    let write_usage = Arc::clone(service.ledger.metering()).flush_for_ever(
        catalog.clone(),
        collector.clock.clone(),
        config.upkeep.usage_interval,
    );
    let mut work = vec![
        task::spawn("heartbeat", heartbeat.run(config.upkeep.interval)),
        task::spawn("show_load", show_load(service.fair.clone())),
        task::spawn("probe_catalog", probe_catalog),
        task::spawn("probe_store", probe_store),
        task::spawn("collect_garbage", collector.clone().run()),
        task::spawn("reseal_secrets", reseal),
        task::spawn("write_usage", write_usage),
    ];
    if catalog.has_sequencer() {
        let sequencer = sequence_changes(catalog.clone());
        work.push(task::spawn("sequence_changes", sequencer));
    }
    work
}

/// The clock that everything in this process goes by: the database's if nodes may share it. The heartbeat corrects it.
async fn clock(catalog: &Catalog) -> Result<Clock, CatalogError> {
    let asked = Instant::now();
    let database = catalog.database_time().await?;
    Ok(database.map_or(Clock::System, |database| {
        Clock::of_database(asked, Instant::now(), database)
    }))
}

fn adapter_certificate(config: &Config) -> AdapterCertificate {
    let tls = config.server.tls.as_ref();
    match tls.and_then(|files| files.client_authorities.as_ref()) {
        Some(_) => AdapterCertificate::Required,
        None => AdapterCertificate::NotAsked,
    }
}

/// Updates the metrics of shared resources until dropped.
async fn show_load(fair: Fair) {
    let mut interval = tokio::time::interval(LOAD_INTERVAL);
    loop {
        interval.tick().await;
        crate::telemetry::metrics::show_load(fair.load());
    }
}

/// Files of uploads that were last written before this belong to a process that has ended. By the clock of this machine,
/// as the times of files are.
fn left_before(config: &Config, started: Timestamp) -> Timestamp {
    match config.storage.places.database {
        DatabaseUrl::Sqlite(_) => started,
        // Other nodes may write to the same directory.
        DatabaseUrl::Postgres(_) => started.saturating_sub(LONGEST_PAUSE),
    }
}

/// Beside the service, for it reads every directory of the store.
async fn sweep(blobs: BlobStore, before: Timestamp) {
    match blobs.sweep_staging(before.into()).await {
        Ok(0) => {}
        Ok(files) => tracing::info!(files, "removed what unfinished uploads had left"),
        Err(error) => tracing::warn!(%error, "could not look for what unfinished uploads left"),
    }
}

async fn grpc(service: &Arc<Service>, shares: FairLimits) -> Result<GrpcFront, NodeError> {
    let server = Server::new(Arc::clone(service));
    let grpc = GrpcBuilder::default()
        .service(ObjectServer::new(server.clone(), MAX_MESSAGE_BYTES))
        .service(TokenServiceServer::new(server.clone()))
        .service(AdminServiceServer::new(server.clone()))
        .service(AdapterServiceServer::new(server.clone()))
        .build(DescriptorSets {
            shown: bucketry_contract::PUBLISHED_DESCRIPTOR_SET,
            complete: bucketry_contract::DESCRIPTOR_SET,
        })
        .await?;
    let gate = CallGate::new(
        Arc::clone(service),
        shares,
        bucketry_contract::DESCRIPTOR_SET,
    )
    .map_err(GrpcError::from)?;
    Ok(grpc.gated(gate))
}

fn front(
    service: &Arc<Service>,
    grpc: GrpcFront,
    config: &Config,
    urls: ServerUrls<'_>,
) -> Front<S3Service> {
    let server = Server::new(Arc::clone(service));
    Front::new(
        grpc,
        s3::service(service, server, config, urls),
        config.server.forwarding.clone(),
    )
}

fn console(
    grpc: GrpcFront,
    config: &Config,
    urls: ServerUrls<'_>,
) -> Result<ConsoleFront, NodeError> {
    let server = &config.server;
    Ok(ConsoleFront::new(
        grpc,
        ConsoleFiles::new(urls.public_url, server.region.as_str())?,
        Origins::new(&server.grpc_web_origins),
        server.forwarding.clone(),
    ))
}

/// What a sign-in may name as the endpoint: a page names its own origin. That of the console's own listener is known from
/// the connection; on other connections `localhost` would be accepted from a relay.
fn endpoints(config: &Config, urls: ServerUrls<'_>) -> Endpoints {
    let aliases = config.server.endpoint_aliases.iter();
    let public = aliases.chain([urls.public_url]).map(PublicUrl::as_str);
    Endpoints::new(public.chain((config.server.grpc_web_origins.iter()).map(WebOrigin::as_str)))
}
