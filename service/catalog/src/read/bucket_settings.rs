use std::sync::Arc;

use crate::rows::SettingRow;
use crate::sql::{Record, Statement};
use crate::{Catalog, CatalogError};
use bucketry_domain::{BucketId, BucketName, BucketSetting, BucketSettings};

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
        let sql = format!(
            "SELECT {} FROM buckets b JOIN bucket_settings o ON o.bucket_id = b.id
             WHERE b.name = $1 AND b.state = 0 AND o.name = $2",
            SettingRow::TABLE.select_list("o")
        );
        let statement = Statement::built(sql).bind(name.as_str());
        self.collect(statement.bind(needed.name())).await
    }

    async fn fetch_settings(&self, bucket: BucketId) -> Result<Arc<BucketSettings>, CatalogError> {
        let sql = format!(
            "SELECT {} FROM bucket_settings o WHERE o.bucket_id = $1",
            SettingRow::TABLE.select_list("o")
        );
        self.collect(Statement::built(sql).bind(bucket.0)).await
    }

    async fn collect(&self, statement: Statement) -> Result<Arc<BucketSettings>, CatalogError> {
        let mut settings = BucketSettings::default();
        for row in self.engine().fetch(statement).await? {
            SettingRow::read(&row)?.restore(&mut settings)?;
        }
        Ok(Arc::new(settings))
    }
}
