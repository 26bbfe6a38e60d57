use bucketry_contract::v1;

use super::timestamp_to_proto;
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
        details: entry.details.clone(),
        bucket_id: entry.bucket.map(|id| id.to_string()).unwrap_or_default(),
    }
}
