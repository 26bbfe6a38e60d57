use std::collections::BTreeSet;

use super::blob_batches::referenced;
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
        let mut connection = self.engine().pools.writer().await?;
        referenced(&mut connection, blobs.iter().copied()).await
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
        let mut connection = self.engine().pools.writer().await?;
        let mut found = BTreeSet::new();
        for statement in connection
            .dialect()
            .for_keys(&[Kind::Int, Kind::Int], keys, before, after)
        {
            for row in connection.fetch(statement).await? {
                found.insert(BlobId::from_i64(row.int(0)?));
            }
        }
        Ok(found)
    }
}
