use std::sync::Arc;

use crate::model::AccessKey;
use crate::sql::{Record, Statement, Value};
use crate::{Catalog, CatalogError};
use bucketry_domain::{AccessKeyId, AccessKeyPk};

impl Catalog {
    /// The access key with this public half, in whatever state. On SQLite from memory after the first time; that there is
    /// none is never remembered.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn access_key(
        &self,
        id: &AccessKeyId,
    ) -> Result<Option<Arc<AccessKey>>, CatalogError> {
        let Some(caches) = &self.engine().caches else {
            let key = self.fetch_key("access_key_id", id.as_str()).await?;
            if let Some(hints) = &self.engine().hints {
                hints.learn_key(id, key.as_ref());
            }
            return Ok(key);
        };
        if let Some(key) = caches.keys_by_id.get(id) {
            return Ok(Some(key));
        }
        let ticket = caches.keys_by_id.ticket(id);
        let key = self.fetch_key("access_key_id", id.as_str()).await?;
        if let Some(key) = &key {
            caches.keys_by_id.fill(id.clone(), key.clone(), ticket);
        }
        Ok(key)
    }

    /// The access key of this row, in whatever state.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn access_key_by_pk(
        &self,
        pk: AccessKeyPk,
    ) -> Result<Option<Arc<AccessKey>>, CatalogError> {
        let Some(caches) = &self.engine().caches else {
            return self.fetch_key("pk", pk.0).await;
        };
        if let Some(key) = caches.keys_by_pk.get(&pk) {
            return Ok(Some(key));
        }
        let ticket = caches.keys_by_pk.ticket(&pk);
        let key = self.fetch_key("pk", pk.0).await?;
        if let Some(key) = &key {
            caches.keys_by_pk.fill(pk, key.clone(), ticket);
        }
        Ok(key)
    }

    async fn fetch_key(
        &self,
        column: &'static str,
        value: impl Into<Value>,
    ) -> Result<Option<Arc<AccessKey>>, CatalogError> {
        let list = AccessKey::TABLE.select_list("o");
        let sql = format!("SELECT {list} FROM access_keys o WHERE o.{column} = $1");
        let rows = self
            .engine()
            .fetch(Statement::built(sql).bind(value))
            .await?;
        rows.first()
            .map(|row| AccessKey::read(row).map(Arc::new))
            .transpose()
    }
}
