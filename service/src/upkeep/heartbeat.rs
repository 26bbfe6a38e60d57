//! Renews this node's lease, apart from everything that may wait for the blob store, and compares its clock with the
//! database's.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{self, Duration};

use metrics::gauge;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::blobs::BlobStore;
use crate::catalog::{Catalog, CatalogError, TOLERATED_CLOCK_OFFSET, clock_offset_micros};
use crate::clock::Clock;
use crate::content::Placement;
use crate::domain::NodeId;
use crate::telemetry::metrics::CLOCK_OFFSET;

/// Renewals tried within a lease, so that two may fail.
const RENEWALS_PER_LEASE: u32 = 3;
/// The lease of one node.
#[derive(Clone)]
pub(crate) struct Heartbeat {
    pub(crate) catalog: Catalog,
    pub(crate) blobs: BlobStore,
    pub(crate) placement: Placement,
    pub(crate) node: NodeId,
    pub(crate) clock: Clock,
    /// How long the lease lasts from each renewal on.
    pub(crate) lease: Duration,
    reported: Arc<Mutex<Option<i64>>>,
}

impl Heartbeat {
    pub(crate) fn new(
        catalog: Catalog,
        blobs: BlobStore,
        placement: Placement,
        (node, clock): (NodeId, Clock),
        lease: Duration,
    ) -> Self {
        Self {
            catalog,
            blobs,
            placement,
            node,
            clock,
            lease,
            reported: Arc::default(),
        }
    }

    /// Renews the lease until the future is dropped. A failed renewal is logged and tried again.
    pub(crate) async fn run(self, at_most: Duration) {
        let mut ticks = interval(at_most.min(self.lease / RENEWALS_PER_LEASE));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.beat().await {
                tracing::warn!(%error, "cannot renew the node's lease; retrying");
            }
        }
    }

    /// Renews the lease once.
    pub(crate) async fn beat(&self) -> Result<(), CatalogError> {
        // Read before the query, so that the lease ends for this node no later than for the others.
        let begun = Instant::now();
        let asked = Clock::System.now();
        let database = self.catalog.database_time().await?;
        if let Some(database) = database {
            self.clock
                .correct(begun.into_std(), time::Instant::now(), database);
            let offset = clock_offset_micros(asked, Clock::System.now(), database);
            self.compare_clocks(offset);
        }
        let now = database.unwrap_or_else(|| self.clock.now());
        let lease_until = now.saturating_add(self.lease);
        let oldest = now.saturating_sub(self.oldest_read_age());
        self.catalog
            .heartbeat(self.node, lease_until, oldest)
            .await?;
        if self.placement.renewed(begun, begun + self.lease) {
            tracing::warn!("the node's lease had expired; reserving new blob ids");
            self.placement.end_current().await;
        }
        Ok(())
    }

    /// The age of the oldest running read. Not a time, since the clocks may differ.
    fn oldest_read_age(&self) -> Duration {
        let oldest = self.blobs.oldest_read_at();
        oldest.map_or(Duration::ZERO, |began| began.elapsed())
    }

    fn compare_clocks(&self, offset_micros: i64) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds of an offset need no more than a double has"
        )]
        let seconds = offset_micros as f64 / 1e6;
        gauge!(CLOCK_OFFSET).set(seconds);
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        match report(*reported, offset_micros) {
            ClockReport::Nothing => return,
            ClockReport::Differs => tracing::warn!(
                offset_seconds = format!("{seconds:.1}"),
                "this node's clock differs from the database's; synchronize both with NTP"
            ),
            ClockReport::Agrees => tracing::info!(
                offset_seconds = format!("{seconds:.1}"),
                "this node's clock agrees with the database's again"
            ),
        }
        *reported = Some(offset_micros);
    }
}

/// The clock report, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClockReport {
    Nothing,
    Differs,
    Agrees,
}

/// Compares an offset with the one that was reported last.
fn report(reported: Option<i64>, offset: i64) -> ClockReport {
    let differs =
        |offset: i64| u128::from(offset.unsigned_abs()) > TOLERATED_CLOCK_OFFSET.as_micros();
    match reported {
        Some(last) if differs(last) && !differs(offset) => ClockReport::Agrees,
        Some(last) if differs(offset) && !differs(last.saturating_sub(offset)) && differs(last) => {
            ClockReport::Nothing
        }
        Some(_) | None if differs(offset) => ClockReport::Differs,
        Some(_) | None => ClockReport::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use bucketry_blobs::{BlobStoreOptions, StoreUrl};
    use bucketry_catalog::testing::{T0, by_the_servers_clock, second_session, server_time};
    use sqlx::Connection as _;

    const LEASE: Duration = Duration::from_secs(60);

    #[test]
    fn a_clock_is_reported_when_it_differs_and_when_that_changes() {
        let seconds = |seconds: i64| seconds * 1_000_000;
        assert_eq!(report(None, seconds(5)), ClockReport::Nothing);
        assert_eq!(report(None, seconds(-6)), ClockReport::Differs);
        assert_eq!(report(Some(seconds(70)), seconds(71)), ClockReport::Nothing);
        assert_eq!(
            report(Some(seconds(70)), seconds(-70)),
            ClockReport::Differs
        );
        assert_eq!(report(Some(seconds(70)), seconds(1)), ClockReport::Agrees);
        assert_eq!(report(Some(seconds(1)), seconds(2)), ClockReport::Nothing);
        assert_eq!(report(Some(seconds(1)), seconds(6)), ClockReport::Differs);
    }

    #[test]
    fn an_answer_that_took_long_is_dated_halfway() {
        let at = Timestamp::from_seconds;
        assert_eq!(clock_offset_micros(at(100), at(104), at(100)), 2_000_000);
        assert_eq!(clock_offset_micros(at(100), at(100), at(220)), -120_000_000);
    }

    #[tokio::test]
    async fn leases_go_by_the_servers_clock() {
        let fixture = by_the_servers_clock().await;
        let blobs = BlobStore::open(&StoreUrl::Memory, &BlobStoreOptions::default()).unwrap();
        for clock in [Timestamp::EPOCH, T0.saturating_add(LEASE * 100_000)] {
            let clock = Clock::Fixed(clock);
            let node = NodeId(fixture.catalog.next_id().await.unwrap());
            let placement = Placement::new(fixture.catalog.clone(), node, clock.clone());
            let heartbeat = Heartbeat::new(
                fixture.catalog.clone(),
                blobs.clone(),
                placement,
                (node, clock),
                LEASE,
            );
            let before = server_time(&fixture).await;
            // A read that began 10 seconds ago.
            let ten = Duration::from_secs(10);
            let _read = blobs.begin_read(Instant::now().into_std().checked_sub(ten).unwrap());
            heartbeat.beat().await.unwrap();
            let after = server_time(&fixture).await;
            let mut session = second_session(&fixture).await;
            let read =
                sqlx::query_as("SELECT lease_until, oldest_read_at FROM nodes WHERE id = $1");
            let (lease_until, oldest): (i64, i64) =
                read.bind(node.0).fetch_one(&mut session).await.unwrap();
            let lease_until = Timestamp::from_micros(lease_until);
            assert!(before.saturating_add(LEASE) <= lease_until);
            assert!(lease_until <= after.saturating_add(LEASE));
            let oldest = Timestamp::from_micros(oldest).saturating_add(ten);
            // The age is taken after the server was asked.
            let slack = Duration::from_secs(1);
            assert!(before <= oldest.saturating_add(slack) && oldest <= after);
            session.close().await.unwrap();
        }
        fixture.finish().await;
    }
}
