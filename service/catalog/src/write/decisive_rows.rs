//! The rows that decide nearly every batch: on Postgres one statement reads them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::load::Loader;
use crate::CatalogError;
use crate::cache::KnownObject;
use crate::judge::{CurrentObject, LockMode, Needs, State};
use crate::model::{AccessKey, Bucket, KeyScope, ObjectRow};
use crate::sql::{Kind, ReadAt, Record, Select, Table, Value};
use bucketry_domain::{BlobBatchId, BucketId};

enum DecisiveRow {
    AccessKey(AccessKey),
    Bucket(Bucket),
    Object(ObjectRow),
    /// The id of a reservation that stands.
    Reservation(BlobBatchId),
}

const RESERVATIONS: Table = Table {
    name: "blob_batches",
    columns: &[("id", Kind::Int)],
    key: 1,
};

impl Loader<'_> {
    pub(super) async fn decisive_rows(
        &mut self,
        needs: &Needs,
        state: &mut State,
    ) -> Result<(), CatalogError> {
        let mut selects = self.select_access_keys(needs, state);
        if needs.key_lock == LockMode::Exclusive {
            // The keys that are edited name buckets to read.
            let keys = std::mem::take(&mut selects);
            self.fetch_decisive(keys, state).await?;
        }
        selects.extend(self.select_buckets(needs, state));
        selects.extend(self.select_current_objects(needs, state));
        selects.extend(self.select_reservations(needs));
        self.fetch_decisive(selects, state).await
    }

    async fn fetch_decisive(
        &mut self,
        selects: Vec<Select<DecisiveRow>>,
        state: &mut State,
    ) -> Result<(), CatalogError> {
        for row in self.connection.fetch_all(selects).await? {
            match row {
                DecisiveRow::AccessKey(key) => state.access_keys.load(key.pk, Arc::new(key)),
                DecisiveRow::Bucket(bucket) => state.buckets.load(bucket.id, Arc::new(bucket)),
                DecisiveRow::Object(row) => {
                    let place = (row.bucket, row.key.clone());
                    let row = Arc::new(row);
                    (state.objects).load(place, CurrentObject { row, data: None });
                }
                DecisiveRow::Reservation(batch) => {
                    state.batches.insert(batch);
                }
            }
        }
        Ok(())
    }

    fn select_access_keys(&self, needs: &Needs, state: &mut State) -> Vec<Select<DecisiveRow>> {
        let mut missing = Vec::new();
        for pk in &needs.access_keys {
            match self.caches.and_then(|caches| caches.key_by_pk(*pk)) {
                Some(key) => state.access_keys.load(*pk, key),
                None => missing.push(vec![pk.0.into()]),
            }
        }
        self.select::<AccessKey>(missing, |row, first| {
            AccessKey::read_from(row, first).map(DecisiveRow::AccessKey)
        })
    }

    fn select_buckets(&self, needs: &Needs, state: &mut State) -> Vec<Select<DecisiveRow>> {
        let mut missing = Vec::new();
        for id in bucket_ids(needs, state) {
            match self.caches.and_then(|caches| caches.buckets_by_id.get(&id)) {
                Some(bucket) => state.buckets.load(id, bucket),
                None => missing.push(vec![id.0.into()]),
            }
        }
        self.select::<Bucket>(missing, |row, first| {
            Bucket::read_from(row, first).map(DecisiveRow::Bucket)
        })
    }

    fn select_current_objects(&self, needs: &Needs, state: &mut State) -> Vec<Select<DecisiveRow>> {
        let mut missing = Vec::new();
        for place in &needs.objects {
            match self.caches.and_then(|caches| caches.objects.get(place)) {
                Some(KnownObject::Whole(object)) => {
                    let known = CurrentObject {
                        row: object.row.clone(),
                        data: Some(object.data.clone()),
                    };
                    state.objects.load(place.clone(), known);
                }
                Some(KnownObject::Row(row)) => {
                    let known = CurrentObject { row, data: None };
                    state.objects.load(place.clone(), known);
                }
                Some(KnownObject::Absent) => {}
                None => missing.push(vec![place.0.0.into(), place.1.as_bytes().into()]),
            }
        }
        self.select::<ObjectRow>(missing, |row, first| {
            ObjectRow::read_from(row, first).map(DecisiveRow::Object)
        })
    }

    /// The reservations of new blobs, locked so that the collector waits for this commit.
    fn select_reservations(&self, needs: &Needs) -> Vec<Select<DecisiveRow>> {
        let batches: BTreeSet<BlobBatchId> = needs.intents.iter().map(|blob| blob.batch).collect();
        let ids = batches.iter().map(|id| vec![id.0.into()]).collect();
        let dialect = self.connection.dialect();
        let statements = dialect.share_by_key(&RESERVATIONS, ids);
        let select = |statement| Select {
            statement,
            columns: RESERVATIONS.columns.len(),
            read: |row, first| {
                let id = BlobBatchId(row.int(first)?);
                Ok(DecisiveRow::Reservation(id))
            },
        };
        statements.into_iter().map(select).collect()
    }

    fn select<R: Record>(
        &self,
        keys: Vec<Vec<Value>>,
        read: ReadAt<DecisiveRow>,
    ) -> Vec<Select<DecisiveRow>> {
        let statements = self.connection.dialect().select_by_key(&R::TABLE, keys);
        let select = |statement| Select {
            statement,
            columns: R::TABLE.columns.len(),
            read,
        };
        statements.into_iter().map(select).collect()
    }
}

/// The buckets that are named, and those of keys that are edited: a key may be purged when its bucket is gone.
fn bucket_ids(needs: &Needs, state: &State) -> BTreeSet<BucketId> {
    let mut ids = needs.buckets.clone();
    if needs.key_lock == LockMode::Exclusive {
        for pk in &needs.access_keys {
            if let Some(KeyScope::Bucket { bucket, .. }) =
                state.access_keys.get(pk).map(|key| key.scope)
            {
                ids.insert(bucket);
            }
        }
    }
    ids
}
