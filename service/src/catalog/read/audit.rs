use crate::catalog::query::{AuditPage, ListAudit};
use crate::catalog::rows::AuditRow;
use crate::catalog::sql::{Record, Statement};
use crate::catalog::{Catalog, CatalogError};

impl Catalog {
    /// Audit records, newest first.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn list_audit(&self, query: &ListAudit) -> Result<AuditPage, CatalogError> {
        let filters = [
            ("account_id", query.account.map(|id| id.0)),
            ("bucket_id", query.bucket.map(|id| id.0)),
            ("access_key", query.access_key.map(|pk| pk.0)),
        ];
        let filters: Vec<(&str, i64)> = filters
            .into_iter()
            .filter_map(|(column, value)| value.map(|value| (column, value)))
            .collect();
        let mut sql = format!(
            "SELECT {} FROM audit o WHERE o.id < $1",
            AuditRow::TABLE.select_list("o")
        );
        for (position, (column, _)) in filters.iter().enumerate() {
            sql.push_str(&format!(" AND o.{column} = ${}", position + 3));
        }
        sql.push_str(" ORDER BY o.id DESC LIMIT $2");
        let mut statement = Statement::built(sql)
            .bind(query.before.unwrap_or(i64::MAX))
            .bind(super::one_more(query.max));
        for (_, value) in filters {
            statement = statement.bind(value);
        }
        let rows = self.engine().fetch(statement).await?;
        let records = rows.iter().map(AuditRow::read).collect::<Result<_, _>>()?;
        Ok(super::cut(records, query.max))
    }
}
