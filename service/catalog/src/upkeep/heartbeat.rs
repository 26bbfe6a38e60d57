use crate::sql::Statement;
use crate::{Catalog, CatalogError};
use bucketry_domain::{NodeId, Timestamp};

impl Catalog {
    /// Tells that a node lives until `lease_until`, and that none of its reads began before `oldest_read_at`.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn heartbeat(
        &self,
        node: NodeId,
        lease_until: Timestamp,
        oldest_read_at: Timestamp,
    ) -> Result<(), CatalogError> {
        let sql = "INSERT INTO nodes (id, lease_until, oldest_read_at) VALUES ($1, $2, $3)
                   ON CONFLICT (id) DO UPDATE SET
                   lease_until = excluded.lease_until, oldest_read_at = excluded.oldest_read_at";
        let statement = Statement::new(sql)
            .bind(node.0)
            .bind(lease_until.as_micros())
            .bind(oldest_read_at.as_micros());
        self.engine()
            .pools
            .writer()
            .await?
            .execute(statement)
            .await?;
        Ok(())
    }

    /// Ends the lease of every node but this one. For a catalog that one process has for itself.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn end_leases_of_others(&self, node: NodeId) -> Result<(), CatalogError> {
        let statement =
            Statement::new("UPDATE nodes SET lease_until = 0 WHERE id <> $1").bind(node.0);
        self.engine()
            .pools
            .writer()
            .await?
            .execute(statement)
            .await?;
        Ok(())
    }

    /// How many nodes have a lease at `now`.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn live_nodes(&self, now: Timestamp) -> Result<u64, CatalogError> {
        let sql = "SELECT COUNT(*) FROM nodes WHERE lease_until >= $1";
        let statement = Statement::new(sql).bind(now.as_micros());
        let count = self.engine().find(statement, |row| Ok(row.int(0)?)).await?;
        Ok(count.ok_or(CatalogError::Corrupt("nodes"))?.unsigned_abs())
    }

    /// Forgets a node that ended in order, or nodes whose lease ran out before `now` and that left no reservations.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn forget_nodes(
        &self,
        ended: Option<NodeId>,
        now: Timestamp,
    ) -> Result<u64, CatalogError> {
        let sql = "DELETE FROM nodes WHERE (id = $1 OR lease_until < $2)
                   AND NOT EXISTS (SELECT 1 FROM blob_batches b WHERE b.node_id = nodes.id)";
        let statement = Statement::new(sql)
            .bind(ended.map_or(0, |node| node.0))
            .bind(now.as_micros());
        Ok(self
            .engine()
            .pools
            .writer()
            .await?
            .execute(statement)
            .await?)
    }
}
