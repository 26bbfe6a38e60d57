use crate::model::{AuditEntry, AuditRecord};
use crate::sql::record;
use bucketry_domain::{AccessKeyPk, AccountId, BucketId, Timestamp};

/// A row of `audit`.
pub(crate) type AuditRow = AuditRecord;

record! {
    AuditRow, table "audit", key 1, stored from row {
        id: i64 = row.id,
        at: i64 = row.entry.at.as_micros(),
        actor: String = row.entry.actor.as_str(),
        address: Option<String> = row.entry.address.clone(),
        action: String = row.entry.action.as_str(),
        account_id: Option<i64> = row.entry.account.map(|id| id.0),
        bucket_id: Option<i64> = row.entry.bucket.map(|id| id.0),
        access_key: Option<i64> = row.entry.access_key.map(|pk| pk.0),
        request_id: String = row.entry.request_id.as_str(),
        details: String = row.entry.details.as_str(),
    }
    read as Self {
        id,
        entry: AuditEntry {
            at: Timestamp::from_micros(at),
            actor,
            address,
            action,
            account: account_id.map(AccountId),
            bucket: bucket_id.map(BucketId),
            access_key: access_key.map(AccessKeyPk),
            request_id,
            details,
        },
    }
}
