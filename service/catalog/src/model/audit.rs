use bucketry_domain::{AccessKeyPk, AccountId, BucketId, Timestamp};

/// Something that an administrator did. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: an access key id, or the name of an internal actor.
    pub actor: String,
    /// From which address.
    pub address: Option<String>,
    /// What, as a stable name.
    pub action: String,
    /// The account concerned.
    pub account: Option<AccountId>,
    /// The bucket concerned.
    pub bucket: Option<BucketId>,
    /// The access key concerned.
    pub access_key: Option<AccessKeyPk>,
    /// The request that did it.
    pub request_id: String,
    /// Details as JSON, such as the values before and after an edit.
    pub details: String,
}

/// A written entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Unique; grows with every entry of one node, but says nothing of the order between nodes.
    pub id: i64,
    /// The entry.
    pub entry: AuditEntry,
}
