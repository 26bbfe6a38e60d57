//! What a judged batch comes to, as multi-row statements ordered by key. They touch different rows, so that they may run
//! at once.

use std::collections::{BTreeMap, BTreeSet};

use crate::judge::State;
use crate::model::{
    AccessKey, Account, Bucket, BucketState, DenialCause, LastUse, NoncurrentVersion, ObjectRow,
    Upload, UsageRow,
};
use crate::rows::{
    AuditRow, BlobRefRow, DataRow, LogRow, PartRow, SettingRow, StatisticsRow, StoredDenial,
};
use crate::sql::{Dialect, Kind, MarkTime, Record, Statement, Value};
use bucketry_domain::{AccessKeyPk, BlobId, BucketId, DataId, Timestamp};

/// The statements that write the state's changes. `dropped_at` is when blobs became unreferenced.
pub(crate) fn plan(dialect: Dialect, state: &State, dropped_at: MarkTime) -> Vec<Statement> {
    let mut plan = Plan {
        dialect,
        statements: Vec::new(),
    };
    plan.data(state, dropped_at);
    plan.objects(state);
    plan.versions(state);
    let deleted = deleted_buckets(state);
    plan.changes(state, &deleted);
    plan.uploads(state);
    plan.owners(state);
    plan.settings(state, &deleted);
    plan.access_keys(state);
    plan.insert::<AuditRow>(state.audit.iter(), "");
    plan.usage(state);
    plan.denials(state);
    plan.statements
}

struct Plan {
    dialect: Dialect,
    statements: Vec<Statement>,
}

impl Plan {
    fn data(&mut self, state: &State, dropped_at: MarkTime) {
        self.insert::<DataRow>(state.new_data.values(), "");
        let refs = state.new_data.values().flat_map(|row| {
            let data = row.id;
            row.blobs()
                .into_iter()
                .map(move |blob| BlobRefRow { blob, data })
        });
        let refs: Vec<BlobRefRow> = refs.collect();
        self.insert(refs.iter(), "");
        let reclaimed: BTreeSet<BlobId> = refs
            .iter()
            .map(|row| row.blob)
            .filter(|blob| state.reclaimable.contains(blob))
            .collect();
        self.delete(
            "garbage",
            &[("blob_id", Kind::Int)],
            reclaimed
                .iter()
                .map(|blob| vec![blob.to_i64().into()])
                .collect(),
        );

        let dropped = sorted(&state.dropped_extents);
        self.statements
            .extend(self.dialect.mark_dropped(dropped, dropped_at));
        let garbage = state.garbage.iter().copied();
        self.statements
            .extend(self.dialect.mark_garbage(garbage, dropped_at));

        let with_refs = [state.dropped_extents.as_slice(), &state.absorbed].concat();
        self.delete("blob_refs", &[("data_id", Kind::Int)], data_ids(&with_refs));
        let all = [with_refs.as_slice(), &state.dropped_inline].concat();
        self.delete("object_data", &[("data_id", Kind::Int)], data_ids(&all));
    }

    fn objects(&mut self, state: &State) {
        let (mut stored, mut deleted) = (Vec::new(), Vec::new());
        for (place, object) in state.objects.changes() {
            match object {
                Some(object) => stored.push(object.row.values()),
                None => deleted.push(vec![place.0.0.into(), place.1.as_bytes().into()]),
            }
        }
        self.upsert(stored, &ObjectRow::TABLE);
        self.delete("objects", ObjectRow::TABLE.key_columns(), deleted);
    }

    fn versions(&mut self, state: &State) {
        let (mut stored, mut deleted) = (Vec::new(), Vec::new());
        for ((bucket, key, id), version) in state.versions.changes() {
            match version {
                Some(version) => stored.push(version.values()),
                None => deleted.push(vec![bucket.0.into(), key.as_bytes().into(), id.0.into()]),
            }
        }
        let table = NoncurrentVersion::TABLE;
        self.upsert(stored, &table);
        self.delete(table.name, table.key_columns(), deleted);
    }

    /// SQLite has one writer, which assigns positions and updates the statistics. On Postgres the sequencer does.
    fn changes(&mut self, state: &State, deleted: &BTreeSet<BucketId>) {
        match self.dialect {
            Dialect::Sqlite => {
                let logged: Vec<LogRow> = (state.changes.iter())
                    .map(|change| LogRow {
                        position: change.number.0,
                        change: change.clone(),
                    })
                    .collect();
                self.insert(logged.iter(), "");
                let sums = StatisticsRow::sums(&state.changes);
                let kept = sums.iter().filter(|sum| !deleted.contains(&sum.bucket));
                self.insert(kept, StatisticsRow::ADD);
            }
            Dialect::Postgres => self.insert(state.changes.iter(), ""),
        }
        self.delete(
            "bucket_statistics",
            StatisticsRow::TABLE.key_columns(),
            bucket_ids(deleted),
        );
    }

    fn uploads(&mut self, state: &State) {
        let ended = state
            .ended_uploads
            .iter()
            .map(|id| vec![id.as_bytes().as_slice().into()])
            .collect();
        self.delete("parts", &[("upload_id", Kind::Bytes)], ended);
        let parts = state.changed_parts.iter().filter_map(|(upload, number)| {
            let part = state.parts.get(upload)?.get(number)?.part.clone();
            Some(
                PartRow {
                    upload: *upload,
                    part,
                }
                .values(),
            )
        });
        self.upsert(parts.collect(), &PartRow::TABLE);

        let (mut stored, mut deleted) = (Vec::new(), Vec::new());
        for (id, upload) in state.uploads.changes() {
            match upload {
                Some(upload) => stored.push(upload.values()),
                None => deleted.push(vec![id.as_bytes().as_slice().into()]),
            }
        }
        self.upsert(stored, &Upload::TABLE);
        self.delete("uploads", Upload::TABLE.key_columns(), deleted);
    }

    fn owners(&mut self, state: &State) {
        let accounts = state
            .accounts
            .changes()
            .filter_map(|(_, account)| Some(account?.values()))
            .collect();
        self.upsert(accounts, &Account::TABLE);
        let buckets = state
            .buckets
            .changes()
            .filter_map(|(_, bucket)| Some(bucket?.values()))
            .collect();
        self.upsert(buckets, &Bucket::TABLE);
    }

    /// A deleted bucket loses all its rows, also those of settings that this version does not know.
    fn settings(&mut self, state: &State, deleted: &BTreeSet<BucketId>) {
        let (mut stored, mut removed) = (Vec::new(), Vec::new());
        let changed = state.changed_settings.iter();
        for (bucket, setting) in changed.filter(|(bucket, _)| !deleted.contains(bucket)) {
            let settings = state.settings.get(bucket);
            match settings.and_then(|settings| SettingRow::of(*bucket, settings, *setting)) {
                Some(row) => stored.push(row.values()),
                None => removed.push(vec![bucket.0.into(), setting.name().into()]),
            }
        }
        self.upsert(stored, &SettingRow::TABLE);
        self.delete("bucket_settings", SettingRow::TABLE.key_columns(), removed);
        let of_bucket = &[("bucket_id", Kind::Int)];
        self.delete("bucket_settings", of_bucket, bucket_ids(deleted));
    }

    fn access_keys(&mut self, state: &State) {
        let (mut stored, mut purged) = (Vec::new(), Vec::new());
        for (pk, key) in state.access_keys.changes() {
            match key {
                Some(key) => stored.push(key.values()),
                None => purged.push(vec![pk.0.into()]),
            }
        }
        self.upsert(stored, &AccessKey::TABLE);
        self.delete(
            "access_keys",
            AccessKey::TABLE.key_columns(),
            purged.clone(),
        );
        self.delete("last_uses", LastUse::TABLE.key_columns(), purged.clone());
        self.delete("usage_hours", &[("access_key", Kind::Int)], purged.clone());
        self.delete("denials", &[("access_key", Kind::Int)], purged);
    }

    fn usage(&mut self, state: &State) {
        let add = "ON CONFLICT (access_key, hour, class) DO UPDATE SET
            requests = usage_hours.requests + excluded.requests,
            bytes_in = usage_hours.bytes_in + excluded.bytes_in,
            bytes_out = usage_hours.bytes_out + excluded.bytes_out,
            denials = usage_hours.denials + excluded.denials";
        self.insert(sums(&state.usage).values(), add);
        let newer = "ON CONFLICT (access_key) DO UPDATE SET
            at = CASE WHEN excluded.at > last_uses.at THEN excluded.at ELSE last_uses.at END,
            address = CASE WHEN excluded.at > last_uses.at THEN excluded.address ELSE last_uses.address END,
            user_agent = CASE WHEN excluded.at > last_uses.at THEN excluded.user_agent ELSE last_uses.user_agent END,
            operation = CASE WHEN excluded.at > last_uses.at THEN excluded.operation ELSE last_uses.operation END,
            requests = last_uses.requests + excluded.requests";
        self.insert(latest(&state.last_uses).values(), newer);
    }

    /// Adds denials and makes room for them. The statements of a plan do not see each other's rows, so what stays of the
    /// older ones is what the new ones leave of the room.
    fn denials(&mut self, state: &State) {
        let mut of_kind = BTreeMap::<(AccessKeyPk, DenialCause), Vec<&StoredDenial>>::new();
        for stored in &state.denials {
            let denial = &stored.denial;
            of_kind
                .entry((denial.access_key, denial.cause))
                .or_default()
                .push(stored);
        }
        let mut room = Vec::with_capacity(of_kind.len());
        for ((key, cause), stored) in &mut of_kind {
            stored.sort_by_key(|stored| std::cmp::Reverse((stored.denial.at, stored.id)));
            stored.truncate(cause.kept());
            let left = i64::try_from(cause.kept() - stored.len()).unwrap_or(0);
            room.push(vec![key.0.into(), cause.code().into(), left.into()]);
        }
        let kinds = [Kind::Int, Kind::Int, Kind::Int];
        // A chunk of keys may name one twice.
        let before = "DELETE FROM denials WHERE id IN (SELECT r.id FROM (
            SELECT o.id, d.column3 AS room,
                   ROW_NUMBER() OVER (PARTITION BY o.access_key, o.cause ORDER BY o.at DESC, o.id DESC) AS place
            FROM (SELECT DISTINCT k.column1, k.column2, k.column3 FROM";
        let after = ") AS d JOIN denials o ON o.access_key = d.column1 AND o.cause = d.column2
            ) AS r WHERE r.place > r.room)";
        self.statements
            .extend(self.dialect.for_keys(&kinds, room, before, after));
        self.insert(of_kind.into_values().flatten(), "");
    }

    fn insert<'r, R: Record + 'r>(
        &mut self,
        rows: impl Iterator<Item = &'r R>,
        on_conflict: &'static str,
    ) {
        let rows = rows.map(Record::values).collect();
        self.statements
            .extend(self.dialect.insert(&R::TABLE, rows, on_conflict));
    }

    fn upsert(&mut self, rows: Vec<Vec<Value>>, table: &crate::sql::Table) {
        self.statements.extend(self.dialect.upsert(table, rows));
    }

    fn delete(
        &mut self,
        table: &'static str,
        columns: &'static [(&'static str, Kind)],
        keys: Vec<Vec<Value>>,
    ) {
        self.statements
            .extend(self.dialect.delete(table, columns, keys));
    }
}

fn deleted_buckets(state: &State) -> BTreeSet<BucketId> {
    let changed = state.buckets.changes().filter_map(|(_, bucket)| bucket);
    let deleted = changed.filter(|bucket| bucket.state == BucketState::Deleted);
    deleted.map(|bucket| bucket.id).collect()
}

fn bucket_ids(buckets: &BTreeSet<BucketId>) -> Vec<Vec<Value>> {
    buckets.iter().map(|id| vec![id.0.into()]).collect()
}

/// One row per key, hour and class: a statement may touch a row once.
fn sums(usage: &[UsageRow]) -> BTreeMap<(AccessKeyPk, Timestamp, &str), UsageRow> {
    let mut sums = BTreeMap::new();
    for row in usage {
        let zero = || UsageRow {
            requests: 0,
            bytes_in: 0,
            bytes_out: 0,
            denials: 0,
            ..row.clone()
        };
        let sum = sums
            .entry((row.access_key, row.hour, row.class.as_str()))
            .or_insert_with(zero);
        sum.requests = sum.requests.saturating_add(row.requests);
        sum.bytes_in = sum.bytes_in.saturating_add(row.bytes_in);
        sum.bytes_out = sum.bytes_out.saturating_add(row.bytes_out);
        sum.denials = sum.denials.saturating_add(row.denials);
    }
    sums
}

/// The latest use of each key, with the requests of all.
fn latest(uses: &[LastUse]) -> BTreeMap<AccessKeyPk, LastUse> {
    let mut latest = BTreeMap::<AccessKeyPk, LastUse>::new();
    for used in uses {
        let requests = latest
            .get(&used.access_key)
            .map_or(0, |known| known.requests)
            .saturating_add(used.requests);
        let entry = latest
            .entry(used.access_key)
            .or_insert_with(|| used.clone());
        if entry.at < used.at {
            *entry = used.clone();
        }
        entry.requests = requests;
    }
    latest
}

fn data_ids(ids: &[DataId]) -> Vec<Vec<Value>> {
    let ids = sorted(ids).into_iter();
    ids.map(|id| vec![id.into()]).collect()
}

fn sorted(ids: &[DataId]) -> Vec<i64> {
    let mut ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    ids.sort_unstable();
    ids
}
