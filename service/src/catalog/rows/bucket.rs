use crate::catalog::CatalogError;
use crate::catalog::model::{Bucket, BucketState, Versioning};
use crate::catalog::sql::{Kind, Record, Row, Table, Value};
use crate::domain::{AccountId, BucketId, Timestamp};

impl Record for Bucket {
    const TABLE: Table = Table {
        name: "buckets",
        columns: &[
            ("id", Kind::Int),
            ("name", Kind::Text),
            ("account_id", Kind::Int),
            ("region", Kind::Text),
            ("created", Kind::Int),
            ("state", Kind::Int),
            ("versioning", Kind::Int),
        ],
        key: 1,
    };

    fn values(&self) -> Vec<Value> {
        let state = match self.state {
            BucketState::Alive => 0,
            BucketState::Deleted => 1,
        };
        let versioning = match self.versioning {
            Versioning::Unversioned => 0,
        };
        vec![
            self.id.0.into(),
            self.name.as_str().into(),
            self.account.0.into(),
            self.region.as_str().into(),
            self.created.as_micros().into(),
            state.into(),
            versioning.into(),
        ]
    }

    fn read(row: &Row) -> Result<Self, CatalogError> {
        Ok(Self {
            id: BucketId(row.int(0)?),
            name: row
                .text(1)?
                .parse()
                .map_err(|_| CatalogError::Corrupt("buckets.name"))?,
            account: AccountId(row.int(2)?),
            region: row.text(3)?,
            created: Timestamp::from_micros(row.int(4)?),
            state: match row.int(5)? {
                0 => BucketState::Alive,
                1 => BucketState::Deleted,
                _ => return Err(CatalogError::Corrupt("buckets.state")),
            },
            versioning: match row.int(6)? {
                0 => Versioning::Unversioned,
                _ => return Err(CatalogError::Corrupt("buckets.versioning")),
            },
        })
    }
}
