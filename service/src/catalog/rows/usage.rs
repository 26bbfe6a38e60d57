use super::codes::{size, stored_size};
use crate::catalog::CatalogError;
use crate::catalog::model::{LastUse, UsageRow};
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
        ]
    }

    fn read(row: &Row) -> Result<Self, CatalogError> {
        Ok(Self {
            access_key: AccessKeyPk(row.int(0)?),
            at: Timestamp::from_micros(row.int(1)?),
            address: row.opt_text(2)?,
            user_agent: row.opt_text(3)?,
            operation: row.text(4)?,
        })
    }
}
