//! Hot rows in memory, for the engine of which this process is the only user. The writer changes them before it answers,
//! so that they are as true as the database. For the other engine see [`hints`](super::hints).

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::judge::State;
use super::model::{AccessKey, Bucket, BucketState, ObjectData, StoredObject};
use bucketry_domain::{
    AccessKeyId, AccessKeyPk, BucketId, BucketName, BucketSetting, BucketSettings, CorsRule,
    ObjectKey, Tag,
};

const SHARDS: usize = 64;

/// A bounded cache that a slow reader cannot poison: a value read from the database goes in only if no writer touched the
/// key's shard since the reader began.
pub(crate) struct VersionedCache<K, V> {
    rows: moka::sync::Cache<K, V>,
    versions: Vec<Mutex<u64>>,
    hasher: RandomState,
}

/// The state of a shard when a reader began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket(u64);

impl<K, V> VersionedCache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn new(bytes: u64, weigh: impl Fn(&K, &V) -> usize + Send + Sync + 'static) -> Self {
        let rows = moka::sync::Cache::builder()
            .max_capacity(bytes)
            .weigher(move |key, row| u32::try_from(weigh(key, row)).unwrap_or(u32::MAX))
            .build();
        let versions = (0..SHARDS).map(|_| Mutex::new(0)).collect();
        Self {
            rows,
            versions,
            hasher: RandomState::new(),
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.rows.get(key)
    }

    /// To be taken before the database is read.
    pub(crate) fn ticket(&self, key: &K) -> Ticket {
        Ticket(self.shard(key).map_or(0, |version| *version))
    }

    /// Keeps what a reader found, unless a writer came between.
    pub(crate) fn fill(&self, key: K, row: V, ticket: Ticket) {
        if let Some(version) = self.shard(&key)
            && *version == ticket.0
        {
            self.rows.insert(key, row);
        }
    }

    /// Keeps what was committed.
    fn put(&self, key: K, row: V) {
        if let Some(mut version) = self.shard(&key) {
            *version += 1;
            self.rows.insert(key, row);
        }
    }

    /// Forgets what was there before a commit.
    fn forget(&self, key: &K) {
        if let Some(mut version) = self.shard(key) {
            *version += 1;
            self.rows.invalidate(key);
        }
    }

    /// Forgets everything.
    fn clear(&self) {
        for version in &self.versions {
            *version.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        }
        // Entries are gone for every later `get`; a filler that was past its check when the loop went by is behind.
        self.rows.invalidate_all();
    }

    fn shard(&self, key: &K) -> Option<MutexGuard<'_, u64>> {
        let shard = self.hasher.hash_one(key) as usize % SHARDS;
        self.versions
            .get(shard)
            .map(|version| version.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

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

    /// Takes over what a batch committed.
    pub(crate) fn publish(&self, state: &State) {
        for (pk, key) in state.access_keys.changes() {
            match key {
                Some(key) => {
                    self.keys_by_id.put(key.access_key_id.clone(), key.clone());
                    self.keys_by_pk.put(*pk, key.clone());
                }
                None => {
                    if let Some(key) = self.keys_by_pk.get(pk) {
                        self.keys_by_id.forget(&key.access_key_id);
                    }
                    self.keys_by_pk.forget(pk);
                }
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

    fn cache() -> VersionedCache<u32, u32> {
        VersionedCache::new(1 << 20, |_, _| 8)
    }

    #[test]
    fn a_reader_that_a_writer_overtook_leaves_nothing() {
        let cache = cache();
        let ticket = cache.ticket(&1);
        cache.put(1, 20);
        cache.fill(1, 10, ticket);
        assert_eq!(cache.get(&1), Some(20));
        let ticket = cache.ticket(&1);
        cache.forget(&1);
        cache.fill(1, 10, ticket);
        assert_eq!(cache.get(&1), None);
        let ticket = cache.ticket(&1);
        cache.clear();
        cache.fill(1, 10, ticket);
        assert_eq!(cache.get(&1), None);
    }

    #[test]
    fn an_undisturbed_reader_fills() {
        let cache = cache();
        let ticket = cache.ticket(&1);
        cache.fill(1, 10, ticket);
        assert_eq!(cache.get(&1), Some(10));
    }

    #[test]
    fn the_bound_holds() {
        let cache = VersionedCache::<u32, u32>::new(800, |_, _| 8);
        for key in 0..10_000 {
            cache.put(key, key);
        }
        cache.rows.run_pending_tasks();
        assert!(
            cache.rows.weighted_size() <= 800,
            "{}",
            cache.rows.weighted_size()
        );
    }

    #[test]
    fn a_rule_weighs_what_it_holds() {
        let rule = CorsRule {
            allowed_headers: vec!["h".repeat(9_900); 190],
            ..CorsRule::default()
        };
        assert!(weigh_rule(&rule) > 190 * 9_900);
    }
}
