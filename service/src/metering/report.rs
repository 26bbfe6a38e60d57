//! Usage and denials for the wire.

use std::collections::BTreeMap;

use bucketry_contract::v1;

use super::RequestClass;
use super::pending::DENIED;
use crate::access::DecisionReason;
use crate::catalog::model::{DenialRow, LastUse, UsageRow};
use crate::convert::{reason_to_proto, timestamp_to_proto};
use crate::domain::Timestamp;

/// The hours of `rows`, which are in order, and their sum.
pub(crate) fn usage_to_proto(rows: &[UsageRow]) -> (Vec<v1::UsageHour>, v1::UsageHour) {
    let hours = rows.chunk_by(|one, next| one.hour == next.hour);
    let hours = hours.map(|rows| hour(rows.first().map(|row| row.hour), rows));
    (hours.collect(), hour(None, rows))
}

fn hour(start: Option<Timestamp>, rows: &[UsageRow]) -> v1::UsageHour {
    let mut counts = BTreeMap::<RequestClass, v1::UsageCount>::new();
    let mut denials = BTreeMap::<DecisionReason, i64>::new();
    for row in rows {
        match row.class.strip_prefix(DENIED) {
            Some(reason) => {
                // A reason of a later version is told by nobody here.
                if let Some(reason) = DecisionReason::named(reason) {
                    *denials.entry(reason).or_default() += signed(row.denials);
                }
            }
            None => {
                let class = RequestClass::named(&row.class);
                let count = counts.entry(class).or_default();
                count.class = class_to_proto(class).into();
                count.requests += signed(row.requests);
                count.bytes_in += signed(row.bytes_in);
                count.bytes_out += signed(row.bytes_out);
            }
        }
    }
    v1::UsageHour {
        start_time: start.map(timestamp_to_proto),
        counts: counts.into_values().collect(),
        denials: denials
            .into_iter()
            .map(|(reason, requests)| v1::DenialCount {
                reason: reason_to_proto(reason).into(),
                requests,
            })
            .collect(),
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn class_to_proto(class: RequestClass) -> v1::RequestClass {
    match class {
        RequestClass::Read => v1::RequestClass::Read,
        RequestClass::List => v1::RequestClass::List,
        RequestClass::Write => v1::RequestClass::Write,
        RequestClass::Delete => v1::RequestClass::Delete,
        RequestClass::Other => v1::RequestClass::Other,
    }
}

/// A latest use.
pub(crate) fn last_use_to_proto(used: &LastUse) -> v1::TokenUse {
    v1::TokenUse {
        time: Some(timestamp_to_proto(used.at)),
        client_address: used.address.clone().unwrap_or_default(),
        user_agent: used.user_agent.clone().unwrap_or_default(),
        operation: used.operation.clone(),
    }
}

/// A refused request.
pub(crate) fn denial_to_proto(row: DenialRow) -> v1::TokenDenial {
    let reason = DecisionReason::numbered(row.reason).map(reason_to_proto);
    v1::TokenDenial {
        time: Some(timestamp_to_proto(row.at)),
        reason: reason.unwrap_or_default().into(),
        rule: row.rule,
        client_address: row.address.unwrap_or_default(),
        operation: row.operation,
        bucket: row.bucket,
        key: row.key,
        user_agent: row.user_agent.unwrap_or_default(),
        request_id: row.request_id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(hour: i64, class: &str) -> UsageRow {
        UsageRow {
            access_key: crate::domain::AccessKeyPk(1),
            hour: Timestamp::from_seconds(hour * 3600),
            class: class.into(),
            requests: 2,
            bytes_in: 3,
            bytes_out: 5,
            denials: 7,
        }
    }

    #[test]
    fn hours_are_told_apart_and_summed_up() {
        let rows = [
            row(1, "denied.permission"),
            row(1, "read"),
            row(2, "denied.permission"),
            row(2, "of-next-year"),
            row(2, "read"),
        ];
        let (hours, total) = usage_to_proto(&rows);
        assert_eq!(hours.len(), 2);
        assert_eq!(hours[1].start_time.unwrap().seconds, 7200);
        assert_eq!((hours[0].counts.len(), hours[1].counts.len()), (1, 2));
        assert_eq!(total.start_time, None);
        let read = &total.counts[0];
        assert_eq!(read.class(), v1::RequestClass::Read);
        assert_eq!((read.requests, read.bytes_in, read.bytes_out), (4, 6, 10));
        assert_eq!(total.counts[1].class(), v1::RequestClass::Other);
        assert_eq!(total.denials.len(), 1);
        assert_eq!(total.denials[0].reason(), v1::DecisionReason::Permission);
        assert_eq!(total.denials[0].requests, 14);
    }
}
