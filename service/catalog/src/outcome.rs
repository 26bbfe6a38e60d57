//! What a commit answers: the only source of what a request may tell its caller.

use std::sync::Arc;

use super::model::{AccessKey, Account, Bucket, CompletedUpload, ObjectRow, Part, Upload};
use super::mutation::{
    AbortUpload, AppendAudit, Change, CompleteUpload, CreateAccessKey, CreateAccount, CreateBucket,
    CreateUpload, DeleteBucket, DeleteObject, PurgeAccessKey, PutObject, PutPart, RecordUsage,
    ResealAccessKey, UpdateAccessKey, UpdateAccount, UpdateBucket, UpdateObject,
};
use bucketry_domain::BucketSettings;

/// The answer to an accepted change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An account as it now is.
    Account(Arc<Account>),
    /// An access key as it now is.
    AccessKey(Arc<AccessKey>),
    /// A bucket as it now is.
    Bucket(Arc<Bucket>),
    /// The current settings of a bucket.
    BucketSettings(Arc<BucketSettings>),
    /// A new or changed version.
    Object(ObjectStored),
    /// A deleted key.
    ObjectDeleted(ObjectDeleted),
    /// A begun upload.
    Upload(Arc<Upload>),
    /// A stored part.
    Part(Part),
    /// A completed upload.
    Completed(UploadCompleted),
    /// Nothing to tell.
    Done,
}

/// The answer to [`PutObject`] and [`UpdateObject`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectStored {
    /// The current version, as committed.
    pub row: Arc<ObjectRow>,
    /// The version that it replaced; for [`UpdateObject`] the version as it was.
    pub replaced: Option<Arc<ObjectRow>>,
}

/// The answer to [`DeleteObject`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectDeleted {
    /// The version that was removed; absent if the key did not exist.
    pub removed: Option<Arc<ObjectRow>>,
}

/// The answer to [`CompleteUpload`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadCompleted {
    /// The upload as it was begun.
    pub upload: Arc<Upload>,
    /// What it became, now or when it was completed before.
    pub completed: CompletedUpload,
    /// Whether this call did it.
    pub repetition: Repetition,
}

/// Whether a call did something or found it done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repetition {
    /// Done now.
    First,
    /// Done before; the answer is the same.
    Repeated,
}

/// A change whose answer has a type of its own.
pub trait TypedChange {
    /// The answer.
    type Answer;
    /// Forgets the type.
    fn into_change(self) -> Change;
    /// Reads the answer; `None` if it is another change's.
    fn answer(outcome: Outcome) -> Option<Self::Answer>;
}

/// Connects a change with the outcome that answers it.
macro_rules! answers {
    ($($change:ident => $outcome:ident($answer:ty)),* $(,)?) => {
        $(impl TypedChange for $change {
            type Answer = $answer;
            fn into_change(self) -> Change { Change::$change(self) }
            fn answer(outcome: Outcome) -> Option<$answer> {
                match outcome { Outcome::$outcome(answer) => Some(answer), _ => None }
            }
        })*
    };
}

answers! {
    CreateAccount => Account(Arc<Account>),
    UpdateAccount => Account(Arc<Account>),
    CreateAccessKey => AccessKey(Arc<AccessKey>),
    UpdateAccessKey => AccessKey(Arc<AccessKey>),
    ResealAccessKey => AccessKey(Arc<AccessKey>),
    CreateBucket => Bucket(Arc<Bucket>),
    UpdateBucket => BucketSettings(Arc<BucketSettings>),
    DeleteBucket => Bucket(Arc<Bucket>),
    PutObject => Object(ObjectStored),
    UpdateObject => Object(ObjectStored),
    DeleteObject => ObjectDeleted(ObjectDeleted),
    CreateUpload => Upload(Arc<Upload>),
    PutPart => Part(Part),
    AbortUpload => Upload(Arc<Upload>),
    CompleteUpload => Completed(UploadCompleted),
}

/// Connects a change with the empty answer.
macro_rules! answers_nothing {
    ($($change:ident),*) => {
        $(impl TypedChange for $change {
            type Answer = ();
            fn into_change(self) -> Change { Change::$change(self) }
            fn answer(outcome: Outcome) -> Option<()> {
                match outcome { Outcome::Done => Some(()), _ => None }
            }
        })*
    };
}

answers_nothing!(PurgeAccessKey, RecordUsage, AppendAudit);
