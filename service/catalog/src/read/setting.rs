use crate::sql::Statement;
use crate::{Catalog, CatalogError};

impl Catalog {
    /// A setting of the store: its id, the canaries of its keys.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, CatalogError> {
        let statement = Statement::new("SELECT value FROM settings WHERE name = $1").bind(name);
        self.engine().find(statement, |row| Ok(row.bytes(0)?)).await
    }
}
