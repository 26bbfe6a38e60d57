use std::collections::BTreeSet;

use super::blob_batches::referenced;
use crate::catalog::sql::Statement;
use crate::catalog::{Catalog, CatalogError};
use crate::domain::BlobId;

impl Catalog {
    /// Which of these blobs something refers to.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn referenced_blobs(
        &self,
        blobs: &[BlobId],
    ) -> Result<BTreeSet<BlobId>, CatalogError> {
        let mut connection = self.engine().pools.writer().await?;
        referenced(&mut connection, blobs.iter().copied()).await
    }

    /// All blobs above `after` that something refers to, in order, at most `max`: for comparing with the store.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn list_referenced_blobs(
        &self,
        after: Option<BlobId>,
        max: u32,
    ) -> Result<Vec<BlobId>, CatalogError> {
        let sql =
            "SELECT DISTINCT blob_id FROM blob_refs WHERE blob_id > $1 ORDER BY blob_id LIMIT $2";
        let after = after.map_or(i64::MIN, BlobId::to_i64);
        let rows = self
            .engine()
            .fetch(Statement::new(sql).bind(after).bind(i64::from(max)))
            .await?;
        rows.iter()
            .map(|row| Ok(BlobId::from_i64(row.int(0)?)))
            .collect()
    }
}
