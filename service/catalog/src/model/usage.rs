use bucketry_domain::{AccessKeyPk, Timestamp};

/// What one access key did in one hour, in one class. As a mutation it is added to what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRow {
    /// The key.
    pub access_key: AccessKeyPk,
    /// The beginning of the hour.
    pub hour: Timestamp,
    /// The caller's name for a class of requests or denials, such as `read` or `denied.address`.
    pub class: String,
    /// Requests.
    pub requests: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Requests refused.
    pub denials: u64,
}

/// The latest use of an access key, and how often it was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// The key.
    pub access_key: AccessKeyPk,
    /// When.
    pub at: Timestamp,
    /// From which address.
    pub address: Option<String>,
    /// With which user agent.
    pub user_agent: Option<String>,
    /// For which operation.
    pub operation: String,
    /// Requests since the key was made. As a mutation it is added to what is there.
    pub requests: u64,
}

/// A refused request of an access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DenialRow {
    /// The key.
    pub access_key: AccessKeyPk,
    /// When.
    pub at: Timestamp,
    /// The caller's number of what decided.
    pub reason: i64,
    /// Whether anybody could have caused it, or only a holder of the key.
    pub cause: DenialCause,
    /// The rule in words.
    pub rule: String,
    /// From which address.
    pub address: Option<String>,
    /// For which operation.
    pub operation: String,
    /// The bucket asked for; empty: none.
    pub bucket: String,
    /// The key asked for; empty: none.
    pub key: String,
    /// With which user agent.
    pub user_agent: Option<String>,
    /// The id of the request.
    pub request_id: String,
}

/// Who could have caused a denial. Each cause has room of its own, so that a stranger who knows no more than the key's
/// id cannot push out what its holders did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DenialCause {
    /// Somebody who proved the key.
    Holder,
    /// Anybody: the proof itself was wrong.
    Anybody,
}

impl DenialCause {
    /// How many denials of this cause are kept for each key, the latest ones.
    pub const fn kept(self) -> usize {
        match self {
            Self::Holder => 100,
            Self::Anybody => 20,
        }
    }
}
