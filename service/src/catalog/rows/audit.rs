use crate::catalog::CatalogError;
use crate::catalog::model::{AuditEntry, AuditRecord};
use crate::catalog::sql::{Kind, Record, Row, Table, Value};
use crate::domain::{AccessKeyPk, AccountId, BucketId, Timestamp};

/// A row of `audit`.
pub(crate) type AuditRow = AuditRecord;

impl Record for AuditRow {
    const TABLE: Table = Table {
        name: "audit",
        columns: &[
            ("id", Kind::Int),
            ("at", Kind::Int),
            ("actor", Kind::Text),
            ("address", Kind::Text),
            ("action", Kind::Text),
            ("account_id", Kind::Int),
            ("bucket_id", Kind::Int),
            ("access_key", Kind::Int),
            ("request_id", Kind::Text),
            ("details", Kind::Text),
        ],
        key: 1,
    };

    fn values(&self) -> Vec<Value> {
        let entry = &self.entry;
        vec![
            self.id.into(),
            entry.at.as_micros().into(),
            entry.actor.as_str().into(),
            entry.address.clone().into(),
            entry.action.as_str().into(),
            entry.account.map(|id| id.0).into(),
            entry.bucket.map(|id| id.0).into(),
            entry.access_key.map(|pk| pk.0).into(),
            entry.request_id.as_str().into(),
            entry.details.as_str().into(),
        ]
    }

    fn read(row: &Row) -> Result<Self, CatalogError> {
        Ok(Self {
            id: row.int(0)?,
            entry: AuditEntry {
                at: Timestamp::from_micros(row.int(1)?),
                actor: row.text(2)?,
                address: row.opt_text(3)?,
                action: row.text(4)?,
                account: row.opt_int(5)?.map(AccountId),
                bucket: row.opt_int(6)?.map(BucketId),
                access_key: row.opt_int(7)?.map(AccessKeyPk),
                request_id: row.text(8)?,
                details: row.text(9)?,
            },
        })
    }
}
