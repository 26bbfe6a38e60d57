use std::sync::Arc;

use crate::model::Upload;
use crate::sql::{Record, Row, Statement};
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
        let statement = Statement::built(sql).bind(i64::from(max));
        let read = |row: &Row<'_>| Upload::read(row).map(Arc::new);
        self.engine().scan(statement, read).await
    }
}
