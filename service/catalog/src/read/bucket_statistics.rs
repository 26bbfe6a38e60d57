use std::collections::HashMap;

use bucketry_domain::BucketId;

use crate::model::BucketStatistics;
use crate::rows::StatisticsRow;
use crate::sql::{Kind, Record};
use crate::{Catalog, CatalogError};

impl Catalog {
    /// Statistics of buckets: exact on SQLite, at most about a second behind on Postgres. A bucket that was always
    /// empty is missing.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn bucket_statistics(
        &self,
        buckets: &[BucketId],
    ) -> Result<HashMap<BucketId, BucketStatistics>, CatalogError> {
        let keys = buckets.iter().map(|id| vec![id.0.into()]).collect();
        let before = StatisticsRow::TABLE.select_from();
        let after = "CROSS JOIN bucket_statistics o WHERE o.bucket_id = k.column1";
        let dialect = self.engine().pools.dialect();
        let mut found = HashMap::with_capacity(buckets.len());
        for statement in dialect.for_keys(&[Kind::Int], keys, before, after) {
            for row in self.engine().fetch(statement, StatisticsRow::read).await? {
                // A number below 0 would be a fault of the log; buckets must be listed all the same.
                let count = |value| {
                    u64::try_from(value).unwrap_or_else(|_| {
                        tracing::error!(
                            bucket = row.bucket.0,
                            value,
                            "a bucket's statistics are wrong"
                        );
                        0
                    })
                };
                let statistics = BucketStatistics {
                    objects: count(row.objects),
                    bytes: count(row.bytes),
                };
                found.insert(row.bucket, statistics);
            }
        }
        Ok(found)
    }
}
