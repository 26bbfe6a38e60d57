//! Hot rows in memory, for the engine of which this process is the only user. The writer changes them before it answers,
//! so that they are as true as the database. For the other engine see [`hints`](super::hints).

mod versioned;

use std::sync::Arc;

use super::judge::State;
use super::model::{AccessKey, Bucket, BucketState, ObjectData, StoredObject};
use bucketry_domain::{
    AccessKeyId, AccessKeyPk, BucketId, BucketName, BucketSetting, BucketSettings, CorsRule,
    ObjectKey, Tag,
};

use versioned::{Mark, VersionedCache};

/// The caches of a catalog.
pub(crate) struct Caches {
    pub(crate) keys_by_id: VersionedCache<AccessKeyId, Arc<AccessKey>>,
    pub(crate) keys_by_pk: VersionedCache<AccessKeyPk, Arc<AccessKey>>,
    pub(crate) buckets_by_name: VersionedCache<BucketName, Arc<Bucket>>,
    pub(crate) buckets_by_id: VersionedCache<BucketId, Arc<Bucket>>,
    pub(crate) settings: VersionedCache<BucketId, Arc<BucketSettings>>,
    /// `None`: there is no such object.
    pub(crate) objects: VersionedCache<(BucketId, ObjectKey), Option<Arc<StoredObject>>>,
}

/// What an entry costs beside what it holds: the cache's own bookkeeping and the allocations' heads.
const OVERHEAD: usize = 256;
/// The memory that a bucket takes in a cache. Name and region are short.
pub(crate) const BUCKET_BYTES: usize = OVERHEAD + size_of::<Bucket>();

impl Caches {
    /// An eighth of the bytes is for keys, buckets and settings.
    pub(crate) fn new(bytes: u64) -> Self {
        let small = bytes / 40;
        Self {
            keys_by_id: VersionedCache::new(small, |_, key: &Arc<AccessKey>| weigh_key(key)),
            keys_by_pk: VersionedCache::new(small, |_, key: &Arc<AccessKey>| weigh_key(key)),
            buckets_by_name: VersionedCache::new(small, |_, _| BUCKET_BYTES),
            buckets_by_id: VersionedCache::new(small, |_, _| BUCKET_BYTES),
            settings: VersionedCache::new(small, |_, settings: &Arc<BucketSettings>| {
                weigh_settings(settings)
            }),
            objects: VersionedCache::new(
                bytes - 5 * small,
                |(_, key): &(BucketId, ObjectKey), object: &Option<Arc<StoredObject>>| {
                    OVERHEAD + key.as_str().len() + object.as_deref().map_or(0, weigh_object)
                },
            ),
        }
    }

    /// Marks what a batch is about to commit, until the answer is dropped.
    pub(crate) fn mark(&self, state: &State) -> Marks<'_> {
        let mut marks = Marks {
            caches: self,
            keys_by_id: Vec::new(),
            keys_by_pk: Vec::new(),
            buckets_by_name: Vec::new(),
            buckets_by_id: Vec::new(),
            settings: Vec::new(),
            objects: Vec::new(),
        };
        for (pk, key) in state.access_keys.changes() {
            // The id of a purged key is that of the row that is known here, if there is one.
            let key = key.cloned().or_else(|| self.keys_by_pk.get(pk));
            if let Some(key) = key {
                marks
                    .keys_by_id
                    .push(self.keys_by_id.mark(&key.access_key_id));
            }
            marks.keys_by_pk.push(self.keys_by_pk.mark(pk));
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
                    self.keys_by_id.put(key.access_key_id.clone(), key.clone());
                    self.keys_by_pk.put(*pk, key.clone());
                }
                // Its id was forgotten when it was marked.
                None => self.keys_by_pk.forget(pk),
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
                None => self.objects.put(place.clone(), None),
                Some((row, Some(data))) => {
                    let stored = StoredObject {
                        row: row.clone(),
                        data: data.clone(),
                    };
                    self.objects.put(place.clone(), Some(Arc::new(stored)));
                }
                // An edit of a version whose data was not in memory.
                Some((_, None)) => self.objects.forget(place),
            }
        }
    }

    /// Forgets everything: the outcome of a commit is unknown.
    pub(crate) fn clear(&self) {
        self.keys_by_id.clear();
        self.keys_by_pk.clear();
        self.buckets_by_name.clear();
        self.buckets_by_id.clear();
        self.settings.clear();
        self.objects.clear();
    }
}

/// The marks of a batch.
pub(crate) struct Marks<'c> {
    caches: &'c Caches,
    keys_by_id: Vec<Mark>,
    keys_by_pk: Vec<Mark>,
    buckets_by_name: Vec<Mark>,
    buckets_by_id: Vec<Mark>,
    settings: Vec<Mark>,
    objects: Vec<Mark>,
}

impl Drop for Marks<'_> {
    fn drop(&mut self) {
        let caches = self.caches;
        let unmark = |mark| caches.keys_by_id.unmark(mark);
        self.keys_by_id.iter().for_each(unmark);
        let unmark = |mark| caches.keys_by_pk.unmark(mark);
        self.keys_by_pk.iter().for_each(unmark);
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
        + key.name.len()
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

fn weigh_object(object: &StoredObject) -> usize {
    let meta = &object.row.meta;
    let headers: usize = meta
        .headers
        .user_metadata
        .iter()
        .map(|(name, value)| name.len() + value.len() + 48)
        .sum();
    let tags = weigh_tags(&meta.tags);
    let data = match &object.data {
        ObjectData::Empty => 0,
        ObjectData::Inline(bytes) => bytes.len(),
        ObjectData::Extents(layout) => 32 * layout.extents.len() + 56 * layout.parts.len(),
    };
    size_of::<StoredObject>() + size_of_val(&*object.row) + 64 + headers + tags + data
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
