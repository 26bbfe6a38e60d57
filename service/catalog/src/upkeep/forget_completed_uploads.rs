use crate::sql::Statement;
use crate::{Catalog, CatalogError};
use bucketry_domain::Timestamp;

impl Catalog {
    /// Forgets up to `max` uploads that were completed before this; answers how many. A later repetition of their
    /// completion is answered as for an unknown upload.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn forget_completed_uploads(
        &self,
        before: Timestamp,
        max: u32,
    ) -> Result<u64, CatalogError> {
        let sql = "DELETE FROM uploads WHERE state = 1 AND id IN
                   (SELECT id FROM uploads WHERE state = 1 AND done_at < $1 ORDER BY done_at LIMIT $2)";
        let statement = Statement::new(sql)
            .bind(before.as_micros())
            .bind(i64::from(max));
        Ok(self
            .engine()
            .pools
            .writer()
            .await?
            .execute(statement)
            .await?)
    }
}
