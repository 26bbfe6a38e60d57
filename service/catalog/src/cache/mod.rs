//! Hot rows in memory, for the engine of which this process is the only user. The writer changes them before it answers,
//! so that they are as true as the database. For the other engine see [`hints`](super::hints).

mod versioned;

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::judge::State;
use super::model::{AccessKey, Bucket, BucketState, ObjectData, ObjectRow, StoredObject};
use bucketry_domain::{
    AccessKeyId, AccessKeyPk, BucketId, BucketName, BucketSetting, BucketSettings, CorsRule,
    ObjectKey, Tag,
};

use versioned::{Mark, VersionedCache};
pub(crate) use versioned::{Weigh, bounded};

/// The bounds of what is remembered, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheBytes {
    /// For access keys, buckets and their settings.
    pub keys: u64,
    /// For objects, inline data included. Only on SQLite.
    pub objects: u64,
}

impl Default for CacheBytes {
    fn default() -> Self {
        Self {
            keys: 96 * 1024 * 1024,
            objects: 28 * 1024 * 1024,
        }
    }
}

/// The caches of a catalog.
pub(crate) struct Caches {
    pub(crate) keys: VersionedCache<AccessKeyId, Arc<AccessKey>>,
    /// The ids of rows: they never change.
    key_ids: Cache<AccessKeyPk, AccessKeyId, Weigh<AccessKeyPk, AccessKeyId>>,
    pub(crate) buckets_by_name: VersionedCache<BucketName, Arc<Bucket>>,
    pub(crate) buckets_by_id: VersionedCache<BucketId, Arc<Bucket>>,
    pub(crate) settings: VersionedCache<BucketId, Arc<BucketSettings>>,
    pub(crate) objects: VersionedCache<(BucketId, ObjectKey), KnownObject>,
}

/// What is known of an object.
#[derive(Clone, Debug)]
pub(crate) enum KnownObject {
    /// There is none.
    Absent,
    /// Its current version, without data: only that was needed.
    Row(Arc<ObjectRow>),
    /// Its current version, with data.
    Whole(Arc<StoredObject>),
}

impl From<Option<Arc<StoredObject>>> for KnownObject {
    fn from(found: Option<Arc<StoredObject>>) -> Self {
        found.map_or(Self::Absent, Self::Whole)
    }
}

impl From<Option<Arc<ObjectRow>>> for KnownObject {
    fn from(found: Option<Arc<ObjectRow>>) -> Self {
        found.map_or(Self::Absent, Self::Row)
    }
}

/// What an entry costs beside what it holds: the cache's own bookkeeping and the allocations' heads.
const OVERHEAD: usize = 160;
/// The memory that the id of a key takes, of which its row has the text.
const KEY_ID_BYTES: usize = 96;
/// About the memory that the row of a key takes.
pub(crate) const KEY_BYTES: u64 = 640;
/// About the memory that an object takes.
const OBJECT_BYTES: u64 = 2048;
/// The memory that a bucket takes in a cache. Name and region are short.
pub(crate) const BUCKET_BYTES: usize = OVERHEAD + size_of::<Bucket>();

impl Caches {
    /// Of the bytes for keys, five eighths are for their rows, and an eighth each for their ids, buckets with their
    /// settings by id, and buckets by name.
    pub(crate) fn new(bytes: CacheBytes) -> Self {
        let eighth = bytes.keys / 8;
        Self {
            keys: VersionedCache::new(5 * eighth, KEY_BYTES, |_, key| weigh_key(key)),
            key_ids: bounded(eighth, KEY_ID_BYTES as u64, |_, _| KEY_ID_BYTES),
            buckets_by_name: VersionedCache::new(eighth, BUCKET_BYTES as u64, |_, _| BUCKET_BYTES),
            buckets_by_id: VersionedCache::new(eighth / 2, BUCKET_BYTES as u64, |_, _| {
                BUCKET_BYTES
            }),
            // Few, which may be as large as a share of the cache.
            settings: VersionedCache::new(eighth / 2, eighth / 2, |_, settings| {
                weigh_settings(settings)
            }),
            objects: VersionedCache::new(bytes.objects, OBJECT_BYTES, |(_, key), object| {
                OVERHEAD + key.as_str().len() + weigh_object(object)
            }),
        }
    }

    /// The key of a row, if both its id and the row are known.
    pub(crate) fn key_by_pk(&self, pk: AccessKeyPk) -> Option<Arc<AccessKey>> {
        let id = self.key_ids.get(&pk)?;
        self.keys.get(&id).filter(|key| key.pk == pk)
    }

    /// The id of a row, if it is known.
    pub(crate) fn key_id(&self, pk: AccessKeyPk) -> Option<AccessKeyId> {
        self.key_ids.get(&pk)
    }

    /// Keeps the id of a row.
    pub(crate) fn learn_key_id(&self, key: &AccessKey) {
        self.key_ids.insert(key.pk, key.access_key_id.clone());
    }

    #[cfg(test)]
    pub(crate) fn forget_key_id(&self, pk: AccessKeyPk) {
        self.key_ids.remove(&pk);
    }

    /// Marks what a batch is about to commit, until the answer is dropped.
    pub(crate) fn mark(&self, state: &State) -> Marks<'_> {
        let mut marks = Marks {
            caches: self,
            keys: Vec::new(),
            buckets_by_name: Vec::new(),
            buckets_by_id: Vec::new(),
            settings: Vec::new(),
            objects: Vec::new(),
        };
        for (pk, key) in state.access_keys.changes() {
            let id = key.map(|key| key.access_key_id.clone());
            if let Some(id) = id.or_else(|| self.key_id(*pk)) {
                marks.keys.push(self.keys.mark(&id));
            }
        }
        for (id, bucket) in state.buckets.changes() {
            marks.buckets_by_id.push(self.buckets_by_id.mark(id));
            if let Some(bucket) = bucket {
                let mark = self.buckets_by_name.mark(&bucket.name);
                marks.buckets_by_name.push(mark);
            }
        }
        for (bucket, _) in &state.changed_settings {
            marks.settings.push(self.settings.mark(bucket));
        }
        for (place, _) in state.objects.changes() {
            marks.objects.push(self.objects.mark(place));
        }
        marks
    }

    /// Takes over what a batch committed.
    pub(crate) fn publish(&self, state: &State) {
        for (pk, key) in state.access_keys.changes() {
            match key {
                Some(key) => {
                    self.learn_key_id(key);
                    self.keys.put(key.access_key_id.clone(), key.clone());
                }
                None => match self.key_id(*pk) {
                    Some(id) => self.keys.forget(&id),
                    // A purged key whose id is unknown may be among the rows.
                    None => self.keys.clear(),
                },
            }
        }
        for (id, bucket) in state.buckets.changes() {
            let Some(bucket) = bucket else { continue };
            self.buckets_by_id.put(*id, bucket.clone());
            match bucket.state {
                BucketState::Alive => self
                    .buckets_by_name
                    .put(bucket.name.clone(), bucket.clone()),
                BucketState::Deleted => self.buckets_by_name.forget(&bucket.name),
            }
        }
        for (bucket, _) in &state.changed_settings {
            self.settings.forget(bucket);
        }
        for (place, object) in state.objects.changes() {
            match object.map(|object| (&object.row, &object.data)) {
                None => self.objects.put(place.clone(), KnownObject::Absent),
                Some((row, Some(data))) => {
                    let stored = StoredObject {
                        row: row.clone(),
                        data: data.clone(),
                    };
                    let known = KnownObject::Whole(Arc::new(stored));
                    self.objects.put(place.clone(), known);
                }
                // An edit of a version whose data was not in memory.
                Some((row, None)) => self
                    .objects
                    .put(place.clone(), KnownObject::Row(row.clone())),
            }
        }
    }

    /// Forgets everything: the outcome of a commit is unknown.
    pub(crate) fn clear(&self) {
        self.keys.clear();
        self.buckets_by_name.clear();
        self.buckets_by_id.clear();
        self.settings.clear();
        self.objects.clear();
    }
}

/// The marks of a batch.
pub(crate) struct Marks<'c> {
    caches: &'c Caches,
    keys: Vec<Mark>,
    buckets_by_name: Vec<Mark>,
    buckets_by_id: Vec<Mark>,
    settings: Vec<Mark>,
    objects: Vec<Mark>,
}

impl Drop for Marks<'_> {
    fn drop(&mut self) {
        let caches = self.caches;
        let unmark = |mark| caches.keys.unmark(mark);
        self.keys.iter().for_each(unmark);
        let unmark = |mark| caches.buckets_by_name.unmark(mark);
        self.buckets_by_name.iter().for_each(unmark);
        let unmark = |mark| caches.buckets_by_id.unmark(mark);
        self.buckets_by_id.iter().for_each(unmark);
        let unmark = |mark| caches.settings.unmark(mark);
        self.settings.iter().for_each(unmark);
        let unmark = |mark| caches.objects.unmark(mark);
        self.objects.iter().for_each(unmark);
    }
}

/// The memory that a key takes in a cache.
pub(crate) fn weigh_key(key: &AccessKey) -> usize {
    OVERHEAD
        + size_of::<AccessKey>()
        + key.access_key_id.as_str().len()
        + key.name.len()
        + key.secret.nonce.len()
        + key.secret.sealed.len()
        + 40 * (key.allowed.len() + key.disallowed.len())
}

fn weigh_settings(settings: &BucketSettings) -> usize {
    let weigh = |setting: &BucketSetting| match setting {
        BucketSetting::Tagging => settings.tagging().map_or(0, |tags| weigh_tags(tags)),
        BucketSetting::Cors => settings.cors().into_iter().flatten().map(weigh_rule).sum(),
        BucketSetting::OwnershipControls => 0,
    };
    let values: usize = BucketSetting::ALL.iter().map(weigh).sum();
    OVERHEAD + size_of::<BucketSettings>() + values
}

fn weigh_tags(tags: &[Tag]) -> usize {
    tags.iter()
        .map(|tag| tag.key.len() + tag.value.len() + 48)
        .sum()
}

fn weigh_rule(rule: &CorsRule) -> usize {
    let lists = [
        &rule.allowed_origins,
        &rule.allowed_methods,
        &rule.allowed_headers,
        &rule.expose_headers,
    ];
    let entries = lists.into_iter().flatten();
    let entries: usize = entries.map(|text| size_of::<String>() + text.len()).sum();
    size_of::<CorsRule>() + rule.id.as_ref().map_or(0, String::len) + entries
}

fn weigh_object(object: &KnownObject) -> usize {
    match object {
        KnownObject::Absent => 0,
        KnownObject::Row(row) => weigh_row(row),
        KnownObject::Whole(stored) => {
            let data = match &stored.data {
                ObjectData::Empty => 0,
                ObjectData::Inline(bytes) => bytes.len(),
                ObjectData::Extents(layout) => 32 * layout.extents.len() + 56 * layout.parts.len(),
            };
            size_of::<StoredObject>() + weigh_row(&stored.row) + data
        }
    }
}

fn weigh_row(row: &ObjectRow) -> usize {
    let meta = &row.meta;
    let headers: usize = meta
        .headers
        .user_metadata
        .iter()
        .map(|(name, value)| name.len() + value.len() + 48)
        .sum();
    let tags = weigh_tags(&meta.tags);
    size_of_val(row) + 64 + headers + tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_weighs_what_it_holds() {
        let rule = CorsRule {
            allowed_headers: vec!["h".repeat(9_900); 190],
            ..CorsRule::default()
        };
        assert!(weigh_rule(&rule) > 190 * 9_900);
    }
}
