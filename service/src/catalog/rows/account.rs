use crate::catalog::CatalogError;
use crate::catalog::model::{Account, AccountState};
use crate::catalog::sql::{Kind, Record, Row, Table, Value};
use crate::domain::{AccountId, Timestamp};

impl Record for Account {
    const TABLE: Table = Table {
        name: "accounts",
        columns: &[
            ("id", Kind::Int),
            ("owner_id", Kind::Text),
            ("name", Kind::Text),
            ("state", Kind::Int),
            ("created", Kind::Int),
        ],
        key: 1,
    };

    fn values(&self) -> Vec<Value> {
        let state = match self.state {
            AccountState::Active => 0,
            AccountState::Suspended => 1,
        };
        vec![
            self.id.0.into(),
            self.owner_id.to_string().into(),
            self.name.as_str().into(),
            state.into(),
            self.created.as_micros().into(),
        ]
    }

    fn read(row: &Row) -> Result<Self, CatalogError> {
        Ok(Self {
            id: AccountId(row.int(0)?),
            owner_id: row
                .text(1)?
                .parse()
                .map_err(|_| CatalogError::Corrupt("accounts.owner_id"))?,
            name: row.text(2)?,
            state: match row.int(3)? {
                0 => AccountState::Active,
                1 => AccountState::Suspended,
                _ => return Err(CatalogError::Corrupt("accounts.state")),
            },
            created: Timestamp::from_micros(row.int(4)?),
        })
    }
}
