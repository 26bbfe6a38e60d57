use crate::model::NoncurrentVersion;
use crate::sql::{Record, Statement};
use crate::{Catalog, CatalogError};
use bucketry_domain::{BucketId, ObjectKey};

impl Catalog {
    /// The newest noncurrent version of a key, which becomes the current one when that is deleted.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn newest_noncurrent_version(
        &self,
        bucket: BucketId,
        key: &ObjectKey,
    ) -> Result<Option<NoncurrentVersion>, CatalogError> {
        let statement = select_newest_noncurrent(bucket, key);
        self.engine().find(statement, NoncurrentVersion::read).await
    }
}

/// The condition on the generation always holds; on Postgres it is that of the index.
pub(crate) fn select_newest_noncurrent(bucket: BucketId, key: &ObjectKey) -> Statement {
    let sql = format!(
        "SELECT {} FROM object_versions o WHERE o.bucket_id = $1 AND o.key = $2 AND o.generation > 0
         ORDER BY o.generation DESC LIMIT 1",
        NoncurrentVersion::TABLE.select_list("o")
    );
    Statement::built(sql).bind(bucket.0).bind(key.as_bytes())
}
