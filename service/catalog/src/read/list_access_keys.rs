use std::sync::Arc;

use crate::model::AccessKey;
use crate::query::{AccessKeyPage, KeysOf, ListAccessKeys};
use crate::sql::{Record, Row, Statement};
use crate::{Catalog, CatalogError};

impl Catalog {
    /// Access keys in the order of their making, in whatever state.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn list_access_keys(
        &self,
        query: &ListAccessKeys,
    ) -> Result<AccessKeyPage, CatalogError> {
        let (condition, value) = match query.of {
            KeysOf::Everyone => ("o.pk >= $3", 0),
            KeysOf::Operators => ("o.scope = $3", 0),
            KeysOf::Administrators => ("o.scope <> $3", 2),
            KeysOf::AdministratorsOf(account) => ("o.account_id = $3 AND o.scope = 1", account.0),
            KeysOf::Account(account) => ("o.account_id = $3", account.0),
            KeysOf::Bucket(bucket) => ("o.bucket_id = $3", bucket.0),
            KeysOf::Orphaned(None) => (
                "o.scope = $3 AND EXISTS (SELECT 1 FROM buckets b WHERE b.id = o.bucket_id AND b.state = 1)",
                2,
            ),
            KeysOf::Orphaned(Some(account)) => (
                "o.account_id = $3 AND o.scope = 2
                 AND EXISTS (SELECT 1 FROM buckets b WHERE b.id = o.bucket_id AND b.state = 1)",
                account.0,
            ),
            KeysOf::Kek(kek) => ("o.kek_id = $3", kek),
        };
        let list = AccessKey::TABLE.select_list("o");
        let sql = format!(
            "SELECT {list} FROM access_keys o WHERE o.pk > $1 AND {condition} ORDER BY o.pk LIMIT $2"
        );
        let statement = Statement::built(sql)
            .bind(query.after.map_or(0, |pk| pk.0))
            .bind(super::one_more(query.max))
            .bind(value);
        let read = |row: &Row<'_>| AccessKey::read(row).map(Arc::new);
        let keys = self.engine().scan(statement, read).await?;
        Ok(super::cut(keys, query.max))
    }
}
