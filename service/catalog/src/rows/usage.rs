use super::codes::{size, stored_size};
use crate::CatalogError;
use crate::model::{DenialCause, DenialRow, LastUse, UsageRow};
use crate::sql::record;
use bucketry_domain::{AccessKeyPk, Timestamp};

record! {
    UsageRow, table "usage_hours", key 3, stored from row {
        access_key: i64 = row.access_key.0,
        hour: i64 = row.hour.as_micros(),
        class: String = row.class.as_str(),
        requests: i64 = stored_size(row.requests),
        bytes_in: i64 = stored_size(row.bytes_in),
        bytes_out: i64 = stored_size(row.bytes_out),
        denials: i64 = stored_size(row.denials),
    }
    read as Self {
        access_key: AccessKeyPk(access_key),
        hour: Timestamp::from_micros(hour),
        class,
        requests: size(requests, "usage_hours.requests")?,
        bytes_in: size(bytes_in, "usage_hours.bytes_in")?,
        bytes_out: size(bytes_out, "usage_hours.bytes_out")?,
        denials: size(denials, "usage_hours.denials")?,
    }
}

record! {
    LastUse, table "last_uses", key 1, stored from row {
        access_key: i64 = row.access_key.0,
        at: i64 = row.at.as_micros(),
        address: Option<String> = row.address.clone(),
        user_agent: Option<String> = row.user_agent.clone(),
        operation: String = row.operation.as_str(),
        requests: i64 = stored_size(row.requests),
    }
    read as Self {
        access_key: AccessKeyPk(access_key),
        at: Timestamp::from_micros(at),
        address,
        user_agent,
        operation,
        requests: size(requests, "last_uses.requests")?,
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

record! {
    StoredDenial, table "denials", key 1, stored from row {
        id: i64 = row.id,
        access_key: i64 = row.denial.access_key.0,
        at: i64 = row.denial.at.as_micros(),
        reason: i64 = row.denial.reason,
        rule: String = row.denial.rule.as_str(),
        address: Option<String> = row.denial.address.clone(),
        operation: String = row.denial.operation.as_str(),
        bucket: String = row.denial.bucket.as_str(),
        key: Vec<u8> = row.denial.key.as_bytes(),
        user_agent: Option<String> = row.denial.user_agent.clone(),
        request_id: String = row.denial.request_id.as_str(),
        cause: i64 = row.denial.cause.code(),
    }
    read as Self {
        id,
        denial: DenialRow {
            access_key: AccessKeyPk(access_key),
            at: Timestamp::from_micros(at),
            reason,
            rule,
            address,
            operation,
            bucket,
            key: String::from_utf8(key).map_err(|_| CatalogError::Corrupt("denials.key"))?,
            user_agent,
            request_id,
            cause: match cause {
                0 => DenialCause::Holder,
                1 => DenialCause::Anybody,
                _ => return Err(CatalogError::Corrupt("denials.cause")),
            },
        },
    }
}
