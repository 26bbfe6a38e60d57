use bucketry_contract::v1;

use serde_json::json;

use super::timestamp_to_proto;
use crate::catalog::MAX_READ_DETAILS;
use crate::catalog::model::AuditRecord;

/// A record of the audit for the wire.
pub(crate) fn audit_event_to_proto(record: &AuditRecord) -> v1::AuditEvent {
    let entry = &record.entry;
    v1::AuditEvent {
        event_id: record.id.to_string(),
        time: Some(timestamp_to_proto(entry.at)),
        actor: entry.actor.clone(),
        client_address: entry.address.clone().unwrap_or_default(),
        action: entry.action.clone(),
        token_id: entry
            .access_key
            .map(|pk| pk.to_string())
            .unwrap_or_default(),
        request_id: entry.request_id.clone(),
        details: details(&entry.details),
        bucket_id: entry.bucket.map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// What is shown of details that were cut when they were read, in characters.
const KEPT_CHARACTERS: usize = 1024;

/// The details as they were read; of cut ones, which are no JSON any more, the beginning as an object.
fn details(text: &str) -> String {
    if text.chars().count() <= MAX_READ_DETAILS {
        return text.to_owned();
    }
    let kept: String = text.chars().take(KEPT_CHARACTERS).collect();
    json!({ "cut": kept }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_of_earlier_versions_are_cut_and_stay_json() {
        let whole = "é".repeat(MAX_READ_DETAILS);
        assert_eq!(details(&whole), whole);
        let cut = details(&format!("{{\"{whole}"));
        let read: serde_json::Value = serde_json::from_str(&cut).unwrap();
        assert!(read["cut"].as_str().unwrap().starts_with("{\"éé"));
        assert!(cut.len() < 4 * 1024);
    }
}
