use std::collections::BTreeSet;

use crate::model::BlobBatch;
use crate::sql::{Connection, Dialect, Kind, Row, Statement};
use crate::{Catalog, CatalogError};
use bucketry_domain::{BlobBatchId, BlobId, NodeId, Timestamp};

/// What protects a new blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reclaim {
    /// Its reservation.
    Reserved,
    /// A mark of garbage that is as old as the answer.
    Marked,
    /// Nothing: a collector is deleting it.
    Condemned,
}

impl Catalog {
    /// Reserves 1,024 blob ids for a node. Durable when it returns: the first byte may be written then.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn reserve_blob_batch(
        &self,
        node: NodeId,
        now: Timestamp,
    ) -> Result<BlobBatch, CatalogError> {
        let batch = BlobBatch {
            id: BlobBatchId(self.engine().reserve_ids(1).await?),
            node,
            created: now,
        };
        let sql = "INSERT INTO blob_batches (id, node_id, created) VALUES ($1, $2, $3)";
        let statement = Statement::new(sql)
            .bind(batch.id.0)
            .bind(node.0)
            .bind(now.as_micros());
        self.engine()
            .pools
            .writer()
            .await?
            .execute(statement)
            .await?;
        Ok(batch)
    }

    /// Ends a reservation. Those of `candidates` (places in the batch whose blobs may exist) that nothing refers to become
    /// garbage; returns how many did. If another node ended the reservation already, they become garbage all the same: that
    /// node cannot know of blobs that were written after it looked.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn retire_blob_batch(
        &self,
        batch: BlobBatchId,
        candidates: Vec<u16>,
        now: Timestamp,
    ) -> Result<u64, CatalogError> {
        let retire = async |connection: &mut Connection| {
            // Waits for commits that hold the reservation; those that come later find it gone.
            let delete = Statement::new("DELETE FROM blob_batches WHERE id = $1").bind(batch.0);
            connection.execute(delete).await?;
            let blobs: BTreeSet<BlobId> = candidates
                .iter()
                .map(|index| BlobId {
                    batch,
                    index: *index,
                })
                .collect();
            let referenced = referenced(connection, blobs.iter().copied()).await?;
            let garbage: Vec<_> = blobs.difference(&referenced).copied().collect();
            let count = garbage.len() as u64;
            let at = self.engine().mark_time(now);
            for statement in connection.dialect().mark_garbage(garbage, at) {
                connection.execute(statement).await?;
            }
            Ok(count)
        };
        self.engine().transact(retire).await
    }

    /// Prepares the commit of a blob whose reservation another node may have ended. If it has, the blob is marked as garbage
    /// from now on: it stays for the grace delay, and a commit may take it out. A blob that was deleted before is marked
    /// too, so the caller must look for it in the store afterwards.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn reclaim_blob(
        &self,
        blob: BlobId,
        now: Timestamp,
    ) -> Result<Reclaim, CatalogError> {
        let mut connection = self.engine().pools.writer().await?;
        let look = "SELECT id FROM blob_batches WHERE id = $1";
        let look = Statement::new(look).bind(blob.batch.0);
        let standing = connection.fetch(look, |_| Ok(())).await?;
        if !standing.is_empty() {
            return Ok(Reclaim::Reserved);
        }
        // No other transaction is needed: a reservation that is gone does not come back.
        let at = self.engine().mark_time(now);
        for statement in connection.dialect().mark_garbage([blob], at) {
            if !connection.fetch(statement, |_| Ok(())).await?.is_empty() {
                return Ok(Reclaim::Marked);
            }
        }
        Ok(Reclaim::Condemned)
    }

    /// Reservations of nodes whose lease ran out before `now`, or that have none, oldest first. A node must have a lease
    /// before it reserves.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn abandoned_blob_batches(
        &self,
        now: Timestamp,
        max: u32,
    ) -> Result<Vec<BlobBatch>, CatalogError> {
        let sql = "SELECT b.id, b.node_id, b.created FROM blob_batches b LEFT JOIN nodes n ON n.id = b.node_id
                   WHERE n.id IS NULL OR n.lease_until < $1 ORDER BY b.id LIMIT $2";
        let statement = Statement::new(sql)
            .bind(now.as_micros())
            .bind(i64::from(max));
        let read = |row: &Row<'_>| {
            Ok(BlobBatch {
                id: BlobBatchId(row.int(0)?),
                node: NodeId(row.int(1)?),
                created: Timestamp::from_micros(row.int(2)?),
            })
        };
        self.engine().scan(statement, read).await
    }
}

/// Which of these blobs something refers to.
async fn referenced(
    connection: &mut Connection,
    blobs: impl Iterator<Item = BlobId>,
) -> Result<BTreeSet<BlobId>, CatalogError> {
    let mut found = BTreeSet::new();
    for statement in select_referenced(connection.dialect(), blobs) {
        found.extend(connection.fetch(statement, read_blob).await?);
    }
    Ok(found)
}

/// The statements that read which of these blobs something refers to.
pub(super) fn select_referenced(
    dialect: Dialect,
    blobs: impl Iterator<Item = BlobId>,
) -> Vec<Statement> {
    let keys = blobs.map(|blob| vec![blob.to_i64().into()]).collect();
    let before = "SELECT DISTINCT o.blob_id FROM";
    let after = "CROSS JOIN blob_refs o WHERE o.blob_id = k.column1";
    dialect.for_keys(&[Kind::Int], keys, before, after)
}

pub(super) fn read_blob(row: &Row<'_>) -> Result<BlobId, CatalogError> {
    Ok(BlobId::from_i64(row.int(0)?))
}
