//! Assigns committed changes their positions in the change log on Postgres, where commits do not do it themselves.

use std::time::Duration;

use crate::catalog::Catalog;

/// Changes in one transaction.
const BATCH: u32 = 1000;
/// The pause between two steps while there are changes, and while there are none. A change is in the log, and in the
/// statistics of its bucket, within a second.
const BUSY: Duration = Duration::from_millis(100);
const IDLE: Duration = Duration::from_millis(500);
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Runs until its future is dropped. All nodes run it; the database admits one at a time.
pub(crate) async fn sequence_changes(catalog: Catalog) {
    loop {
        let pause = match catalog.sequence_changes(BATCH).await {
            Ok(0) => IDLE,
            Ok(moved) if moved >= u64::from(BATCH) => Duration::ZERO,
            Ok(_) => BUSY,
            Err(error) => {
                tracing::warn!(%error, "the change log could not be continued; retrying");
                AFTER_FAILURE
            }
        };
        tokio::time::sleep(pause).await;
    }
}
