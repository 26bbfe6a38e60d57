use crate::model::{KeyVersion, NoncurrentVersion, ObjectRow, StoredObject};
use crate::rows::read_data;
use crate::sql::{Record, Row, Statement};
use crate::{Catalog, CatalogError};
use bucketry_domain::{BucketId, ObjectKey, VersionId};

impl Catalog {
    /// A version of a key, current or not, with its data. [`VersionId::NULL`] is the null version.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn object_version(
        &self,
        bucket: BucketId,
        key: &ObjectKey,
        version: VersionId,
    ) -> Result<Option<KeyVersion<StoredObject>>, CatalogError> {
        let statement = select_version(bucket, key, version);
        self.engine().find(statement, read_stored).await
    }
}

fn read_stored(found: &Row<'_>) -> Result<KeyVersion<StoredObject>, CatalogError> {
    let row = match NoncurrentVersion::read(found)? {
        KeyVersion::Object(row) => row,
        KeyVersion::DeleteMarker(marker) => return Ok(KeyVersion::DeleteMarker(marker)),
    };
    let data = read_data(&row, found, ObjectRow::TABLE.columns.len())?;
    Ok(KeyVersion::Object(StoredObject { row, data }))
}

/// A key has at most one row in `objects`, so that the primary key finds it there.
pub(crate) fn select_version(bucket: BucketId, key: &ObjectKey, version: VersionId) -> Statement {
    let select = |table: &str| {
        format!(
            "SELECT {}, d.inline, d.layout FROM {table} o LEFT JOIN object_data d ON d.data_id = o.data_id
             WHERE o.bucket_id = $1 AND o.key = $2 AND o.version_id = $3",
            ObjectRow::TABLE.select_list("o")
        )
    };
    let tables = [ObjectRow::TABLE.name, NoncurrentVersion::TABLE.name];
    Statement::built(tables.map(select).join(" UNION ALL "))
        .bind(bucket.0)
        .bind(key.as_bytes())
        .bind(version.0)
}
