use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use crate::model::{
    AccessKey, Account, AuditRecord, Bucket, ChangeKind, DataPlace, KeyScope, KeyState, LastUse,
    NoncurrentVersion, ObjectChange, ObjectData, ObjectRow, Part, Upload, UsageRow,
};
use crate::rows::{DataRow, StoredData, StoredDenial};
use bucketry_domain::{
    AccessKeyId, AccessKeyPk, AccountId, BlobBatchId, BlobId, BucketId, BucketName, BucketSetting,
    BucketSettings, DataId, Generation, ObjectKey, Timestamp, UploadId, VersionId,
};

/// Rows by primary key: what was loaded, and what became of it.
#[derive(Debug)]
pub(crate) struct Tracked<K, V> {
    rows: HashMap<K, V>,
    changed: BTreeSet<K>,
}

impl<K, V> Default for Tracked<K, V> {
    fn default() -> Self {
        Self {
            rows: HashMap::new(),
            changed: BTreeSet::new(),
        }
    }
}

impl<K: Clone + Eq + Hash + Ord, V> Tracked<K, V> {
    /// Takes a row as the database has it.
    pub(crate) fn load(&mut self, key: K, row: V) {
        self.rows.insert(key, row);
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    pub(crate) fn put(&mut self, key: K, row: V) {
        self.changed.insert(key.clone());
        self.rows.insert(key, row);
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.changed.insert(key.clone());
        self.rows.remove(key)
    }

    /// What is to be written, ordered by key: the row to be, or none if it is to be deleted.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (&K, Option<&V>)> {
        self.changed.iter().map(|key| (key, self.rows.get(key)))
    }
}

/// A key's current version, with its data if this process knows it.
#[derive(Clone, Debug)]
pub(crate) struct CurrentObject {
    pub(crate) row: Arc<ObjectRow>,
    pub(crate) data: Option<ObjectData>,
}

/// An uploaded part with what a completion needs of its data.
#[derive(Clone, Debug)]
pub(crate) struct UploadedPart {
    pub(crate) part: Part,
    /// Loaded for the parts of uploads that end in this batch.
    pub(crate) extents: Vec<crate::model::Extent>,
}

/// Everything that a batch touches, as it is and as it will be.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) accounts: Tracked<AccountId, Arc<Account>>,
    pub(crate) account_names: HashSet<String>,
    pub(crate) access_keys: Tracked<AccessKeyPk, Arc<AccessKey>>,
    pub(crate) access_key_ids: HashSet<AccessKeyId>,
    /// Usable administrator keys of the accounts that must keep one. Not all: one more than the batch can revoke.
    pub(crate) administrators: HashMap<AccountId, BTreeSet<AccessKeyPk>>,
    pub(crate) buckets: Tracked<BucketId, Arc<Bucket>>,
    pub(crate) bucket_names: HashMap<BucketName, BucketId>,
    /// Settings of the buckets whose settings are edited.
    pub(crate) settings: HashMap<BucketId, BucketSettings>,
    pub(crate) changed_settings: BTreeSet<(BucketId, BucketSetting)>,
    /// Buckets that hold objects, of those that are to be deleted.
    pub(crate) occupied: HashSet<BucketId>,
    pub(crate) objects: Tracked<(BucketId, ObjectKey), CurrentObject>,
    /// Noncurrent versions and delete markers.
    pub(crate) versions: Tracked<(BucketId, ObjectKey, VersionId), NoncurrentVersion>,
    pub(crate) uploads: Tracked<UploadId, Arc<Upload>>,
    /// Open uploads of the buckets that uploads begin in, counted no further than their limit.
    pub(crate) open_uploads: HashMap<BucketId, u32>,
    pub(crate) parts: HashMap<UploadId, BTreeMap<u16, UploadedPart>>,
    pub(crate) changed_parts: BTreeSet<(UploadId, u16)>,
    /// Uploads whose part rows go, all of them.
    pub(crate) ended_uploads: BTreeSet<UploadId>,
    /// Reservations that stand.
    pub(crate) batches: HashSet<BlobBatchId>,
    /// New blobs without a reservation that are marked as garbage, but not condemned: a reference saves them.
    pub(crate) reclaimable: BTreeSet<BlobId>,
    /// Data rows that may be shared.
    pub(crate) sources: HashSet<DataId>,

    /// Data rows to be written.
    pub(crate) new_data: BTreeMap<DataId, DataRow>,
    /// Inline data rows to be deleted.
    pub(crate) dropped_inline: Vec<DataId>,
    /// Data rows to be deleted whose blobs may have lost their last reference.
    pub(crate) dropped_extents: Vec<DataId>,
    /// Data rows to be deleted whose blobs other rows of this batch refer to.
    pub(crate) absorbed: Vec<DataId>,
    /// Blobs that were referred to only within this batch.
    pub(crate) garbage: BTreeSet<BlobId>,
    /// Changes of objects, in the order of their numbers.
    pub(crate) changes: Vec<ObjectChange>,
    pub(crate) audit: Vec<AuditRecord>,
    pub(crate) usage: Vec<UsageRow>,
    pub(crate) last_uses: Vec<LastUse>,
    pub(crate) denials: Vec<StoredDenial>,
    /// The next id of the block that was reserved for this batch.
    pub(crate) next_id: i64,
    /// The number of the change being judged, which becomes the version of the object or setting.
    pub(crate) change_number: Generation,
}

impl State {
    /// An empty state whose new rows get ids from `next_id` on.
    pub(crate) fn new(next_id: i64) -> Self {
        Self {
            next_id,
            ..Self::default()
        }
    }

    pub(super) fn take_id(&mut self) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// Plans an access key as it is after its creation or edit.
    pub(super) fn put_access_key(&mut self, key: Arc<AccessKey>) {
        let administered = match key.scope {
            KeyScope::Account(account) => self.administrators.get_mut(&account),
            KeyScope::Everything | KeyScope::Bucket { .. } | KeyScope::Edge => None,
        };
        if let Some(administrators) = administered {
            match key.state == KeyState::Active && key.expires.is_none() {
                true => administrators.insert(key.pk),
                false => administrators.remove(&key.pk),
            };
        }
        self.access_keys.put(key.pk, key);
    }

    /// Plans a data row.
    pub(super) fn add_data(&mut self, stored: StoredData) -> DataId {
        let id = DataId(self.take_id());
        self.new_data.insert(id, DataRow { id, stored });
        id
    }

    /// Appends a change of a version to the change log; `replaced` is the current version before the change.
    pub(super) fn log_change(
        &mut self,
        kind: ChangeKind,
        version: &ObjectRow,
        at: Timestamp,
        replaced: Option<&ObjectRow>,
    ) {
        let size = |row: &ObjectRow| i64::try_from(row.meta.size).unwrap_or(i64::MAX);
        let before = replaced.map_or((0, 0), |row| (1, size(row)));
        let after = match kind {
            ChangeKind::Put | ChangeKind::Updated => (1, size(version)),
            ChangeKind::Deleted => (0, 0),
        };
        self.changes.push(ObjectChange {
            number: self.change_number,
            bucket: version.bucket,
            key: version.key.clone(),
            version: version.version,
            kind,
            at,
            objects: after.0 - before.0,
            bytes: after.1 - before.1,
        });
    }

    /// Plans the end of a version's data.
    pub(super) fn drop_data(&mut self, place: DataPlace) {
        match place {
            DataPlace::Empty => {}
            DataPlace::Inline(id) => {
                if self.new_data.remove(&id).is_none() {
                    self.dropped_inline.push(id);
                }
            }
            DataPlace::Extents(id) => match self.new_data.remove(&id) {
                Some(row) => self.garbage.extend(row.blobs()),
                None => {
                    self.sources.remove(&id);
                    self.dropped_extents.push(id);
                }
            },
        }
    }
}
