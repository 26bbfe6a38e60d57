use std::sync::{Arc, LazyLock};

use crate::model::Upload;
use crate::sql::{Record, Row, Statement};
use crate::{Catalog, CatalogError};
use bucketry_domain::UploadId;

static BY_ID: LazyLock<String> = LazyLock::new(|| {
    let select = Upload::TABLE.select_from();
    format!("{select} uploads o WHERE o.id = $1")
});

impl Catalog {
    /// The upload of this id, open or completed. Whose bucket it is in is for the caller to compare.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn upload(&self, id: UploadId) -> Result<Option<Arc<Upload>>, CatalogError> {
        let statement = Statement::new(&BY_ID).bind(id.as_bytes().as_slice());
        let read = |row: &Row<'_>| Upload::read(row).map(Arc::new);
        self.engine().find(statement, read).await
    }
}
