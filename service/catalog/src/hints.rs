//! Access keys and buckets as this node last saw them, for the engine that other nodes write to as well.
//!
//! A hint may be outdated. It saves a request the statements that find its key and its bucket by name; the request's
//! next statement reads the current rows by primary key, and the request is decided on those: see
//! [`Catalog::current_rows`](crate::Catalog::current_rows) and [`Catalog::read_object`](crate::Catalog::read_object).
//! That a row is missing is never remembered.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::cache::{BUCKET_BYTES, KEY_BYTES, Weigh, bounded, weigh_key};
use super::judge::State;
use super::model::{AccessKey, Bucket, BucketState};
use bucketry_domain::{AccessKeyId, BucketName};

pub(crate) struct Hints {
    keys: Cache<AccessKeyId, Arc<AccessKey>, Weigh<AccessKeyId, Arc<AccessKey>>>,
    buckets: Cache<BucketName, Arc<Bucket>, Weigh<BucketName, Arc<Bucket>>>,
}

impl Hints {
    /// Three quarters of the bytes are for keys, and a quarter for buckets.
    pub(crate) fn new(bytes: u64) -> Self {
        Self {
            keys: bounded(bytes / 4 * 3, KEY_BYTES, |_, key| weigh_key(key)),
            buckets: bounded(bytes / 4, BUCKET_BYTES as u64, |_, _| BUCKET_BYTES),
        }
    }

    pub(crate) fn key(&self, id: &AccessKeyId) -> Option<Arc<AccessKey>> {
        self.keys.get(id)
    }

    pub(crate) fn bucket(&self, name: &BucketName) -> Option<Arc<Bucket>> {
        self.buckets.get(name)
    }

    /// Takes the answer of a statement: the key of this id, if there is one.
    pub(crate) fn learn_key(&self, id: &AccessKeyId, found: Option<&Arc<AccessKey>>) {
        match found {
            Some(key) => self.keys.insert(id.clone(), key.clone()),
            None => drop(self.keys.remove(id)),
        }
    }

    /// Takes the answer of a statement: the bucket of this name, if there is a live one.
    pub(crate) fn learn_bucket(&self, name: &BucketName, found: Option<&Arc<Bucket>>) {
        match found.filter(|bucket| bucket.state == BucketState::Alive) {
            Some(bucket) => self.buckets.insert(name.clone(), bucket.clone()),
            None => drop(self.buckets.remove(name)),
        }
    }

    /// Takes what a batch committed.
    pub(crate) fn publish(&self, state: &State) {
        for (_, key) in state.access_keys.changes() {
            // The id of a key that was purged is unknown here; its hint is discovered to be outdated.
            if let Some(key) = key {
                self.learn_key(&key.access_key_id, Some(key));
            }
        }
        for (_, bucket) in state.buckets.changes() {
            if let Some(bucket) = bucket {
                self.learn_bucket(&bucket.name, Some(bucket));
            }
        }
    }
}
