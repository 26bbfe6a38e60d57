use crate::domain::{AccessKeyPk, Timestamp};

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

/// The latest use of an access key.
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
}
