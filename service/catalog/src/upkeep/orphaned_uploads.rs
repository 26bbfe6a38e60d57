use std::sync::Arc;

use crate::model::Upload;
use crate::sql::{Record, Statement};
use crate::{Catalog, CatalogError};

impl Catalog {
    /// Open uploads that the sweeper should abort: those of deleted buckets.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn orphaned_uploads(&self, max: u32) -> Result<Vec<Arc<Upload>>, CatalogError> {
        let sql = format!(
            "SELECT {} FROM buckets b CROSS JOIN uploads o
             WHERE b.state = 1 AND o.state = 0 AND o.bucket_id = b.id ORDER BY o.bucket_id, o.key, o.id LIMIT $1",
            Upload::TABLE.select_list("o")
        );
        let rows = self
            .engine()
            .fetch(Statement::built(sql).bind(i64::from(max)))
            .await?;
        rows.iter()
            .map(|row| Upload::read(row).map(Arc::new))
            .collect()
    }
}
