use super::super::engine::Engine;
use crate::sql::Statement;
use crate::{Catalog, CatalogError};

impl Catalog {
    /// Writes a setting unless it is there; answers what is there then.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn claim_setting(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, CatalogError> {
        claim_setting(self.engine(), name, value).await
    }

    /// Takes the next free id, for an account, a bucket, an access key or a node. Mostly from memory.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn next_id(&self) -> Result<i64, CatalogError> {
        self.engine().reserve_ids(1).await
    }
}

pub(crate) async fn claim_setting(
    engine: &Engine,
    name: &str,
    value: Vec<u8>,
) -> Result<Vec<u8>, CatalogError> {
    let insert = Statement::new(
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
    );
    let select = Statement::new("SELECT value FROM settings WHERE name = $1").bind(name);
    let mut connection = engine.pools.writer().await?;
    connection.execute(insert.bind(name).bind(value)).await?;
    let values = connection.fetch(select, |row| Ok(row.bytes(0)?)).await?;
    let value = values.into_iter().next();
    value.ok_or(CatalogError::Corrupt("settings"))
}
