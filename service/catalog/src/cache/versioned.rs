use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

const SHARDS: usize = 64;

/// A bounded cache that a slow reader cannot poison: a value read from the database goes in only if no writer touched the
/// key's shard since the reader began.
///
/// A writer marks the keys that it is about to commit. A marked key is not in the cache, so that a reader looks in the
/// database, and what it finds stays out: it may be from before the commit. So no reader sees an older version than a listing
/// that read the database showed before.
pub(crate) struct VersionedCache<K, V> {
    rows: Cache<K, V, Weigh<K, V>>,
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
}

/// Weighs an entry, in bytes.
pub(crate) struct Weigh<K, V>(pub(crate) fn(&K, &V) -> usize);

impl<K, V> Clone for Weigh<K, V> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl<K, V> Weighter<K, V> for Weigh<K, V> {
    fn weight(&self, key: &K, value: &V) -> u64 {
        (self.0)(key, value) as u64
    }
}

/// A cache of at most `bytes`, if an entry has about `of_entry`.
pub(crate) fn bounded<K, V>(
    bytes: u64,
    of_entry: u64,
    weigh: fn(&K, &V) -> usize,
) -> Cache<K, V, Weigh<K, V>>
where
    K: Hash + Eq,
    V: Clone,
{
    let entries = usize::try_from(bytes / of_entry.max(1)).unwrap_or(usize::MAX);
    Cache::with_weighter(entries, bytes, Weigh(weigh))
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
    K: Hash + Eq,
    V: Clone,
{
    /// A cache of at most `bytes`, if an entry has about `of_entry`.
    pub(super) fn new(bytes: u64, of_entry: u64, weigh: fn(&K, &V) -> usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self {
            rows: bounded(bytes, of_entry, weigh),
            shards,
            hasher: RandomState::new(),
        }
    }

    pub(crate) fn get<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<V> {
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
    pub(super) fn mark(&self, key: &K) -> Mark {
        let hash = self.hasher.hash_one(key);
        if let Some(mut shard) = self.shard(hash) {
            shard.version += 1;
            shard.marked.push(hash);
            self.rows.remove(key);
        }
        Mark(hash)
    }

    pub(super) fn unmark(&self, Mark(hash): &Mark) {
        if let Some(mut shard) = self.shard(*hash)
            && let Some(place) = shard.marked.iter().position(|marked| marked == hash)
        {
            shard.marked.swap_remove(place);
        }
    }

    /// Keeps what was committed.
    pub(super) fn put(&self, key: K, row: V) {
        if let Some(mut shard) = self.shard(self.hasher.hash_one(&key)) {
            shard.version += 1;
            self.rows.insert(key, row);
        }
    }

    /// Forgets what was there before a commit.
    pub(super) fn forget(&self, key: &K) {
        if let Some(mut shard) = self.shard(self.hasher.hash_one(key)) {
            shard.version += 1;
            self.rows.remove(key);
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        for shard in &self.shards {
            shard.lock().unwrap_or_else(PoisonError::into_inner).version += 1;
        }
        // A filler that was past its check when the loop went by has filled before this.
        self.rows.clear();
    }

    fn shard(&self, hash: u64) -> Option<MutexGuard<'_, Shard>> {
        self.shards
            .get(hash as usize % SHARDS)
            .map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A mark on a key, by its hash.
#[derive(Debug)]
pub(super) struct Mark(u64);

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> VersionedCache<u32, u32> {
        VersionedCache::new(1 << 20, 8, |_, _| 8)
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
    fn without_room_nothing_is_kept() {
        let cache = VersionedCache::<u32, u32>::new(0, 0, |_, _| 8);
        cache.put(1, 1);
        assert_eq!(cache.get(&1), None);
    }

    #[test]
    fn the_bound_holds() {
        let cache = VersionedCache::<u32, u32>::new(800, 8, |_, _| 8);
        for key in 0..10_000 {
            cache.put(key, key);
        }
        let weight = cache.rows.weight();
        assert!((400..=800).contains(&weight), "{weight}");
    }
}
