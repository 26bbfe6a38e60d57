use crate::CatalogError;
use crate::model::{Bucket, BucketState, Versioning};
use crate::sql::record;
use bucketry_domain::{AccountId, BucketId, Timestamp};

record! {
    Bucket, table "buckets", key 1, stored from row {
        id: i64 = row.id.0,
        name: String = row.name.as_str(),
        account_id: i64 = row.account.0,
        region: String = row.region.as_str(),
        created: i64 = row.created.as_micros(),
        state: i64 = match row.state {
            BucketState::Alive => 0,
            BucketState::Deleted => 1,
        },
        versioning: i64 = match row.versioning {
            Versioning::Unversioned => 0,
        },
        policy_epoch: i64 = row.policy_epoch,
    }
    read as Self {
        id: BucketId(id),
        name: name
            .parse()
            .map_err(|_| CatalogError::Corrupt("buckets.name"))?,
        account: AccountId(account_id),
        region,
        created: Timestamp::from_micros(created),
        state: match state {
            0 => BucketState::Alive,
            1 => BucketState::Deleted,
            _ => return Err(CatalogError::Corrupt("buckets.state")),
        },
        versioning: match versioning {
            0 => Versioning::Unversioned,
            _ => return Err(CatalogError::Corrupt("buckets.versioning")),
        },
        policy_epoch,
    }
}
