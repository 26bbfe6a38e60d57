use std::collections::HashMap;

use bucketry_domain::BucketId;

use crate::model::BucketStatistics;
use crate::rows::StatisticsRow;
use crate::sql::{Kind, Record};
use crate::{Catalog, CatalogError};

impl Catalog {
    /// What buckets hold: exact on SQLite, and on Postgres within about a second. A bucket that never held anything is
    /// missing.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn bucket_statistics(
        &self,
        buckets: &[BucketId],
    ) -> Result<HashMap<BucketId, BucketStatistics>, CatalogError> {
        let keys = buckets.iter().map(|id| vec![id.0.into()]).collect();
        let before = format!("SELECT {} FROM", StatisticsRow::TABLE.select_list("o"));
        let after = "CROSS JOIN bucket_statistics o WHERE o.bucket_id = k.column1";
        let dialect = self.engine().pools.dialect();
        let mut found = HashMap::with_capacity(buckets.len());
        for statement in dialect.for_keys(&[Kind::Int], keys, &before, after) {
            for row in self.engine().fetch(statement).await? {
                let row = StatisticsRow::read(&row)?;
                let count = |value| {
                    u64::try_from(value).map_err(|_| CatalogError::Corrupt("bucket_statistics"))
                };
                let statistics = BucketStatistics {
                    objects: count(row.objects)?,
                    bytes: count(row.bytes)?,
                };
                found.insert(row.bucket, statistics);
            }
        }
        Ok(found)
    }
}
