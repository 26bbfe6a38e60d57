use super::codes::{size, stored_size};
use crate::catalog::CatalogError;
use crate::catalog::model::{DenialCause, DenialRow, LastUse, UsageRow};
use crate::catalog::sql::{Kind, Record, Row, Table, Value};
use crate::domain::{AccessKeyPk, Timestamp};

impl Record for UsageRow {
    const TABLE: Table = Table {
        name: "usage_hours",
        columns: &[
            ("access_key", Kind::Int),
            ("hour", Kind::Int),
            ("class", Kind::Text),
            ("requests", Kind::Int),
            ("bytes_in", Kind::Int),
            ("bytes_out", Kind::Int),
            ("denials", Kind::Int),
        ],
        key: 3,
    };

    fn values(&self) -> Vec<Value> {
        vec![
            self.access_key.0.into(),
            self.hour.as_micros().into(),
            self.class.as_str().into(),
            stored_size(self.requests).into(),
            stored_size(self.bytes_in).into(),
            stored_size(self.bytes_out).into(),
            stored_size(self.denials).into(),
        ]
    }

    fn read(row: &Row) -> Result<Self, CatalogError> {
        Ok(Self {
            access_key: AccessKeyPk(row.int(0)?),
            hour: Timestamp::from_micros(row.int(1)?),
            class: row.text(2)?,
            requests: size(row.int(3)?, "usage_hours.requests")?,
            bytes_in: size(row.int(4)?, "usage_hours.bytes_in")?,
            bytes_out: size(row.int(5)?, "usage_hours.bytes_out")?,
            denials: size(row.int(6)?, "usage_hours.denials")?,
        })
    }
}

impl Record for LastUse {
    const TABLE: Table = Table {
        name: "last_uses",
        columns: &[
            ("access_key", Kind::Int),
            ("at", Kind::Int),
            ("address", Kind::Text),
            ("user_agent", Kind::Text),
            ("operation", Kind::Text),
            ("requests", Kind::Int),
        ],
        key: 1,
    };

    fn values(&self) -> Vec<Value> {
        vec![
            self.access_key.0.into(),
            self.at.as_micros().into(),
            self.address.clone().into(),
            self.user_agent.clone().into(),
            self.operation.as_str().into(),
            stored_size(self.requests).into(),
        ]
    }

    fn read(row: &Row) -> Result<Self, CatalogError> {
        Ok(Self {
            access_key: AccessKeyPk(row.int(0)?),
            at: Timestamp::from_micros(row.int(1)?),
            address: row.opt_text(2)?,
            user_agent: row.opt_text(3)?,
            operation: row.text(4)?,
            requests: size(row.int(5)?, "last_uses.requests")?,
        })
    }
}

/// A row of `denials`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredDenial {
    pub(crate) id: i64,
    pub(crate) denial: DenialRow,
}

impl DenialCause {
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Holder => 0,
            Self::Anybody => 1,
        }
    }
}

impl Record for StoredDenial {
    const TABLE: Table = Table {
        name: "denials",
        columns: &[
            ("id", Kind::Int),
            ("access_key", Kind::Int),
            ("at", Kind::Int),
            ("reason", Kind::Int),
            ("rule", Kind::Text),
            ("address", Kind::Text),
            ("operation", Kind::Text),
            ("bucket", Kind::Text),
            ("key", Kind::Bytes),
            ("user_agent", Kind::Text),
            ("request_id", Kind::Text),
            ("cause", Kind::Int),
        ],
        key: 1,
    };

    fn values(&self) -> Vec<Value> {
        let denial = &self.denial;
        vec![
            self.id.into(),
            denial.access_key.0.into(),
            denial.at.as_micros().into(),
            denial.reason.into(),
            denial.rule.as_str().into(),
            denial.address.clone().into(),
            denial.operation.as_str().into(),
            denial.bucket.as_str().into(),
            denial.key.as_bytes().into(),
            denial.user_agent.clone().into(),
            denial.request_id.as_str().into(),
            denial.cause.code().into(),
        ]
    }

    fn read(row: &Row) -> Result<Self, CatalogError> {
        let corrupt = |place| CatalogError::Corrupt(place);
        Ok(Self {
            id: row.int(0)?,
            denial: DenialRow {
                access_key: AccessKeyPk(row.int(1)?),
                at: Timestamp::from_micros(row.int(2)?),
                reason: row.int(3)?,
                rule: row.text(4)?,
                address: row.opt_text(5)?,
                operation: row.text(6)?,
                bucket: row.text(7)?,
                key: String::from_utf8(row.bytes(8)?).map_err(|_| corrupt("denials.key"))?,
                user_agent: row.opt_text(9)?,
                request_id: row.text(10)?,
                cause: match row.int(11)? {
                    0 => DenialCause::Holder,
                    1 => DenialCause::Anybody,
                    _ => return Err(corrupt("denials.cause")),
                },
            },
        })
    }
}
