use std::collections::HashMap;

use crate::model::{DenialRow, LastUse, UsageRow};
use crate::rows::{StoredDenial, size};
use crate::sql::{Kind, Record, Row, Statement, Value};
use crate::{Catalog, CatalogError};
use bucketry_domain::{AccessKeyPk, Timestamp};

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
        self.engine().scan(statement, UsageRow::read).await
    }

    /// The bytes in and out of a key in the hours from `from` (inclusive) to `to` (exclusive).
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn bytes_used(
        &self,
        access_key: AccessKeyPk,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<u64, CatalogError> {
        let sql = "SELECT CAST(COALESCE(SUM(bytes_in + bytes_out), 0) AS BIGINT) FROM usage_hours
                   WHERE access_key = $1 AND hour >= $2 AND hour < $3";
        let statement = Statement::new(sql)
            .bind(access_key.0)
            .bind(from.as_micros())
            .bind(to.as_micros());
        let sum = self.engine().find(statement, |row| Ok(row.int(0)?)).await?;
        size(sum.unwrap_or(0), "usage_hours.bytes")
    }

    /// The latest recorded uses of keys, in one question; keys that were never used are not in it.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn last_uses(
        &self,
        access_keys: &[AccessKeyPk],
    ) -> Result<HashMap<AccessKeyPk, LastUse>, CatalogError> {
        let keys: Vec<Vec<Value>> = access_keys.iter().map(|pk| vec![pk.0.into()]).collect();
        let before = LastUse::TABLE.select_from();
        let after = "CROSS JOIN last_uses o WHERE o.access_key = k.column1";
        let dialect = self.engine().pools.dialect();
        let mut found = HashMap::with_capacity(access_keys.len());
        for statement in dialect.for_keys(&[Kind::Int], keys, before, after) {
            let uses = self.engine().fetch(statement, LastUse::read).await?;
            found.extend(uses.into_iter().map(|used| (used.access_key, used)));
        }
        Ok(found)
    }

    /// The kept denials of a key, newest first, at most `max`.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn denials(
        &self,
        access_key: AccessKeyPk,
        max: u32,
    ) -> Result<Vec<DenialRow>, CatalogError> {
        let sql = format!(
            "SELECT {} FROM denials o WHERE o.access_key = $1 ORDER BY o.at DESC, o.id DESC LIMIT $2",
            StoredDenial::TABLE.select_list("o")
        );
        let statement = Statement::built(sql)
            .bind(access_key.0)
            .bind(i64::from(max));
        let read = |row: &Row<'_>| StoredDenial::read(row).map(|stored| stored.denial);
        self.engine().fetch(statement, read).await
    }
}
