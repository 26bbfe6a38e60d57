//! Reads, with a few statements for the whole batch, what it touches. On Postgres what decides is locked first: accounts,
//! then access keys, then buckets, each in the order of their ids, then object keys and uploads. The lock of an access key
//! orders commits and revocations; that of an object key orders its commits between nodes.

use std::sync::{Arc, LazyLock};

use super::locks::locks;
use crate::CatalogError;
use crate::cache::Caches;
use crate::judge::{Needs, State, UploadedPart};
use crate::model::{Account, Bucket, Upload};
use crate::rows::{PartRow, SettingRow, unpack_layout};
use crate::sql::{Connection, Dialect, Kind, Record, Row, Statement, Value};
use bucketry_domain::{AccessKeyId, AccessKeyPk, BlobId, BucketId, DataId, Generation, UploadId};

/// The end of a text; on Postgres with a lock on the rows of `o`. On SQLite the writer is alone.
macro_rules! locked {
    ($dialect:expr, $text:literal, $lock:literal) => {
        match $dialect {
            Dialect::Sqlite => $text,
            Dialect::Postgres => concat!($text, $lock),
        }
    };
}

/// A bucket with nothing but noncurrent versions and delete markers is not empty. Their condition always holds; on Postgres
/// it is that of their index.
pub(crate) fn select_occupant(bucket: BucketId) -> Statement {
    let sql = "SELECT bucket_id FROM objects WHERE bucket_id = $1
               UNION ALL SELECT bucket_id FROM object_versions WHERE bucket_id = $1 AND generation > 0 LIMIT 1";
    Statement::new(sql).bind(bucket.0)
}

/// What loads from: the transaction's connection, and the rows that are known anyway.
pub(super) struct Loader<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) caches: Option<&'a Caches>,
}

impl Loader<'_> {
    /// Begins the transaction of a batch of `count` changes, and takes its locks. Returns the changes' numbers, ascending, if
    /// the batch needs them.
    ///
    /// Numbers rise along each key: on SQLite only this process reserves them, from `reserved` on, and batches one after
    /// another; nodes that share a Postgres draw from one sequence while they hold the locks of the keys.
    pub(super) async fn begin(
        &mut self,
        needs: &Needs,
        count: usize,
        reserved: i64,
    ) -> Result<Vec<Generation>, CatalogError> {
        let dialect = self.connection.dialect();
        if !needs.change_numbers() {
            match dialect.take_locks(&locks(needs)) {
                None => self.connection.begin().await?,
                Some(locks) => drop(self.connection.begin_with(locks).await?),
            }
            return Ok(vec![Generation::default(); count]);
        }
        let mut numbers: Vec<i64> = match dialect.take_locks_and_numbers(&locks(needs), count) {
            None => {
                self.connection.begin().await?;
                (reserved..).take(count).collect()
            }
            Some(statement) => self.connection.begin_with(statement).await?,
        };
        numbers.sort_unstable();
        match numbers.len() == count {
            true => Ok(numbers.into_iter().map(Generation).collect()),
            false => Err(CatalogError::Corrupt("change_numbers")),
        }
    }

    /// Reads what a batch touches, under its locks.
    pub(super) async fn load(
        mut self,
        needs: &Needs,
        first_id: i64,
    ) -> Result<State, CatalogError> {
        let mut state = State::new(first_id);
        // Before any lock on rows, for which another batch that waits here could be waited for in turn.
        if !needs.emptiness.is_empty()
            && let Some(statement) = self.connection.dialect().lock_sequencer()
        {
            self.connection.fetch(statement, |_| Ok(())).await?;
        }
        self.accounts(needs, &mut state).await?;
        self.administrators(needs, &mut state).await?;
        self.names(needs, &mut state).await?;
        self.decisive_rows(needs, &mut state).await?;
        self.occupied(needs, &mut state).await?;
        self.settings(needs, &mut state).await?;
        self.uploads(needs, &mut state).await?;
        self.blobs(needs, &mut state).await?;
        Ok(state)
    }

    async fn accounts(&mut self, needs: &Needs, state: &mut State) -> Result<(), CatalogError> {
        let names = needs
            .account_names
            .iter()
            .map(|name| vec![name.as_str().into()])
            .collect();
        let after = "CROSS JOIN accounts o WHERE o.name = k.column1";
        let taken = self
            .fetch(&[Kind::Text], names, ("SELECT o.name FROM", after), |row| {
                Ok(row.text(0)?)
            })
            .await?;
        state.account_names.extend(taken);
        let ids = needs.accounts.iter().map(|id| vec![id.0.into()]).collect();
        let after = "CROSS JOIN accounts o WHERE o.id = k.column1";
        for account in self.records::<Account>(&[Kind::Int], ids, after).await? {
            state.accounts.load(account.id, Arc::new(account));
        }
        Ok(())
    }

    /// Usable administrator keys of accounts that must keep one: a batch changes no more keys than it names, so that one
    /// more than those is enough.
    async fn administrators(
        &mut self,
        needs: &Needs,
        state: &mut State,
    ) -> Result<(), CatalogError> {
        let usable = "SELECT pk FROM access_keys
                      WHERE account_id = $1 AND scope = 1 AND state = 0 AND expires IS NULL LIMIT $2";
        let enough = i64::try_from(needs.access_keys.len()).unwrap_or(i64::MAX - 1) + 1;
        for account in &needs.administrators {
            let statement = Statement::new(usable).bind(account.0).bind(enough);
            let keys = self.connection.fetch(statement, |row| Ok(row.int(0)?));
            let keys = keys.await?.into_iter().map(AccessKeyPk).collect();
            state.administrators.insert(*account, keys);
        }
        Ok(())
    }

    /// Identifiers of access keys and names of buckets that are taken.
    async fn names(&mut self, needs: &Needs, state: &mut State) -> Result<(), CatalogError> {
        let ids = needs
            .access_key_ids
            .iter()
            .map(|id| vec![id.as_str().into()])
            .collect();
        let after = "CROSS JOIN access_keys o WHERE o.access_key_id = k.column1";
        let around = ("SELECT o.access_key_id FROM", after);
        let taken = self.fetch(&[Kind::Text], ids, around, read_key_id).await?;
        state.access_key_ids.extend(taken);
        let names = needs
            .bucket_names
            .iter()
            .map(|name| vec![name.as_str().into()])
            .collect();
        let after = "CROSS JOIN buckets o WHERE o.name = k.column1 AND o.state = 0";
        for bucket in self.records::<Bucket>(&[Kind::Text], names, after).await? {
            state.bucket_names.insert(bucket.name.clone(), bucket.id);
            state.buckets.load(bucket.id, Arc::new(bucket));
        }
        Ok(())
    }

    async fn occupied(&mut self, needs: &Needs, state: &mut State) -> Result<(), CatalogError> {
        for bucket in &needs.emptiness {
            let look = select_occupant(*bucket);
            if !self.connection.fetch(look, |_| Ok(())).await?.is_empty() {
                state.occupied.insert(*bucket);
            }
        }
        Ok(())
    }

    async fn settings(&mut self, needs: &Needs, state: &mut State) -> Result<(), CatalogError> {
        let ids = needs.settings.iter().map(|id| vec![id.0.into()]).collect();
        let after = "CROSS JOIN bucket_settings o WHERE o.bucket_id = k.column1";
        for row in self.records::<SettingRow>(&[Kind::Int], ids, after).await? {
            row.restore(state.settings.entry(row.bucket).or_default())?;
        }
        Ok(())
    }

    async fn uploads(&mut self, needs: &Needs, state: &mut State) -> Result<(), CatalogError> {
        let ids = needs
            .uploads
            .iter()
            .map(|id| vec![id.as_bytes().as_slice().into()])
            .collect();
        let after = "CROSS JOIN uploads o WHERE o.id = k.column1";
        for upload in self.records::<Upload>(&[Kind::Bytes], ids, after).await? {
            state.uploads.load(upload.id, Arc::new(upload));
        }
        self.open_uploads(needs, state).await?;
        let places = needs
            .parts
            .iter()
            .filter(|(upload, _)| !needs.ending_uploads.contains(upload));
        let places = places
            .map(|(upload, number)| {
                vec![
                    upload.as_bytes().as_slice().into(),
                    i64::from(*number).into(),
                ]
            })
            .collect();
        let after = "CROSS JOIN parts o WHERE o.upload_id = k.column1 AND o.number = k.column2";
        for row in self
            .records::<PartRow>(&[Kind::Bytes, Kind::Int], places, after)
            .await?
        {
            let part = UploadedPart {
                part: row.part,
                extents: Vec::new(),
            };
            state
                .parts
                .entry(row.upload)
                .or_default()
                .insert(part.part.number, part);
        }
        let ids = needs
            .ending_uploads
            .iter()
            .map(|id| vec![id.as_bytes().as_slice().into()])
            .collect();
        let after = "CROSS JOIN parts o JOIN object_data d ON d.data_id = o.data_id WHERE o.upload_id = k.column1";
        let around = (SELECT_PARTS.as_str(), after);
        for (upload, part) in self.fetch(&[Kind::Bytes], ids, around, read_part).await? {
            let parts = state.parts.entry(upload).or_default();
            parts.insert(part.part.number, part);
        }
        Ok(())
    }

    async fn open_uploads(&mut self, needs: &Needs, state: &mut State) -> Result<(), CatalogError> {
        let count = "SELECT COUNT(*) FROM (SELECT 1 FROM uploads
                     WHERE bucket_id = $1 AND state = 0 LIMIT $2) counted";
        for (bucket, most) in &needs.upload_counts {
            let statement = Statement::new(count).bind(bucket.0).bind(i64::from(*most));
            let open = self
                .connection
                .fetch(statement, |row| Ok(row.int(0)?))
                .await?;
            let open = open.first().and_then(|open| u32::try_from(*open).ok());
            let open = open.unwrap_or(0);
            state.open_uploads.insert(*bucket, open);
        }
        Ok(())
    }

    /// Shared data, locked so that deleters wait for this commit.
    async fn blobs(&mut self, needs: &Needs, state: &mut State) -> Result<(), CatalogError> {
        let dialect = self.connection.dialect();
        let ids = needs.sources.iter().map(|id| vec![id.0.into()]).collect();
        let after = locked!(
            dialect,
            "CROSS JOIN object_data o WHERE o.data_id = k.column1 ORDER BY o.data_id",
            " FOR SHARE OF o"
        );
        let sources = self.ids(ids, ("SELECT o.data_id FROM", after)).await?;
        state.sources.extend(sources.into_iter().map(DataId));
        self.reclaimable(needs, state).await
    }

    /// New blobs whose reservation has ended although their node lives: another node took it for dead. They are safe as
    /// long as they are marked as garbage and no collector has condemned them; the lock keeps collectors from doing so.
    async fn reclaimable(&mut self, needs: &Needs, state: &mut State) -> Result<(), CatalogError> {
        let unreserved: Vec<_> = needs
            .intents
            .iter()
            .filter(|blob| !state.batches.contains(&blob.batch))
            .map(|blob| vec![blob.to_i64().into()])
            .collect();
        let after = locked!(
            self.connection.dialect(),
            "CROSS JOIN garbage o WHERE o.blob_id = k.column1 AND o.condemned = 0 ORDER BY o.blob_id",
            " FOR UPDATE OF o"
        );
        let marked = self
            .ids(unreserved, ("SELECT o.blob_id FROM", after))
            .await?;
        state
            .reclaimable
            .extend(marked.into_iter().map(BlobId::from_i64));
        Ok(())
    }

    async fn records<R: Record + Send + 'static>(
        &mut self,
        kinds: &[Kind],
        keys: Vec<Vec<Value>>,
        after: &'static str,
    ) -> Result<Vec<R>, CatalogError> {
        let around = (R::TABLE.select_from(), after);
        self.fetch(kinds, keys, around, R::read).await
    }

    async fn ids(
        &mut self,
        keys: Vec<Vec<Value>>,
        around: (&'static str, &'static str),
    ) -> Result<Vec<i64>, CatalogError> {
        self.fetch(&[Kind::Int], keys, around, |row| Ok(row.int(0)?))
            .await
    }

    /// Reads what a statement finds for keys; `around` is its text before and after their relation.
    async fn fetch<T: Send + 'static>(
        &mut self,
        kinds: &[Kind],
        keys: Vec<Vec<Value>>,
        (before, after): (&'static str, &'static str),
        read: fn(&Row<'_>) -> Result<T, CatalogError>,
    ) -> Result<Vec<T>, CatalogError> {
        let mut found = Vec::new();
        let dialect = self.connection.dialect();
        for statement in dialect.for_keys(kinds, keys, before, after) {
            found.append(&mut self.connection.fetch(statement, read).await?);
        }
        Ok(found)
    }
}

static SELECT_PARTS: LazyLock<String> = LazyLock::new(|| {
    let list = PartRow::TABLE.select_list("o");
    format!("SELECT {list}, d.layout FROM")
});

fn read_part(row: &Row<'_>) -> Result<(UploadId, UploadedPart), CatalogError> {
    let PartRow { upload, part } = PartRow::read(row)?;
    let extents = unpack_layout(row.slice(PartRow::TABLE.columns.len())?)?.extents;
    Ok((upload, UploadedPart { part, extents }))
}

fn read_key_id(row: &Row<'_>) -> Result<AccessKeyId, CatalogError> {
    let id = row.str(0)?.parse();
    id.map_err(|_| CatalogError::Corrupt("access_keys.access_key_id"))
}
