use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Extent, KeyScope, NewData, PartData};
use crate::mutation::{Change, Guard, Mutation};
use bucketry_domain::{
    AccessKeyId, AccessKeyPk, AccountId, BlobId, BucketId, BucketName, DataId, ObjectKey, UploadId,
};

/// How rows that many commits read are locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LockMode {
    /// Against edits only: commits that read them run side by side.
    #[default]
    Shared,
    /// Against everybody: the batch edits one.
    Exclusive,
}

/// What a batch must load before it is judged. Ordered sets: all writers lock in the same order.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    pub(crate) accounts: BTreeSet<AccountId>,
    pub(crate) account_lock: LockMode,
    pub(crate) account_names: BTreeSet<String>,
    pub(crate) access_keys: BTreeSet<AccessKeyPk>,
    pub(crate) access_key_ids: BTreeSet<AccessKeyId>,
    pub(crate) key_lock: LockMode,
    /// Accounts that must keep a usable administrator key. Their lock orders such changes of two nodes.
    pub(crate) administrators: BTreeSet<AccountId>,
    pub(crate) buckets: BTreeSet<BucketId>,
    pub(crate) bucket_names: BTreeSet<BucketName>,
    /// Buckets in which data is shared.
    pub(crate) copying_buckets: BTreeSet<BucketId>,
    /// Buckets that are made, edited or deleted.
    pub(crate) edited_buckets: BTreeSet<BucketId>,
    /// Buckets whose settings are edited.
    pub(crate) settings: BTreeSet<BucketId>,
    /// Buckets to look into for objects.
    pub(crate) emptiness: BTreeSet<BucketId>,
    pub(crate) objects: BTreeSet<(BucketId, ObjectKey)>,
    pub(crate) uploads: BTreeSet<UploadId>,
    /// Uploads that end: all their parts with their extents.
    pub(crate) ending_uploads: BTreeSet<UploadId>,
    pub(crate) parts: BTreeSet<(UploadId, u16)>,
    /// New blobs: their reservations must stand.
    pub(crate) intents: BTreeSet<BlobId>,
    /// Buckets whose open uploads are counted, and how far.
    pub(crate) upload_counts: BTreeMap<BucketId, u32>,
    pub(crate) sources: BTreeSet<DataId>,
}

impl Needs {
    pub(crate) fn of(mutations: &[Mutation]) -> Self {
        let mut needs = Self::default();
        for mutation in mutations {
            needs.caller(mutation.caller);
            let decided_on = mutation.policy.map(|policy| policy.bucket);
            needs.buckets.extend(decided_on);
            needs.change(&mutation.change);
        }
        needs
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::CreateAccount(change) => {
                self.accounts.insert(change.id);
                self.account_names.insert(change.name.clone());
            }
            Change::UpdateAccount(change) => {
                self.accounts.insert(change.id);
                self.account_lock = LockMode::Exclusive;
            }
            Change::CreateAccessKey(change) => {
                self.edit_key(change.pk);
                self.access_key_ids.insert(change.access_key_id.clone());
                self.scope(change.scope);
            }
            Change::UpdateAccessKey(change) => {
                self.edit_key(change.pk);
                if let Some(account) = change.unless_last_of {
                    self.accounts.insert(account);
                    self.account_lock = LockMode::Exclusive;
                    self.administrators.insert(account);
                }
            }
            Change::ResealAccessKey(change) => self.edit_key(change.pk),
            Change::PurgeAccessKey(change) => self.edit_key(change.pk),
            Change::CreateBucket(change) => {
                self.buckets.insert(change.id);
                self.edited_buckets.insert(change.id);
                self.accounts.insert(change.account);
                self.bucket_names.insert(change.name.clone());
            }
            Change::UpdateBucket(change) => {
                self.buckets.insert(change.bucket);
                self.edited_buckets.insert(change.bucket);
                self.settings.insert(change.bucket);
            }
            Change::DeleteBucket(change) => {
                self.buckets.insert(change.bucket);
                self.edited_buckets.insert(change.bucket);
                self.emptiness.insert(change.bucket);
            }
            Change::PutObject(change) => {
                self.object(change.bucket, &change.key);
                self.data(change.bucket, &change.data);
            }
            Change::DeleteObject(change) => self.object(change.bucket, &change.key),
            Change::UpdateObject(change) => self.object(change.bucket, &change.key),
            Change::CreateUpload(change) => {
                self.upload(change.bucket, change.id);
                let most = self.upload_counts.entry(change.bucket).or_default();
                *most = change.most_open.max(*most);
            }
            Change::PutPart(change) => {
                self.upload(change.bucket, change.upload);
                self.parts.insert((change.upload, change.number));
                self.part_data(change.bucket, &change.data);
            }
            Change::AbortUpload(change) => {
                self.upload(change.bucket, change.upload);
                self.ending_uploads.insert(change.upload);
            }
            Change::CompleteUpload(change) => {
                self.upload(change.bucket, change.upload);
                self.ending_uploads.insert(change.upload);
                self.objects.insert((change.bucket, change.key.clone()));
            }
            Change::RecordUsage(change) => self.access_keys.extend(change.keys()),
            Change::AppendAudit(_) => {}
        }
    }

    /// Whether the batch creates versions of objects or settings, which need numbers.
    pub(crate) fn change_numbers(&self) -> bool {
        !self.objects.is_empty() || !self.settings.is_empty()
    }

    fn edit_key(&mut self, pk: AccessKeyPk) {
        self.access_keys.insert(pk);
        self.key_lock = LockMode::Exclusive;
    }

    fn scope(&mut self, scope: KeyScope) {
        match scope {
            KeyScope::Everything | KeyScope::Edge => {}
            KeyScope::Account(account) => self.accounts.extend([account]),
            KeyScope::Bucket {
                account, bucket, ..
            } => {
                self.accounts.insert(account);
                self.buckets.insert(bucket);
            }
        }
    }

    fn caller(&mut self, caller: Guard) {
        match caller {
            Guard::Key { pk, .. } => self.access_keys.extend([pk]),
            Guard::System => {}
        }
    }

    fn object(&mut self, bucket: BucketId, key: &ObjectKey) {
        self.buckets.insert(bucket);
        self.objects.insert((bucket, key.clone()));
    }

    fn upload(&mut self, bucket: BucketId, upload: UploadId) {
        self.buckets.insert(bucket);
        self.uploads.insert(upload);
    }

    fn data(&mut self, bucket: BucketId, data: &NewData) {
        match data {
            NewData::Empty | NewData::Inline(_) => {}
            NewData::Extents(layout) => self.intents(&layout.extents),
            NewData::Shared { source, .. } => self.source(bucket, *source),
        }
    }

    fn part_data(&mut self, bucket: BucketId, data: &PartData) {
        match data {
            PartData::Extents(extents) => self.intents(extents),
            PartData::Shared { source, .. } => self.source(bucket, *source),
        }
    }

    fn source(&mut self, bucket: BucketId, source: DataId) {
        self.sources.insert(source);
        self.copying_buckets.insert(bucket);
    }

    fn intents(&mut self, extents: &[Extent]) {
        self.intents
            .extend(extents.iter().map(|extent| extent.blob));
    }
}
