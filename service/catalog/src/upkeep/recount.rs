use crate::model::{BucketStatistics, StatisticsDifference};
use crate::rows::StatisticsRow;
use crate::sql::{Connection, Dialect, Record, Row, Statement};
use crate::{Catalog, CatalogError};
use bucketry_domain::BucketId;

/// More than any catalog has.
const ALL: i64 = i64::MAX;

impl Catalog {
    /// Counts the objects of every bucket, and returns those buckets whose statistics say something else, at most `max`.
    /// Reads all objects. Nodes may run meanwhile: changes that wait to be sequenced are taken into account.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn recount(&self, max: u32) -> Result<Vec<StatisticsDifference>, CatalogError> {
        let dialect = self.engine().pools.dialect();
        let statement = compare(dialect, max.into());
        self.engine().scan(statement, difference).await
    }

    /// Corrects the statistics of all buckets by counting their objects; returns how many were wrong. Nodes may run
    /// meanwhile.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn correct_statistics(&self) -> Result<u64, CatalogError> {
        let correct = async |connection: &mut Connection| {
            let dialect = connection.dialect();
            if let Some(lock) = dialect.lock_sequencer() {
                connection.fetch(lock, |_| Ok(())).await?;
            }
            // Apart from the statement that locks: this one's snapshot must have what the sequencer did before.
            let statement = compare(dialect, ALL);
            let differences = connection.fetch(statement, difference).await?;
            let missing = differences
                .iter()
                .map(|difference| missing(difference).values());
            for add in dialect.insert(&StatisticsRow::TABLE, missing.collect(), StatisticsRow::ADD)
            {
                connection.execute(add).await?;
            }
            Ok(differences.len() as u64)
        };
        self.engine().transact(correct).await
    }
}

/// What must be added to a bucket's row.
fn missing(difference: &StatisticsDifference) -> StatisticsRow {
    let counted = |count| i64::try_from(count).unwrap_or(i64::MAX);
    StatisticsRow {
        bucket: difference.bucket,
        objects: counted(difference.counted.objects).saturating_sub(difference.recorded_objects),
        bytes: counted(difference.counted.bytes).saturating_sub(difference.recorded_bytes),
    }
}

/// Compares all live buckets in one statement, and so in one state of the catalog.
fn compare(dialect: Dialect, max: i64) -> Statement {
    let pending = match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => "UNION ALL SELECT bucket_id, 0, 0, objects, bytes FROM change_intake",
    };
    let sql = format!(
        "SELECT b.id, b.name, c.objects, c.bytes, c.recorded_objects, c.recorded_bytes
         FROM (
            SELECT bucket_id, CAST(SUM(objects) AS bigint) AS objects, CAST(SUM(bytes) AS bigint) AS bytes,
                   CAST(SUM(recorded_objects) AS bigint) AS recorded_objects,
                   CAST(SUM(recorded_bytes) AS bigint) AS recorded_bytes
            FROM (
                SELECT bucket_id, COUNT(*) AS objects, SUM(size) AS bytes, 0 AS recorded_objects, 0 AS recorded_bytes
                FROM objects GROUP BY bucket_id
                UNION ALL SELECT bucket_id, 0, 0, objects, bytes FROM bucket_statistics
                {pending}
            ) AS counts
            GROUP BY bucket_id
         ) AS c JOIN buckets b ON b.id = c.bucket_id
         WHERE b.state = 0 AND (c.objects <> c.recorded_objects OR c.bytes <> c.recorded_bytes)
         ORDER BY b.id LIMIT $1"
    );
    Statement::built(sql).bind(max)
}

fn difference(row: &Row<'_>) -> Result<StatisticsDifference, CatalogError> {
    let count =
        |column| u64::try_from(row.int(column)?).map_err(|_| CatalogError::Corrupt("objects.size"));
    Ok(StatisticsDifference {
        bucket: BucketId(row.int(0)?),
        name: row.text(1)?,
        counted: BucketStatistics {
            objects: count(2)?,
            bytes: count(3)?,
        },
        recorded_objects: row.int(4)?,
        recorded_bytes: row.int(5)?,
    })
}
