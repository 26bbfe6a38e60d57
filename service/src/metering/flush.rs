//! Writes what was counted to the catalog.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bucketry_edge::task;

use super::pending::Pending;
use super::{IDLE, Meter, Metering};
use crate::catalog::mutation::{Mutation, RecordUsage};
use crate::catalog::{Catalog, CatalogError};
use crate::clock::Clock;
use crate::domain::{AccessKeyPk, Timestamp};

/// Rows of one mutation, about: a larger one would keep other commits waiting.
const MAX_ROWS: usize = 800;

impl Metering {
    /// Writes in intervals until it is aborted, and sooner when too many keys are counted. Nothing is lost by an abort
    /// between two flushes; who aborts it flushes once more.
    pub(crate) async fn flush_for_ever(
        self: Arc<Self>,
        catalog: Catalog,
        clock: Clock,
        interval: Duration,
    ) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(interval) => {}
                () = self.crowded.notified() => {}
            }
            if let Err(error) = self.flush(&catalog, clock.clone()).await {
                tracing::warn!(%error, "usage could not be written; it is kept for the next time");
            }
        }
    }

    /// Writes everything that was counted before the call.
    ///
    /// # Errors
    /// What the catalog says. What is known not to be written is kept and will be tried again.
    pub(crate) async fn flush(
        self: &Arc<Self>,
        catalog: &Catalog,
        clock: Clock,
    ) -> Result<(), CatalogError> {
        let (metering, catalog) = (Arc::clone(self), catalog.clone());
        // A task of its own: a caller who goes away must not take the counters with him.
        let written = async move { metering.write_out(&catalog, clock.now()).await };
        task::spawn("flush_usage", written)
            .await
            .map_err(|_| CatalogError::OutcomeUnknown)?
    }

    async fn write_out(&self, catalog: &Catalog, now: Timestamp) -> Result<(), CatalogError> {
        let _alone = self.flushing.lock().await;
        let passed_over = self.passed_over.swap(0, Ordering::Relaxed);
        if passed_over > 0 {
            tracing::warn!(
                passed_over,
                "requests were not counted: too many keys at once"
            );
        }
        let mut written = Ok(());
        for chunk in chunks(self.drain(now)) {
            if let Err(error) = self.write(catalog, chunk, now).await {
                written = Err(error);
            }
        }
        written
    }

    async fn write(
        &self,
        catalog: &Catalog,
        chunk: Vec<(AccessKeyPk, Pending)>,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        let mutation = Mutation::by_system(now, record(&chunk));
        let written = catalog.submit(mutation).await;
        match &written {
            Ok(()) => {}
            Err(CatalogError::OutcomeUnknown) => tracing::warn!(
                keys = chunk.len(),
                "nobody knows whether usage was written: it is not written again"
            ),
            Err(_) => self.restore(chunk),
        }
        written
    }

    /// Takes everything that was counted. Keys with limits that are in use stay, with nothing counted.
    fn drain(&self, now: Timestamp) -> Vec<(AccessKeyPk, Pending)> {
        let mut drained = Vec::new();
        for shard in &self.shards {
            let mut shard = shard
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            let before = shard.len();
            let mut denials = 0;
            shard.retain(|key, meter| {
                let pending = std::mem::take(&mut meter.pending);
                denials += pending.denials.len();
                if !pending.is_empty() {
                    drained.push((*key, pending));
                }
                meter.is_limiting(now)
            });
            self.keys.fetch_sub(before - shard.len(), Ordering::Relaxed);
            self.kept_denials.fetch_sub(denials, Ordering::Relaxed);
        }
        drained
    }

    fn restore(&self, chunk: Vec<(AccessKeyPk, Pending)>) {
        for (key, pending) in chunk {
            let mut shard = self.shard(key);
            let meter = shard.entry(key).or_insert_with(|| {
                self.keys.fetch_add(1, Ordering::Relaxed);
                Meter {
                    pending: Pending::default(),
                    rate: None,
                    day: None,
                    touched: Timestamp::EPOCH,
                }
            });
            let before = meter.pending.denials.len();
            meter.pending.restore(pending);
            let more = meter.pending.denials.len() - before;
            self.kept_denials.fetch_add(more, Ordering::Relaxed);
        }
    }
}

impl Meter {
    /// Whether it knows what a limit needs and nobody else does.
    fn is_limiting(&self, now: Timestamp) -> bool {
        (self.rate.is_some() || self.day.is_some()) && now.since(self.touched) < IDLE
    }
}

fn record(chunk: &[(AccessKeyPk, Pending)]) -> RecordUsage {
    let mut change = RecordUsage::default();
    for (key, pending) in chunk {
        change.usage.extend(pending.rows(*key));
        change.last_uses.extend(pending.last_use(*key));
        change.denials.extend(pending.denials.rows(*key));
    }
    change
}

fn chunks(drained: Vec<(AccessKeyPk, Pending)>) -> Vec<Vec<(AccessKeyPk, Pending)>> {
    let mut chunks: Vec<Vec<_>> = Vec::new();
    let mut room = 0;
    for (key, pending) in drained {
        let rows = pending.rows(key).len() + pending.denials.len() + 1;
        match chunks.last_mut() {
            Some(chunk) if rows <= room => {
                room -= rows;
                chunk.push((key, pending));
            }
            _ => {
                room = MAX_ROWS.saturating_sub(rows);
                chunks.push(vec![(key, pending)]);
            }
        }
    }
    chunks
}
