//! Everything that can be written. A mutation carries its preconditions as data; they are judged inside the transaction.

mod upload;

use ipnet::IpNet;

pub use upload::{AbortUpload, CompleteUpload, CreateUpload, PutPart};

use super::model::{
    AccountState, AuditEntry, DenialRow, KeyLimits, KeyScope, KeyState, LastUse, NewData,
    ObjectMeta, SealedSecret, UsageRow,
};
use crate::TypedChange;
use bucketry_domain::{
    AccessKeyId, AccessKeyPk, AccountId, BucketId, BucketName, ETag, Generation, ObjectKey,
    OwnerId, SettingEdit, Tag, Timestamp,
};

/// The caller of a mutation, which orders its commit against a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// A request: the key must be usable inside the transaction, at the epoch at which the request was allowed.
    Key {
        /// The key's row.
        pk: AccessKeyPk,
        /// The epoch that was decided on.
        epoch: i64,
        /// The account that the key belongs to, by which commits are shared out; none: the operators'.
        account: Option<AccountId>,
    },
    /// The service itself: expiry, sweeping, first start.
    System,
}

/// The bucket that the caller of a mutation was decided on, which orders its commit against a change of who may do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyGuard {
    /// The bucket.
    pub bucket: BucketId,
    /// Its policy epoch that was decided on; a live bucket must still be at it.
    pub epoch: i64,
}

/// Conditions on the current version of a key. All that are set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// `If-Match`.
    pub if_match: Option<IfMatch>,
    /// `If-None-Match`.
    pub if_none_match: Option<IfNoneMatch>,
    /// The generation that the key must have; 0: it must not exist.
    pub if_generation: Option<Generation>,
}

/// What `If-Match` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: the key exists.
    Any,
    /// Its tag is one of these.
    OneOf(Vec<ETag>),
}

/// What `If-None-Match` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfNoneMatch {
    /// `*`: the key does not exist.
    Any,
    /// Its tag is none of these.
    NoneOf(Vec<ETag>),
}

/// Makes an account. Its id comes from [`Catalog::next_id`](super::Catalog::next_id).
#[derive(Clone, Debug)]
pub struct CreateAccount {
    /// The row to be.
    pub id: AccountId,
    /// The owner id to be.
    pub owner_id: OwnerId,
    /// The name; refused if taken.
    pub name: String,
}

/// Suspends or resumes an account.
#[derive(Clone, Debug)]
pub struct UpdateAccount {
    /// The account.
    pub id: AccountId,
    /// The state to be.
    pub state: AccountState,
}

/// Makes an access key. The row id comes first, because the seal binds it.
#[derive(Clone, Debug)]
pub struct CreateAccessKey {
    /// The row to be.
    pub pk: AccessKeyPk,
    /// The public half; refused if taken.
    pub access_key_id: AccessKeyId,
    /// What it reaches; the account or bucket must be there.
    pub scope: KeyScope,
    /// The name.
    pub name: String,
    /// Allowed addresses.
    pub allowed: Vec<IpNet>,
    /// Disallowed addresses.
    pub disallowed: Vec<IpNet>,
    /// Expiry.
    pub expires: Option<Timestamp>,
    /// What it may use at most.
    pub limits: KeyLimits,
    /// The sealed secret.
    pub secret: SealedSecret,
    /// Who makes it.
    pub by: String,
}

/// Edits an access key, or revokes it. A revoked key is never edited again.
#[derive(Clone, Debug)]
pub struct UpdateAccessKey {
    /// The key.
    pub pk: AccessKeyPk,
    /// The version that the editor saw; absent: whatever it is.
    pub if_version: Option<i64>,
    /// Refused if no other administrator key of this account is usable; absent: not checked.
    pub unless_last_of: Option<AccountId>,
    /// What changes.
    pub edit: KeyEdit,
    /// Who edits.
    pub by: String,
}

/// What an edit changes; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyEdit {
    /// The name.
    pub name: Option<String>,
    /// Allowed addresses.
    pub allowed: Option<Vec<IpNet>>,
    /// Disallowed addresses.
    pub disallowed: Option<Vec<IpNet>>,
    /// Suspends, resumes or revokes.
    pub state: Option<KeyState>,
    /// Sets (`Some(Some)`) or lifts (`Some(None)`) the expiry.
    pub expires: Option<Option<Timestamp>>,
    /// All limits together.
    pub limits: Option<KeyLimits>,
}

/// Seals a key's secret anew. Neither version nor epoch move: nothing changes for anybody.
#[derive(Clone, Debug)]
pub struct ResealAccessKey {
    /// The key.
    pub pk: AccessKeyPk,
    /// The key-encryption key that it must still be sealed by.
    pub if_kek: i64,
    /// The new seal.
    pub secret: SealedSecret,
}

/// Forgets a key that can no longer be used (revoked, expired, or its bucket is gone), with its usage.
#[derive(Clone, Debug)]
pub struct PurgeAccessKey {
    /// The key.
    pub pk: AccessKeyPk,
}

/// Makes a bucket, without settings.
#[derive(Clone, Debug)]
pub struct CreateBucket {
    /// The row to be.
    pub id: BucketId,
    /// The name; refused if a live bucket has it.
    pub name: BucketName,
    /// The owner.
    pub account: AccountId,
    /// The region.
    pub region: String,
}

/// Changes settings of a bucket.
#[derive(Clone, Debug)]
pub struct UpdateBucket {
    /// The bucket.
    pub bucket: BucketId,
    /// The changes.
    pub edits: Vec<SettingEdit>,
}

/// Deletes a bucket that holds no objects. Its open uploads end with it.
#[derive(Clone, Debug)]
pub struct DeleteBucket {
    /// The bucket.
    pub bucket: BucketId,
}

/// Makes a new current version of a key.
#[derive(Clone, Debug)]
pub struct PutObject {
    /// The bucket.
    pub bucket: BucketId,
    /// The key.
    pub key: ObjectKey,
    /// What the version is.
    pub meta: ObjectMeta,
    /// Its data.
    pub data: NewData,
    /// Conditions.
    pub preconditions: Preconditions,
}

/// Deletes a key. A missing key is not an error.
#[derive(Clone, Debug)]
pub struct DeleteObject {
    /// The bucket.
    pub bucket: BucketId,
    /// The key.
    pub key: ObjectKey,
    /// Conditions.
    pub preconditions: Preconditions,
}

/// Changes what may change about a version without making another: its tags.
#[derive(Clone, Debug)]
pub struct UpdateObject {
    /// The bucket.
    pub bucket: BucketId,
    /// The key.
    pub key: ObjectKey,
    /// The tags to be.
    pub tags: Vec<Tag>,
    /// Conditions.
    pub preconditions: Preconditions,
}

/// Adds to the usage counters. What is of keys that are gone is passed over: a purge is final.
#[derive(Clone, Debug, Default)]
pub struct RecordUsage {
    /// Counters to add.
    pub usage: Vec<UsageRow>,
    /// Latest uses; an older one never replaces a newer, but its requests are added.
    pub last_uses: Vec<LastUse>,
    /// Refused requests. Of each key and cause the latest are kept ([`DenialCause::kept`]).
    ///
    /// [`DenialCause::kept`]: super::model::DenialCause::kept
    pub denials: Vec<DenialRow>,
}

/// Writes audit entries that accompany no change.
#[derive(Clone, Debug)]
pub struct AppendAudit;

/// A change, its caller and its audit entries.
#[derive(Clone, Debug)]
pub struct Mutation<C = Change> {
    /// The caller, judged inside the transaction.
    pub caller: Guard,
    /// The bucket that the caller was decided on; absent if it was on none, and for the service itself.
    pub policy: Option<PolicyGuard>,
    /// The time of the change: the caller's key must be usable at this time, and new rows carry it.
    pub at: Timestamp,
    /// The change.
    pub change: C,
    /// Audit entries, written in the same transaction if and only if the change is accepted.
    pub audit: Vec<AuditEntry>,
}

impl<C> Mutation<C> {
    /// A change made by the service itself.
    pub fn by_system(at: Timestamp, change: C) -> Self {
        Self {
            caller: Guard::System,
            policy: None,
            at,
            change,
            audit: Vec::new(),
        }
    }

    /// Adds audit entries.
    #[must_use]
    pub fn audited(mut self, audit: Vec<AuditEntry>) -> Self {
        self.audit.extend(audit);
        self
    }
}

impl<C: TypedChange> Mutation<C> {
    /// Erases the type of the change.
    pub fn untyped(self) -> Mutation {
        Mutation {
            caller: self.caller,
            policy: self.policy,
            at: self.at,
            change: self.change.into_change(),
            audit: self.audit,
        }
    }
}

/// Every kind of change.
#[derive(Clone, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "the large ones are the common ones"
)]
pub enum Change {
    /// See [`CreateAccount`].
    CreateAccount(CreateAccount),
    /// See [`UpdateAccount`].
    UpdateAccount(UpdateAccount),
    /// See [`CreateAccessKey`].
    CreateAccessKey(CreateAccessKey),
    /// See [`UpdateAccessKey`].
    UpdateAccessKey(UpdateAccessKey),
    /// See [`ResealAccessKey`].
    ResealAccessKey(ResealAccessKey),
    /// See [`PurgeAccessKey`].
    PurgeAccessKey(PurgeAccessKey),
    /// See [`CreateBucket`].
    CreateBucket(CreateBucket),
    /// See [`UpdateBucket`].
    UpdateBucket(UpdateBucket),
    /// See [`DeleteBucket`].
    DeleteBucket(DeleteBucket),
    /// See [`PutObject`].
    PutObject(PutObject),
    /// See [`DeleteObject`].
    DeleteObject(DeleteObject),
    /// See [`UpdateObject`].
    UpdateObject(UpdateObject),
    /// See [`CreateUpload`].
    CreateUpload(CreateUpload),
    /// See [`PutPart`].
    PutPart(PutPart),
    /// See [`AbortUpload`].
    AbortUpload(AbortUpload),
    /// See [`CompleteUpload`].
    CompleteUpload(CompleteUpload),
    /// See [`RecordUsage`].
    RecordUsage(RecordUsage),
    /// See [`AppendAudit`].
    AppendAudit(AppendAudit),
}
