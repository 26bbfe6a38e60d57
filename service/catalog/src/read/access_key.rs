use std::sync::{Arc, LazyLock};

use crate::model::AccessKey;
use crate::sql::{Record, Row, Statement, Value};
use crate::{Catalog, CatalogError};
use bucketry_domain::{AccessKeyId, AccessKeyPk};

static BY_ID: LazyLock<String> = LazyLock::new(|| by("access_key_id"));
static BY_PK: LazyLock<String> = LazyLock::new(|| by("pk"));

fn by(column: &str) -> String {
    let select = AccessKey::TABLE.select_from();
    format!("{select} access_keys o WHERE o.{column} = $1")
}

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
            let key = self.fetch_key(&BY_ID, id.as_str()).await?;
            if let Some(hints) = &self.engine().hints {
                hints.learn_key(id, key.as_ref());
            }
            return Ok(key);
        };
        if let Some(key) = caches.keys.get(id) {
            return Ok(Some(key));
        }
        let ticket = caches.keys.ticket(id);
        let key = self.fetch_key(&BY_ID, id.as_str()).await?;
        if let Some(key) = &key {
            caches.learn_key_id(key);
            caches.keys.fill(id.clone(), key.clone(), ticket);
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
            return self.fetch_key(&BY_PK, pk.0).await;
        };
        if let Some(id) = caches.key_id(pk) {
            return self.access_key_of(pk, &id).await;
        }
        let key = self.fetch_key(&BY_PK, pk.0).await?;
        if let Some(key) = &key {
            caches.learn_key_id(key);
        }
        Ok(key)
    }

    /// The access key of this row, whose id is known. On SQLite from memory after the first time.
    pub(super) async fn access_key_of(
        &self,
        pk: AccessKeyPk,
        id: &AccessKeyId,
    ) -> Result<Option<Arc<AccessKey>>, CatalogError> {
        let key = self.access_key(id).await?;
        // The id may be that of another row by now, if this one was purged.
        Ok(key.filter(|key| key.pk == pk))
    }

    async fn fetch_key(
        &self,
        sql: &'static str,
        value: impl Into<Value>,
    ) -> Result<Option<Arc<AccessKey>>, CatalogError> {
        let read = |row: &Row<'_>| AccessKey::read(row).map(Arc::new);
        let statement = Statement::new(sql).bind(value);
        self.engine().find(statement, read).await
    }
}
