use crate::{Catalog, CatalogError};
use bucketry_domain::Timestamp;

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
