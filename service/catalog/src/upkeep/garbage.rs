use crate::model::GarbageBlob;
use crate::query::ListGarbage;
use crate::rows::GarbageRow;
use crate::sql::{Kind, Record, Statement};
use crate::{Catalog, CatalogError};

impl Catalog {
    /// Blobs whose bytes may be deleted, oldest first: nothing refers to them, the grace delay is over, and every read of a
    /// live node began later.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn list_garbage(
        &self,
        query: &ListGarbage,
    ) -> Result<Vec<GarbageBlob>, CatalogError> {
        // Marks of blobs that something else still refers to. A mark that is made anew meanwhile is later than the bound.
        let unmark = "DELETE FROM garbage WHERE unreferenced_at < $1
                      AND EXISTS (SELECT 1 FROM blob_refs r WHERE r.blob_id = garbage.blob_id)";
        let before = query.unreferenced_before.as_micros();
        self.engine()
            .pools
            .writer()
            .await?
            .execute(Statement::new(unmark).bind(before))
            .await?;
        let sql = "SELECT g.blob_id, g.unreferenced_at FROM garbage g
                   WHERE g.unreferenced_at < $1
                   AND g.unreferenced_at < COALESCE((SELECT MIN(oldest_read_at) FROM nodes WHERE lease_until >= $2), $1)
                   AND NOT EXISTS (SELECT 1 FROM blob_refs r WHERE r.blob_id = g.blob_id)
                   ORDER BY g.unreferenced_at, g.blob_id LIMIT $3";
        let statement = Statement::new(sql)
            .bind(before)
            .bind(query.now.as_micros())
            .bind(i64::from(query.max));
        self.engine().scan(statement, GarbageRow::read).await
    }

    /// Claims garbage for deletion: no commit can take it out any more. Returns what may be deleted now; the rest has got a
    /// reference or a new mark since it was listed.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn condemn_garbage(
        &self,
        blobs: &[GarbageBlob],
    ) -> Result<Vec<GarbageBlob>, CatalogError> {
        let keys = |rows: &[GarbageBlob]| rows.iter().map(Record::values).collect();
        let mut connection = self.engine().pools.writer().await?;
        let mut condemned = Vec::with_capacity(blobs.len());
        for statement in connection.dialect().condemn(keys(blobs)) {
            condemned.extend(connection.fetch(statement, GarbageRow::read).await?);
        }
        Ok(condemned)
    }

    /// Forgets garbage whose bytes are deleted.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn remove_garbage(&self, blobs: Vec<GarbageBlob>) -> Result<(), CatalogError> {
        let mut connection = self.engine().pools.writer().await?;
        // The time too: a mark that was made anew is another mark.
        let key = &[("blob_id", Kind::Int), ("unreferenced_at", Kind::Int)];
        let rows = blobs.iter().map(Record::values).collect();
        for statement in connection.dialect().delete("garbage", key, rows) {
            connection.execute(statement).await?;
        }
        Ok(())
    }
}
