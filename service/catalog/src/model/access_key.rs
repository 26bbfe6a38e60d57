use std::num::{NonZeroU32, NonZeroU64};
use std::sync::atomic::{AtomicU64, Ordering};

use ipnet::IpNet;

use bucketry_domain::{AccessKeyId, AccessKeyPk, AccountId, BucketId, Permission, Timestamp};

/// An operator's key, an account administrator's key, a separate adapter's key or a bucket's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    /// The row.
    pub pk: AccessKeyPk,
    /// The public half.
    pub access_key_id: AccessKeyId,
    /// What it reaches.
    pub scope: KeyScope,
    /// A name for people; 1 to 128 characters, not unique.
    pub name: String,
    /// Addresses that may use it; empty means all.
    pub allowed: Vec<IpNet>,
    /// Addresses that may not, whatever `allowed` says.
    pub disallowed: Vec<IpNet>,
    /// Its state; expiry is judged separately.
    pub state: KeyState,
    /// From this moment on it is refused.
    pub expires: Option<Timestamp>,
    /// What it may use at most.
    pub limits: KeyLimits,
    /// Moves on every edit.
    pub version: i64,
    /// Moves on state, address and expiry edits.
    pub epoch: i64,
    /// The secret half.
    pub secret: SealedSecret,
    /// Whether the seal has been checked since the row was read.
    pub seal_check: SealCheck,
    /// Its making.
    pub created: Stamp,
    /// The latest edit.
    pub edited: Option<Stamp>,
    /// Its revocation.
    pub revoked: Option<Stamp>,
}

impl AccessKey {
    /// Whether it may be used at this moment: active and not expired.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.state == KeyState::Active && self.expires.is_none_or(|expires| now < expires)
    }
}

/// What an access key may use at most. Absent: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyLimits {
    /// Requests per second.
    pub requests_per_second: Option<NonZeroU32>,
    /// Bytes of object data, in and out, per day (UTC).
    pub bytes_per_day: Option<NonZeroU64>,
}

/// When something was done, and by whom (an access key id, or the name of an internal actor).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// What an access key reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyScope {
    /// The whole store: an operator.
    Everything,
    /// One account and all of its buckets.
    Account(AccountId),
    /// One bucket: a token.
    Bucket {
        /// The account that owns the bucket.
        account: AccountId,
        /// The bucket's row, not its name.
        bucket: BucketId,
        /// What it may do there.
        permission: Permission,
    },
    /// The service of the S3 adapter, and nothing else: the key of a separate adapter.
    Edge,
}

impl KeyScope {
    /// The account that the key belongs to; none for keys of operators and adapters.
    #[must_use]
    pub fn account(self) -> Option<AccountId> {
        match self {
            Self::Everything | Self::Edge => None,
            Self::Account(account) | Self::Bucket { account, .. } => Some(account),
        }
    }
}

/// The state of an access key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Usable, unless expired.
    Active,
    /// Refused until it is resumed.
    Suspended,
    /// Permanently refused.
    Revoked,
}

/// The keyring under which the seal of a row has been checked, by its number in this process.
///
/// It is no part of the row: all values are equal, and a copy of a row, which may be changed, has not been checked.
#[derive(Debug, Default)]
pub struct SealCheck(AtomicU64);

impl SealCheck {
    /// Whether the seal has been checked under this keyring.
    #[must_use]
    pub fn is_under(&self, keyring: NonZeroU64) -> bool {
        self.0.load(Ordering::Relaxed) == keyring.get()
    }

    /// Records that the seal has been checked under this keyring.
    pub fn record(&self, keyring: NonZeroU64) {
        self.0.store(keyring.get(), Ordering::Relaxed);
    }
}

impl Clone for SealCheck {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for SealCheck {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for SealCheck {}

/// A secret as it rests: the catalog can neither open nor make one.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// The key-encryption key that sealed it.
    pub kek_id: i64,
    /// The sealing algorithm, as the sealer numbers them.
    pub algorithm: i64,
    /// The nonce.
    pub nonce: Vec<u8>,
    /// Ciphertext and tag.
    pub sealed: Vec<u8>,
}

impl std::fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedSecret")
            .field("kek_id", &self.kek_id)
            .finish_non_exhaustive()
    }
}
