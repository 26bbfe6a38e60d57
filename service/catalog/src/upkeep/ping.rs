use std::time::Duration;

use tokio::time::timeout;

use crate::sql::{DatabaseError, Row, Statement};
use crate::{Catalog, CatalogError};

/// How long [`Catalog::ping`] waits for the database.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

impl Catalog {
    /// Reports whether the database answers. Returns within a second; on Postgres at once while it is known not to answer.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails or does not answer in time.
    pub async fn ping(&self) -> Result<(), CatalogError> {
        let timed_out = || CatalogError::from(DatabaseError::Unavailable);
        if !self.engine().pools.is_up() {
            return Err(timed_out());
        }
        let ask = Statement::new("SELECT 1");
        let mut read = |_: &Row<'_>| Ok(());
        let answer = self.engine().pools.fetch(&ask, &mut read);
        timeout(PING_TIMEOUT, answer)
            .await
            .map_err(|_| timed_out())??;
        Ok(())
    }
}
