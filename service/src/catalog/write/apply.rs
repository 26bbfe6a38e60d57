//! Writes what a judged batch came to, table by table, with multi-row statements ordered by key.

use std::collections::BTreeMap;

use crate::catalog::CatalogError;
use crate::catalog::judge::State;
use crate::catalog::model::{
    AccessKey, Account, Bucket, GarbageBlob, LastUse, ObjectRow, Upload, UsageRow,
};
use crate::catalog::rows::{AuditRow, BlobRefRow, DataRow, GarbageRow, PartRow};
use crate::catalog::sql::{Connection, Kind, Record, Statement, Value};
use crate::domain::{DataId, Timestamp};

pub(super) struct Applier<'a> {
    pub(super) connection: &'a mut Connection,
    /// When blobs became unreferenced.
    pub(super) now: Timestamp,
}

impl Applier<'_> {
    pub(super) async fn apply(mut self, state: &State) -> Result<(), CatalogError> {
        self.data(state).await?;
        self.objects(state).await?;
        self.uploads(state).await?;
        self.owners(state).await?;
        self.access_keys(state).await?;
        self.insert::<AuditRow>(state.audit.iter(), "").await?;
        self.usage(state).await
    }

    async fn data(&mut self, state: &State) -> Result<(), CatalogError> {
        self.insert::<DataRow>(state.new_data.values(), "").await?;
        let refs = state.new_data.values().flat_map(|row| {
            let data = row.id;
            row.blobs()
                .into_iter()
                .map(move |blob| BlobRefRow { blob, data })
        });
        let refs: Vec<BlobRefRow> = refs.collect();
        self.insert(refs.iter(), "").await?;

        self.collect(&state.dropped_extents).await?;
        let garbage = state.garbage.iter().map(|blob| GarbageBlob {
            blob: *blob,
            unreferenced_at: self.now,
        });
        self.upsert::<GarbageRow>(garbage.collect::<Vec<_>>().iter())
            .await?;

        let with_refs = [state.dropped_extents.as_slice(), &state.absorbed].concat();
        self.delete("blob_refs", &[("data_id", Kind::Int)], data_ids(&with_refs))
            .await?;
        let all = [with_refs.as_slice(), &state.dropped_inline].concat();
        self.delete("object_data", &[("data_id", Kind::Int)], data_ids(&all))
            .await
    }

    /// Marks the blobs of dropped data. Whether something else refers to them is asked when they are collected: asked
    /// here, two nodes that drop the last two references would each see the other's.
    async fn collect(&mut self, dropped: &[DataId]) -> Result<(), CatalogError> {
        let before = "SELECT DISTINCT o.blob_id FROM";
        let after = "CROSS JOIN blob_refs o WHERE o.data_id = k.column1 ORDER BY o.blob_id";
        let mut blobs = std::collections::BTreeSet::new();
        for statement in
            self.connection
                .dialect()
                .for_keys(&[Kind::Int], data_ids(dropped), before, after)
        {
            for row in self.connection.fetch(statement).await? {
                blobs.insert(row.int(0)?);
            }
        }
        let now = self.now.as_micros();
        let rows = blobs
            .into_iter()
            .map(|blob| vec![blob.into(), now.into()])
            .collect();
        let statements = self.connection.dialect().upsert(&GarbageRow::TABLE, rows);
        self.run(statements).await
    }

    async fn objects(&mut self, state: &State) -> Result<(), CatalogError> {
        let (mut stored, mut deleted) = (Vec::new(), Vec::new());
        for (place, object) in state.objects.changes() {
            match object {
                Some(object) => stored.push(object.row.values()),
                None => deleted.push(vec![place.0.0.into(), place.1.as_bytes().into()]),
            }
        }
        let statements = self.connection.dialect().upsert(&ObjectRow::TABLE, stored);
        self.run(statements).await?;
        self.delete("objects", ObjectRow::TABLE.key_columns(), deleted)
            .await
    }

    async fn uploads(&mut self, state: &State) -> Result<(), CatalogError> {
        let ended = state
            .ended_uploads
            .iter()
            .map(|id| vec![id.as_bytes().as_slice().into()])
            .collect();
        self.delete("parts", &[("upload_id", Kind::Bytes)], ended)
            .await?;
        let parts = state.changed_parts.iter().filter_map(|(upload, number)| {
            let part = state.parts.get(upload)?.get(number)?.part.clone();
            Some(PartRow {
                upload: *upload,
                part,
            })
        });
        self.upsert::<PartRow>(parts.collect::<Vec<_>>().iter())
            .await?;

        let (mut stored, mut deleted) = (Vec::new(), Vec::new());
        for (id, upload) in state.uploads.changes() {
            match upload {
                Some(upload) => stored.push(upload.values()),
                None => deleted.push(vec![id.as_bytes().as_slice().into()]),
            }
        }
        let statements = self.connection.dialect().upsert(&Upload::TABLE, stored);
        self.run(statements).await?;
        self.delete("uploads", Upload::TABLE.key_columns(), deleted)
            .await
    }

    async fn owners(&mut self, state: &State) -> Result<(), CatalogError> {
        let accounts = state
            .accounts
            .changes()
            .filter_map(|(_, account)| Some(account?.values()))
            .collect();
        let statements = self.connection.dialect().upsert(&Account::TABLE, accounts);
        self.run(statements).await?;
        let buckets = state
            .buckets
            .changes()
            .filter_map(|(_, bucket)| Some(bucket?.values()))
            .collect();
        let statements = self.connection.dialect().upsert(&Bucket::TABLE, buckets);
        self.run(statements).await
    }

    async fn access_keys(&mut self, state: &State) -> Result<(), CatalogError> {
        let (mut stored, mut purged) = (Vec::new(), Vec::new());
        for (pk, key) in state.access_keys.changes() {
            match key {
                Some(key) => stored.push(key.values()),
                None => purged.push(vec![pk.0.into()]),
            }
        }
        let statements = self.connection.dialect().upsert(&AccessKey::TABLE, stored);
        self.run(statements).await?;
        self.delete(
            "access_keys",
            AccessKey::TABLE.key_columns(),
            purged.clone(),
        )
        .await?;
        self.delete("last_uses", LastUse::TABLE.key_columns(), purged.clone())
            .await?;
        self.delete("usage_hours", &[("access_key", Kind::Int)], purged)
            .await
    }

    async fn usage(&mut self, state: &State) -> Result<(), CatalogError> {
        let mut sums = BTreeMap::new();
        for row in &state.usage {
            let sum = sums
                .entry((row.access_key, row.hour, &row.class))
                .or_insert_with(|| UsageRow {
                    requests: 0,
                    bytes_in: 0,
                    bytes_out: 0,
                    denials: 0,
                    ..row.clone()
                });
            sum.requests = sum.requests.saturating_add(row.requests);
            sum.bytes_in = sum.bytes_in.saturating_add(row.bytes_in);
            sum.bytes_out = sum.bytes_out.saturating_add(row.bytes_out);
            sum.denials = sum.denials.saturating_add(row.denials);
        }
        let add = "ON CONFLICT (access_key, hour, class) DO UPDATE SET
            requests = usage_hours.requests + excluded.requests,
            bytes_in = usage_hours.bytes_in + excluded.bytes_in,
            bytes_out = usage_hours.bytes_out + excluded.bytes_out,
            denials = usage_hours.denials + excluded.denials";
        self.insert(sums.values(), add).await?;

        let mut latest = BTreeMap::<_, &LastUse>::new();
        for used in &state.last_uses {
            let entry = latest.entry(used.access_key).or_insert(used);
            if entry.at < used.at {
                *entry = used;
            }
        }
        let newer = "ON CONFLICT (access_key) DO UPDATE SET
            at = excluded.at, address = excluded.address, user_agent = excluded.user_agent,
            operation = excluded.operation WHERE excluded.at > last_uses.at";
        self.insert(latest.into_values(), newer).await
    }

    async fn insert<'r, R: Record + 'r>(
        &mut self,
        rows: impl Iterator<Item = &'r R>,
        on_conflict: &str,
    ) -> Result<(), CatalogError> {
        let rows = rows.map(Record::values).collect();
        let statements = self
            .connection
            .dialect()
            .insert(&R::TABLE, rows, on_conflict);
        self.run(statements).await
    }

    async fn upsert<'r, R: Record + 'r>(
        &mut self,
        rows: impl Iterator<Item = &'r R>,
    ) -> Result<(), CatalogError> {
        let rows = rows.map(Record::values).collect();
        let statements = self.connection.dialect().upsert(&R::TABLE, rows);
        self.run(statements).await
    }

    async fn delete(
        &mut self,
        table: &'static str,
        columns: &[(&'static str, Kind)],
        keys: Vec<Vec<Value>>,
    ) -> Result<(), CatalogError> {
        let statements = self.connection.dialect().delete(table, columns, keys);
        self.run(statements).await
    }

    async fn run(&mut self, statements: Vec<Statement>) -> Result<(), CatalogError> {
        for statement in statements {
            self.connection.execute(statement).await?;
        }
        Ok(())
    }
}

fn data_ids(ids: &[DataId]) -> Vec<Vec<Value>> {
    let mut ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    ids.sort_unstable();
    ids.into_iter().map(|id| vec![id.into()]).collect()
}
