use std::sync::Arc;

use crate::model::Upload;
use crate::sql::{Record, Statement};
use crate::{Catalog, CatalogError};
use bucketry_domain::UploadId;

impl Catalog {
    /// The upload of this id, open or completed. Whose bucket it is in is for the caller to compare.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn upload(&self, id: UploadId) -> Result<Option<Arc<Upload>>, CatalogError> {
        let sql = format!(
            "SELECT {} FROM uploads o WHERE o.id = $1",
            Upload::TABLE.select_list("o")
        );
        let rows = self
            .engine()
            .fetch(Statement::built(sql).bind(id.as_bytes().as_slice()))
            .await?;
        rows.first()
            .map(|row| Upload::read(row).map(Arc::new))
            .transpose()
    }
}
