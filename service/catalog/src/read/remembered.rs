use std::sync::Arc;

use crate::Catalog;
use crate::model::{AccessKey, Bucket};
use bucketry_domain::{AccessKeyId, BucketName};

impl Catalog {
    /// The access key with this public half as this process last saw it, without a statement. It may have been edited or
    /// purged since: a decision on it has no effect before [`Catalog::current_rows`] or [`Catalog::read_object`] have
    /// read the current row.
    #[must_use]
    pub fn remembered_key(&self, id: &AccessKeyId) -> Option<Arc<AccessKey>> {
        let engine = self.engine();
        match (&engine.caches, &engine.hints) {
            (Some(caches), _) => caches.keys.get(id),
            (None, hints) => hints.as_ref()?.key(id),
        }
    }

    /// The bucket of this name as this process last saw it, without a statement. It may have been changed or deleted
    /// since, and made anew: see [`Catalog::remembered_key`].
    #[must_use]
    pub fn remembered_bucket(&self, name: &BucketName) -> Option<Arc<Bucket>> {
        let engine = self.engine();
        match (&engine.caches, &engine.hints) {
            (Some(caches), _) => caches.buckets_by_name.get(name),
            (None, hints) => hints.as_ref()?.bucket(name),
        }
    }
}
