use bucketry_domain::Timestamp;

use crate::rows::StatisticsRow;
use crate::sql::{Connection, Dialect, Statement};
use crate::{Catalog, CatalogError};

/// What to keep of the change log.
#[derive(Clone, Copy, Debug)]
pub struct KeepChanges {
    /// Changes made before may go.
    pub since: Timestamp,
    /// More positions than this are not kept, however new.
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

    /// Moves committed changes into the change log and the statistics of their buckets, at most `max`; answers how many.
    /// Nodes may do it at once: one of them does, the others move nothing. On SQLite each commit does it itself.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn sequence_changes(&self, max: u32) -> Result<u64, CatalogError> {
        match self.engine().pools.dialect() {
            Dialect::Sqlite => Ok(0),
            Dialect::Postgres => {
                let sequence = async |connection: &mut Connection| sequence(connection, max).await;
                self.engine().transact(sequence).await
            }
        }
    }

    /// Removes the oldest of `max` changes that need not be kept; answers how many.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn compact_changes(&self, keep: KeepChanges, max: u32) -> Result<u64, CatalogError> {
        let compact = async |connection: &mut Connection| {
            let lock = connection.dialect().for_update();
            let row = format!("SELECT o.compacted FROM change_sequencer o WHERE o.one = 1{lock}");
            connection.fetch(Statement::built(row)).await?;
            let remove = "DELETE FROM change_log WHERE position IN (
                    SELECT position FROM (SELECT position, at FROM change_log ORDER BY position LIMIT $1) oldest
                    WHERE oldest.at < $2 OR oldest.position <= (SELECT MAX(position) FROM change_log) - $3)
                RETURNING position";
            let remove = Statement::new(remove)
                .bind(i64::from(max))
                .bind(keep.since.as_micros())
                .bind(keep.positions);
            let removed = connection.fetch(remove).await?;
            let mut last = None;
            for row in &removed {
                last = last.max(Some(row.int(0)?));
            }
            if let Some(last) = last {
                let note = "UPDATE change_sequencer SET compacted = $1 WHERE one = 1";
                connection.execute(Statement::new(note).bind(last)).await?;
            }
            Ok(removed.len() as u64)
        };
        self.engine().transact(compact).await
    }
}

/// One step of the sequencer. The lock of its row makes it the only one, so that a node that took another for dead does
/// no harm. Numbers rise along each key, and a commit is seen only after those that it waited for: so the order of numbers
/// among what is seen, after what was seen before, is an order in which each key's changes follow each other.
async fn sequence(connection: &mut Connection, max: u32) -> Result<u64, CatalogError> {
    let lock =
        "SELECT o.next, o.timeline, (SELECT timeline_id FROM pg_control_checkpoint())::bigint
                FROM change_sequencer o WHERE o.one = 1 FOR UPDATE SKIP LOCKED";
    let rows = connection.fetch(Statement::new(lock)).await?;
    let Some(row) = rows.first() else {
        return Ok(0);
    };
    let (first, known_timeline, timeline) = (row.int(0)?, row.int(1)?, row.int(2)?);
    if known_timeline != timeline {
        // A standby was promoted: it may lack the last positions, which will be given again.
        let renew = "UPDATE change_sequencer SET incarnation = incarnation + 1, timeline = $1 WHERE one = 1";
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
    let placed = connection.fetch(place).await?.len() as u64;
    if placed == 0 {
        return Ok(0);
    }
    let add = format!(
        "INSERT INTO bucket_statistics (bucket_id, objects, bytes)
         SELECT bucket_id, CAST(SUM(objects) AS bigint), CAST(SUM(bytes) AS bigint)
         FROM change_log WHERE position >= $1 GROUP BY bucket_id {}",
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
