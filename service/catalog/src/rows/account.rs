use crate::CatalogError;
use crate::model::{Account, AccountState};
use crate::sql::record;
use bucketry_domain::{AccountId, Timestamp};

record! {
    Account, table "accounts", key 1, stored from row {
        id: i64 = row.id.0,
        owner_id: String = row.owner_id.to_string(),
        name: String = row.name.as_str(),
        state: i64 = match row.state {
            AccountState::Active => 0,
            AccountState::Suspended => 1,
        },
        created: i64 = row.created.as_micros(),
    }
    read as Self {
        id: AccountId(id),
        owner_id: owner_id
            .parse()
            .map_err(|_| CatalogError::Corrupt("accounts.owner_id"))?,
        name,
        state: match state {
            0 => AccountState::Active,
            1 => AccountState::Suspended,
            _ => return Err(CatalogError::Corrupt("accounts.state")),
        },
        created: Timestamp::from_micros(created),
    }
}
