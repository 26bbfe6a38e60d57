use std::time::Duration;

use crate::{Catalog, CatalogError};
use bucketry_domain::Timestamp;

/// By how much the clock of a node may differ from the database's before that is reported.
pub const TOLERATED_CLOCK_OFFSET: Duration = Duration::from_secs(5);

/// By how much this machine's clock is ahead of the database's, in microseconds. Assumes that the database read its
/// clock halfway between query and answer.
#[must_use]
pub fn clock_offset_micros(asked: Timestamp, answered: Timestamp, database: Timestamp) -> i64 {
    let (asked, answered) = (asked.as_micros(), answered.as_micros());
    let middle = asked.saturating_add(answered.saturating_sub(asked) / 2);
    middle.saturating_sub(database.as_micros())
}

impl Catalog {
    /// The time by the database's clock, which leases and grace delays use on Postgres. `None` on SQLite,
    /// where the caller's own clock counts.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn database_time(&self) -> Result<Option<Timestamp>, CatalogError> {
        self.engine().database_time().await
    }
}
