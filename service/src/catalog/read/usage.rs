use crate::catalog::model::{LastUse, UsageRow};
use crate::catalog::sql::{Record, Statement};
use crate::catalog::{Catalog, CatalogError};
use crate::domain::{AccessKeyPk, Timestamp};

impl Catalog {
    /// Usage of a key in the hours from `from` (inclusive) to `to` (exclusive), by hour and class.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn usage(
        &self,
        access_key: AccessKeyPk,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<UsageRow>, CatalogError> {
        let sql = format!(
            "SELECT {} FROM usage_hours o WHERE o.access_key = $1 AND o.hour >= $2 AND o.hour < $3
             ORDER BY o.hour, o.class",
            UsageRow::TABLE.select_list("o")
        );
        let statement = Statement::built(sql)
            .bind(access_key.0)
            .bind(from.as_micros())
            .bind(to.as_micros());
        self.engine()
            .fetch(statement)
            .await?
            .iter()
            .map(UsageRow::read)
            .collect()
    }

    /// The latest recorded use of a key.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn last_use(&self, access_key: AccessKeyPk) -> Result<Option<LastUse>, CatalogError> {
        let sql = format!(
            "SELECT {} FROM last_uses o WHERE o.access_key = $1",
            LastUse::TABLE.select_list("o")
        );
        let rows = self
            .engine()
            .fetch(Statement::built(sql).bind(access_key.0))
            .await?;
        rows.first().map(LastUse::read).transpose()
    }
}
