//! Probes of catalog and store, and their effect on gRPC health and metrics.

use std::sync::Arc;
use std::time::Duration;

use bucketry_edge::health::Health;
use metrics::{counter, gauge};
use tokio::sync::Mutex;
use tokio::time::sleep;

use crate::blobs::BlobStore;
use crate::catalog::Catalog;
use crate::server::GrpcFront;
use crate::telemetry::metrics::{PROBE_FAILURES, READY};

/// The parts of a node that are probed.
pub const PROBED_PARTS: [&str; 2] = [CATALOG, STORE];
const CATALOG: &str = "catalog";
const STORE: &str = "store";

/// How long the store may take to answer a probe; the catalog bounds its own.
const STORE_LIMIT: Duration = Duration::from_secs(1);

/// The interval between probes of the catalog.
const CATALOG_INTERVAL: Duration = Duration::from_secs(1);

/// The node's readiness, as reported by HTTP and gRPC.
#[derive(Debug, Clone)]
pub struct Readiness {
    health: Health,
    grpc: GrpcFront,
    /// The latest state of gRPC health; `None` before the first.
    published: Arc<Mutex<Option<bool>>>,
}

impl Readiness {
    /// For a node whose catalog and store have just been opened.
    pub(super) async fn of_opened(health: Health, grpc: GrpcFront) -> Self {
        let readiness = Self {
            health,
            grpc,
            published: Arc::default(),
        };
        for part in PROBED_PARTS {
            readiness.note(part, Ok(())).await;
        }
        readiness
    }

    /// Not ready from now on; requests are still served.
    pub async fn drain(&self) {
        self.health.drain();
        self.publish().await;
    }

    async fn note(&self, part: &'static str, outcome: Result<(), &'static str>) {
        if outcome.is_err() {
            counter!(PROBE_FAILURES, "part" => part).increment(1);
        }
        self.health.report(part, outcome);
        self.publish().await;
    }

    /// Evaluates under the lock, so that of two concurrent calls the later result is published last.
    async fn publish(&self) {
        let mut published = self.published.lock().await;
        let ready = self.health.is_ready();
        if *published == Some(ready) {
            return;
        }
        gauge!(READY).set(if ready { 1.0 } else { 0.0 });
        self.grpc.publish(ready.into()).await;
        *published = Some(ready);
    }

    /// Probes the catalog until dropped.
    pub(super) async fn probe_catalog(self, catalog: Catalog) {
        loop {
            sleep(CATALOG_INTERVAL).await;
            let outcome = catalog.ping().await;
            if let Err(error) = &outcome {
                tracing::debug!(%error, "the catalog does not answer a probe");
            }
            self.note(CATALOG, outcome.map_err(|_| "does not answer"))
                .await;
        }
    }

    /// Probes the store until dropped.
    pub(super) async fn probe_store(self, blobs: BlobStore) {
        let mut outcome = Ok(());
        loop {
            sleep(blobs.probe_interval(outcome)).await;
            outcome = blobs.probe(STORE_LIMIT).await;
            self.note(STORE, outcome.map_err(|fault| fault.text()))
                .await;
        }
    }
}
