use std::time::Duration;

use tokio::time::timeout;

use crate::sql::Statement;
use crate::{Catalog, CatalogError};

/// How long [`Catalog::ping`] waits for the database.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

impl Catalog {
    /// Reports whether the database answers. Returns within a second; on Postgres at once while it is known not to answer.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails or does not answer in time.
    pub async fn ping(&self) -> Result<(), CatalogError> {
        let timed_out = || CatalogError::from(sqlx::Error::PoolTimedOut);
        if !self.engine().pools.is_up() {
            return Err(timed_out());
        }
        let answer = self.engine().pools.fetch(Statement::new("SELECT 1"));
        timeout(PING_TIMEOUT, answer)
            .await
            .map_err(|_| timed_out())??;
        Ok(())
    }
}
