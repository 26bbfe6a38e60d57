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
///
/// A writer marks the keys that it is about to commit. A marked key is not in the cache, so that a reader looks in the
/// database, and what it finds stays out: it may be from before the commit. So no reader sees an older version than a listing
/// that read the database showed before.
pub(crate) struct VersionedCache<K, V> {
    rows: moka::sync::Cache<K, V>,
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
}

#[derive(Default)]
struct Shard {
    /// How often a writer touched it.
    version: u64,
    /// The hashes of the keys that are marked: few, of one batch.
    marked: Vec<u64>,
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
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self {
            rows,
            shards,
            hasher: RandomState::new(),
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.rows.get(key)
    }

    /// To be taken before the database is read.
    pub(crate) fn ticket(&self, key: &K) -> Ticket {
        let shard = self.shard(self.hasher.hash_one(key));
        Ticket(shard.map_or(0, |shard| shard.version))
    }

    /// Keeps what a reader found, unless a writer came between.
    pub(crate) fn fill(&self, key: K, row: V, ticket: Ticket) {
        let hash = self.hasher.hash_one(&key);
        if let Some(shard) = self.shard(hash)
            && shard.version == ticket.0
            && !shard.marked.contains(&hash)
        {
            self.rows.insert(key, row);
        }
    }

    /// Announces a commit that changes the row; returns what ends the mark.
    fn mark(&self, key: &K) -> Mark {
        let hash = self.hasher.hash_one(key);
        if let Some(mut shard) = self.shard(hash) {
            shard.version += 1;
            shard.marked.push(hash);
            self.rows.invalidate(key);
        }
        Mark(hash)
    }

    fn unmark(&self, Mark(hash): &Mark) {
        if let Some(mut shard) = self.shard(*hash)
            && let Some(place) = shard.marked.iter().position(|marked| marked == hash)
        {
            shard.marked.swap_remove(place);
        }
    }

    /// Keeps what was committed.
    fn put(&self, key: K, row: V) {
        if let Some(mut shard) = self.shard(self.hasher.hash_one(&key)) {
            shard.version += 1;
            self.rows.insert(key, row);
        }
    }

    /// Forgets what was there before a commit.
    fn forget(&self, key: &K) {
        if let Some(mut shard) = self.shard(self.hasher.hash_one(key)) {
            shard.version += 1;
            self.rows.invalidate(key);
        }
    }

    /// Forgets everything.
    fn clear(&self) {
        for shard in &self.shards {
            shard.lock().unwrap_or_else(PoisonError::into_inner).version += 1;
        }
        // Entries are gone for every later `get`; a filler that was past its check when the loop went by is behind.
        self.rows.invalidate_all();
    }

    fn shard(&self, hash: u64) -> Option<MutexGuard<'_, Shard>> {
        self.shards
            .get(hash as usize % SHARDS)
            .map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A mark on a key, by its hash.
#[derive(Debug)]
struct Mark(u64);

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
    fn a_marked_key_is_read_from_the_database_and_stays_out() {
        let cache = cache();
        let fill = |key, row| cache.fill(key, row, cache.ticket(&key));
        fill(1, 10);
        let before = cache.ticket(&1);
        let mark = cache.mark(&1);
        assert_eq!(cache.get(&1), None);
        // Readers from before the mark and under it, and one of another key.
        cache.fill(1, 10, before);
        fill(1, 10);
        fill(2, 20);
        assert_eq!((cache.get(&1), cache.get(&2)), (None, Some(20)));
        let under = cache.ticket(&1);
        cache.put(1, 11);
        cache.unmark(&mark);
        cache.fill(1, 10, under);
        assert_eq!(cache.get(&1), Some(11));
    }

    #[test]
    fn a_mark_whose_commit_failed_leaves_no_trace() {
        let cache = cache();
        let mark = cache.mark(&1);
        cache.unmark(&mark);
        cache.fill(1, 10, cache.ticket(&1));
        assert_eq!(cache.get(&1), Some(10));
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
