use std::collections::BTreeSet;

use super::blob_batches::{read_blob, select_referenced};
use crate::sql::Kind;
use crate::{Catalog, CatalogError};
use bucketry_domain::BlobId;

impl Catalog {
    /// Which of these blobs something refers to.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn referenced_blobs(
        &self,
        blobs: &[BlobId],
    ) -> Result<BTreeSet<BlobId>, CatalogError> {
        let engine = self.engine();
        let mut found = BTreeSet::new();
        for statement in select_referenced(engine.pools.dialect(), blobs.iter().copied()) {
            found.extend(engine.scan(statement, read_blob).await?);
        }
        Ok(found)
    }

    /// Which of these blobs something refers to, a reservation protects or a mark of garbage leads to.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn explained_blobs(
        &self,
        blobs: &[BlobId],
    ) -> Result<BTreeSet<BlobId>, CatalogError> {
        let keys = blobs
            .iter()
            .map(|blob| vec![blob.to_i64().into(), blob.batch.0.into()])
            .collect();
        let before = "SELECT DISTINCT k.column1 FROM";
        let after = "WHERE EXISTS (SELECT 1 FROM blob_refs r WHERE r.blob_id = k.column1)
                     OR EXISTS (SELECT 1 FROM blob_batches b WHERE b.id = k.column2)
                     OR EXISTS (SELECT 1 FROM garbage g WHERE g.blob_id = k.column1)";
        let engine = self.engine();
        let dialect = engine.pools.dialect();
        let mut found = BTreeSet::new();
        for statement in dialect.for_keys(&[Kind::Int, Kind::Int], keys, before, after) {
            found.extend(engine.scan(statement, read_blob).await?);
        }
        Ok(found)
    }
}
