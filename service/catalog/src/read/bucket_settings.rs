use std::sync::{Arc, LazyLock};

use crate::rows::SettingRow;
use crate::sql::{Record, Statement};
use crate::{Catalog, CatalogError};
use bucketry_domain::{BucketId, BucketName, BucketSetting, BucketSettings};

static BY_BUCKET: LazyLock<String> = LazyLock::new(|| {
    let select = SettingRow::TABLE.select_from();
    format!("{select} bucket_settings o WHERE o.bucket_id = $1")
});

static BY_BUCKET_NAME: LazyLock<String> = LazyLock::new(|| {
    let select = SettingRow::TABLE.select_from();
    format!(
        "{select} buckets b JOIN bucket_settings o ON o.bucket_id = b.id
         WHERE b.name = $1 AND b.state = 0 AND o.name = $2"
    )
});

impl Catalog {
    /// The settings of a bucket. A bucket that is deleted has none.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn bucket_settings(
        &self,
        bucket: BucketId,
    ) -> Result<Arc<BucketSettings>, CatalogError> {
        let Some(caches) = &self.engine().caches else {
            return self.fetch_settings(bucket).await;
        };
        if let Some(settings) = caches.settings.get(&bucket) {
            return Ok(settings);
        }
        let ticket = caches.settings.ticket(&bucket);
        let settings = self.fetch_settings(bucket).await?;
        caches.settings.fill(bucket, settings.clone(), ticket);
        Ok(settings)
    }

    /// The settings of the live bucket of this name. Only `needed` is guaranteed to be loaded: without a cache no other
    /// setting is read. A missing bucket has none.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn setting_by_bucket_name(
        &self,
        name: &BucketName,
        needed: BucketSetting,
    ) -> Result<Arc<BucketSettings>, CatalogError> {
        if self.engine().caches.is_some() {
            return match self.bucket_by_name(name).await? {
                Some(bucket) => self.bucket_settings(bucket.id).await,
                None => Ok(Arc::default()),
            };
        }
        let statement = Statement::new(&BY_BUCKET_NAME).bind(name.as_str());
        self.collect(statement.bind(needed.name())).await
    }

    async fn fetch_settings(&self, bucket: BucketId) -> Result<Arc<BucketSettings>, CatalogError> {
        self.collect(Statement::new(&BY_BUCKET).bind(bucket.0))
            .await
    }

    async fn collect(&self, statement: Statement) -> Result<Arc<BucketSettings>, CatalogError> {
        let mut settings = BucketSettings::default();
        for row in self.engine().fetch(statement, SettingRow::read).await? {
            row.restore(&mut settings)?;
        }
        Ok(Arc::new(settings))
    }
}
