use bucketry_domain::{AccountId, OwnerId, Timestamp};

/// An owner of buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The row.
    pub id: AccountId,
    /// The canonical owner id that S3 answers show.
    pub owner_id: OwnerId,
    /// The display name; unique.
    pub name: String,
    /// Whether it may be used.
    pub state: AccountState,
    /// When it was made.
    pub created: Timestamp,
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// In use.
    Active,
    /// Closed for all of its keys.
    Suspended,
}
