use std::sync::{Arc, LazyLock};

use crate::model::Bucket;
use crate::sql::{Record, Row, Statement, Value};
use crate::{Catalog, CatalogError};
use bucketry_domain::{BucketId, BucketName};

static BY_NAME: LazyLock<String> = LazyLock::new(|| select("o.name = $1 AND o.state = 0"));
static BY_ID: LazyLock<String> = LazyLock::new(|| select("o.id = $1"));

fn select(condition: &str) -> String {
    let columns = Bucket::TABLE.select_from();
    format!("{columns} buckets o WHERE {condition}")
}

impl Catalog {
    /// The live bucket of this name.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn bucket_by_name(
        &self,
        name: &BucketName,
    ) -> Result<Option<Arc<Bucket>>, CatalogError> {
        let Some(caches) = &self.engine().caches else {
            let bucket = self.fetch_bucket(&BY_NAME, name.as_str()).await?;
            if let Some(hints) = &self.engine().hints {
                hints.learn_bucket(name, bucket.as_ref());
            }
            return Ok(bucket);
        };
        if let Some(bucket) = caches.buckets_by_name.get(name) {
            return Ok(Some(bucket));
        }
        let ticket = caches.buckets_by_name.ticket(name);
        let bucket = self.fetch_bucket(&BY_NAME, name.as_str()).await?;
        if let Some(bucket) = &bucket {
            caches
                .buckets_by_name
                .fill(name.clone(), bucket.clone(), ticket);
        }
        Ok(bucket)
    }

    /// The bucket of this id, a deleted one too.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn bucket(&self, id: BucketId) -> Result<Option<Arc<Bucket>>, CatalogError> {
        let Some(caches) = &self.engine().caches else {
            return self.fetch_bucket(&BY_ID, id.0).await;
        };
        if let Some(bucket) = caches.buckets_by_id.get(&id) {
            return Ok(Some(bucket));
        }
        let ticket = caches.buckets_by_id.ticket(&id);
        let bucket = self.fetch_bucket(&BY_ID, id.0).await?;
        if let Some(bucket) = &bucket {
            caches.buckets_by_id.fill(id, bucket.clone(), ticket);
        }
        Ok(bucket)
    }

    async fn fetch_bucket(
        &self,
        sql: &'static str,
        value: impl Into<Value>,
    ) -> Result<Option<Arc<Bucket>>, CatalogError> {
        let read = |row: &Row<'_>| Bucket::read(row).map(Arc::new);
        let statement = Statement::new(sql).bind(value);
        self.engine().find(statement, read).await
    }
}
