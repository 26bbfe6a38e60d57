use bucketry_domain::Timestamp;

use crate::rows::StatisticsRow;
use crate::sql::{Connection, Dialect, Fault, Row, Statement};
use crate::{Catalog, CatalogError};

/// How much of the change log to keep.
#[derive(Clone, Copy, Debug)]
pub struct KeepChanges {
    /// Changes made before this time may be removed.
    pub since: Timestamp,
    /// The most positions to keep, however new.
    pub positions: i64,
}

impl Catalog {
    /// Whether changes wait to be sequenced after their commit.
    pub fn has_sequencer(&self) -> bool {
        match self.engine().pools.dialect() {
            Dialect::Sqlite => false,
            Dialect::Postgres => true,
        }
    }

    /// Moves committed changes into the change log and their buckets' statistics, at most `max`; returns how many. If
    /// several nodes call it at once, one of them moves changes and the others none. On SQLite each commit does this
    /// itself.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn sequence_changes(&self, max: u32) -> Result<u64, CatalogError> {
        match self.engine().pools.dialect() {
            Dialect::Sqlite => Ok(0),
            Dialect::Postgres => {
                let timeline = self.timeline().await?;
                let sequence =
                    async |connection: &mut Connection| sequence(connection, timeline, max).await;
                self.engine().transact(sequence).await
            }
        }
    }

    /// The timeline that the server writes, which a promotion of a standby changes; `None` where the server does not tell.
    async fn timeline(&self) -> Result<Option<i64>, CatalogError> {
        let sql = "SELECT pg_walfile_name(pg_current_wal_lsn())";
        let name = self
            .engine()
            .find(Statement::new(sql), |row| Ok(row.text(0)?));
        match name.await {
            Ok(name) => {
                let digits = name.as_deref().and_then(|name| name.get(..8));
                Ok(digits.and_then(|digits| i64::from_str_radix(digits, 16).ok()))
            }
            // Some managed servers refuse the question.
            Err(CatalogError::Database(error)) if Fault::of(&error) == Fault::Answered => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes those of the `max` oldest changes that need not be kept; returns how many.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn compact_changes(&self, keep: KeepChanges, max: u32) -> Result<u64, CatalogError> {
        let compact = async |connection: &mut Connection| {
            // Another node that sequences or compacts is not waited for.
            let lock = match connection.dialect() {
                Dialect::Sqlite => "",
                Dialect::Postgres => " FOR UPDATE SKIP LOCKED",
            };
            let row = format!("SELECT o.compacted FROM change_sequencer o WHERE o.one = 1{lock}");
            let row = Statement::built(row);
            let compacted = connection.fetch(row, |row| Ok(row.int(0)?)).await?;
            let Some(compacted) = compacted.first() else {
                return Ok(0);
            };
            // From there on: rows that were deleted lately would be visited as long as an old snapshot is in use.
            let remove = "DELETE FROM change_log WHERE position IN (
                    SELECT position FROM (
                        SELECT position, at FROM change_log WHERE position > $4 ORDER BY position LIMIT $1) oldest
                    WHERE oldest.at < $2 OR oldest.position <= (SELECT MAX(position) FROM change_log) - $3)
                RETURNING position";
            let remove = Statement::new(remove)
                .bind(i64::from(max))
                .bind(keep.since.as_micros())
                .bind(keep.positions)
                .bind(*compacted);
            let removed = connection.fetch(remove, |row| Ok(row.int(0)?)).await?;
            if let Some(last) = removed.iter().max() {
                let note = "UPDATE change_sequencer SET compacted = $1 WHERE one = 1";
                connection.execute(Statement::new(note).bind(*last)).await?;
            }
            Ok(removed.len() as u64)
        };
        self.engine().transact(compact).await
    }
}

/// One step of the sequencer. The lock on its row ensures that only one step runs at a time, even if a node wrongly
/// takes another for dead. Numbers increase with each change of a key, and a commit becomes visible only after those
/// that it waited for. Appending the newly visible changes by number therefore keeps each key's changes in order.
async fn sequence(
    connection: &mut Connection,
    timeline: Option<i64>,
    max: u32,
) -> Result<u64, CatalogError> {
    let lock =
        "SELECT o.next, o.timeline FROM change_sequencer o WHERE o.one = 1 FOR UPDATE SKIP LOCKED";
    let read = |row: &Row<'_>| Ok((row.int(0)?, row.int(1)?));
    let rows = connection.fetch(Statement::new(lock), read).await?;
    let Some((first, known)) = rows.first().copied() else {
        return Ok(0);
    };
    if let Some(timeline) = timeline.filter(|timeline| *timeline != known) {
        // A standby was promoted: it may lack the last positions, which will be assigned again. 0: the first look.
        let renew = "UPDATE change_sequencer SET timeline = $1, incarnation = CASE timeline WHEN 0 THEN incarnation
                     ELSE CAST(floor(random() * 1000000000000) AS bigint) END WHERE one = 1";
        connection
            .execute(Statement::new(renew).bind(timeline))
            .await?;
    }
    let columns = "number, bucket_id, key, version_id, kind, at, objects, bytes";
    let place = format!(
        "INSERT INTO change_log (position, {columns})
         SELECT $1 - 1 + ROW_NUMBER() OVER (ORDER BY number), {columns}
         FROM (SELECT {columns} FROM change_intake ORDER BY number LIMIT $2) seen
         RETURNING position"
    );
    let place = Statement::built(place).bind(first).bind(i64::from(max));
    let placed = connection.fetch(place, |_| Ok(())).await?.len() as u64;
    if placed == 0 {
        return Ok(0);
    }
    // The deletion of a bucket waits for this transaction, and then removes the bucket's statistics.
    let add = format!(
        "INSERT INTO bucket_statistics (bucket_id, objects, bytes)
         SELECT o.bucket_id, CAST(SUM(o.objects) AS bigint), CAST(SUM(o.bytes) AS bigint)
         FROM change_log o JOIN buckets b ON b.id = o.bucket_id
         WHERE o.position >= $1 AND b.state = 0 GROUP BY o.bucket_id {}",
        StatisticsRow::ADD
    );
    let remove = "DELETE FROM change_intake WHERE number IN (SELECT number FROM change_log WHERE position >= $1)";
    for statement in [Statement::built(add), Statement::new(remove)] {
        connection.execute(statement.bind(first)).await?;
    }
    let next = i64::try_from(placed).map_or(i64::MAX, |placed| first.saturating_add(placed));
    let advance = "UPDATE change_sequencer SET next = $1 WHERE one = 1";
    connection
        .execute(Statement::new(advance).bind(next))
        .await?;
    Ok(placed)
}
