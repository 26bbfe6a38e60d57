use crate::query::{AuditPage, ListAudit};
use crate::rows::AuditRow;
use crate::sql::{Record, Statement};
use crate::{Catalog, CatalogError};
use bucketry_domain::Timestamp;

/// The most characters that are read of the details of one record: more than any record has that is written now. Records
/// of earlier versions could have megabytes.
pub const MAX_READ_DETAILS: usize = 32 * 1024;

impl Catalog {
    /// Audit records, newest first: by time, and by id where the time is the same. Ids alone would not do, since every
    /// node takes its own from a block. Details end after [`MAX_READ_DETAILS`] characters and one.
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
        // One character more tells that the details were cut.
        let columns = AuditRow::TABLE.select_list("o").replace(
            "o.details",
            &format!("SUBSTR(o.details, 1, {})", MAX_READ_DETAILS + 1),
        );
        let mut sql = format!("SELECT {columns} FROM audit o WHERE (o.at, o.id) < ($1, $2)");
        for (position, (column, _)) in filters.iter().enumerate() {
            sql.push_str(&format!(" AND o.{column} = ${}", position + 4));
        }
        sql.push_str(" ORDER BY o.at DESC, o.id DESC LIMIT $3");
        let (at, id) = query.before.unwrap_or((Timestamp::MAX, i64::MAX));
        let mut statement = Statement::built(sql)
            .bind(at.as_micros())
            .bind(id)
            .bind(super::one_more(query.max));
        for (_, value) in filters {
            statement = statement.bind(value);
        }
        let records = self.engine().scan(statement, AuditRow::read).await?;
        Ok(super::cut(records, query.max))
    }
}
