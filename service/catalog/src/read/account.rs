use crate::model::Account;
use crate::query::AccountPage;
use crate::sql::{Record, Statement};
use crate::{Catalog, CatalogError};
use bucketry_domain::AccountId;

impl Catalog {
    /// The account of this id.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>, CatalogError> {
        let sql = format!(
            "SELECT {} FROM accounts o WHERE o.id = $1",
            Account::TABLE.select_list("o")
        );
        let statement = Statement::built(sql).bind(id.0);
        self.engine().find(statement, Account::read).await
    }

    /// Accounts with ids above `after`, in the order of their making.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn list_accounts(
        &self,
        after: Option<AccountId>,
        max: u32,
    ) -> Result<AccountPage, CatalogError> {
        let list = Account::TABLE.select_list("o");
        let sql = format!("SELECT {list} FROM accounts o WHERE o.id > $1 ORDER BY o.id LIMIT $2");
        let statement = Statement::built(sql)
            .bind(after.map_or(0, |id| id.0))
            .bind(super::one_more(max));
        let accounts = self.engine().fetch(statement, Account::read).await?;
        Ok(super::cut(accounts, max))
    }
}
