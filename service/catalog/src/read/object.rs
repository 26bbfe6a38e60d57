use std::sync::{Arc, LazyLock};

use crate::cache::KnownObject;
use crate::model::{ObjectRow, StoredObject};
use crate::rows::read_data;
use crate::sql::{Record, Row, Statement};
use crate::{Catalog, CatalogError};
use bucketry_domain::{BucketId, ObjectKey};

static BY_KEY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {}, d.inline, d.layout FROM objects o LEFT JOIN object_data d ON d.data_id = o.data_id
         WHERE o.bucket_id = $1 AND o.key = $2",
        ObjectRow::TABLE.select_list("o")
    )
});

static ROW_BY_KEY: LazyLock<String> = LazyLock::new(|| {
    let select = ObjectRow::TABLE.select_from();
    format!("{select} objects o WHERE o.bucket_id = $1 AND o.key = $2")
});

impl Catalog {
    /// The current version of a key with its data. The bucket's state is not looked at.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn object(
        &self,
        bucket: BucketId,
        key: &ObjectKey,
    ) -> Result<Option<Arc<StoredObject>>, CatalogError> {
        let Some(caches) = &self.engine().caches else {
            return self.fetch_object(bucket, key).await;
        };
        let place = (bucket, key.clone());
        match caches.objects.get(&place) {
            Some(KnownObject::Absent) => return Ok(None),
            Some(KnownObject::Whole(object)) => return Ok(Some(object)),
            Some(KnownObject::Row(_)) | None => {}
        }
        let ticket = caches.objects.ticket(&place);
        let object = self.fetch_object(bucket, key).await?;
        caches.objects.fill(place, object.clone().into(), ticket);
        Ok(object)
    }

    /// The current version of a key without its data. The bucket's state is not looked at.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn object_row(
        &self,
        bucket: BucketId,
        key: &ObjectKey,
    ) -> Result<Option<Arc<ObjectRow>>, CatalogError> {
        let Some(caches) = &self.engine().caches else {
            return self.fetch_row(bucket, key).await;
        };
        let place = (bucket, key.clone());
        match caches.objects.get(&place) {
            Some(KnownObject::Absent) => return Ok(None),
            Some(KnownObject::Row(row)) => return Ok(Some(row)),
            Some(KnownObject::Whole(object)) => return Ok(Some(object.row.clone())),
            None => {}
        }
        let ticket = caches.objects.ticket(&place);
        let row = self.fetch_row(bucket, key).await?;
        caches.objects.fill(place, row.clone().into(), ticket);
        Ok(row)
    }

    async fn fetch_object(
        &self,
        bucket: BucketId,
        key: &ObjectKey,
    ) -> Result<Option<Arc<StoredObject>>, CatalogError> {
        let statement = Statement::new(&BY_KEY).bind(bucket.0).bind(key.as_bytes());
        self.engine().find(statement, read_stored).await
    }

    async fn fetch_row(
        &self,
        bucket: BucketId,
        key: &ObjectKey,
    ) -> Result<Option<Arc<ObjectRow>>, CatalogError> {
        let statement = Statement::new(&ROW_BY_KEY)
            .bind(bucket.0)
            .bind(key.as_bytes());
        let read = |found: &Row<'_>| ObjectRow::read(found).map(Arc::new);
        self.engine().find(statement, read).await
    }
}

fn read_stored(found: &Row<'_>) -> Result<Arc<StoredObject>, CatalogError> {
    let row = ObjectRow::read(found)?;
    let data = read_data(&row, found, ObjectRow::TABLE.columns.len())?;
    Ok(Arc::new(StoredObject {
        row: Arc::new(row),
        data,
    }))
}
