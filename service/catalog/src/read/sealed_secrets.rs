use crate::sql::{Row, Statement};
use crate::{Catalog, CatalogError};

/// How many secrets one key-encryption key seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedSecrets {
    /// The key, as stored.
    pub kek_id: i64,
    /// The access keys, revoked ones included; at least 1.
    pub count: i64,
}

impl Catalog {
    /// How many secrets each key-encryption key seals, by key; keys that seal none are left out.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn sealed_secrets(&self) -> Result<Vec<SealedSecrets>, CatalogError> {
        let statement = Statement::new(
            "SELECT kek_id, COUNT(*) FROM access_keys GROUP BY kek_id ORDER BY kek_id",
        );
        let read = |row: &Row<'_>| {
            Ok(SealedSecrets {
                kek_id: row.int(0)?,
                count: row.int(1)?,
            })
        };
        self.engine().scan(statement, read).await
    }
}
