//! What `fsck` asks: everything that says which blobs there must be. In pages, in order.

use crate::model::{DataLayout, DataOwner};
use crate::rows::unpack_layout;
use crate::sql::{Kind, Statement};
use crate::{Catalog, CatalogError};
use bucketry_domain::{BlobBatchId, BlobId, DataId};

impl Catalog {
    /// Rows of object data that lie in blobs, above `after`, in order, at most `max`.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails. A layout that cannot be read is no error but an answer.
    pub async fn list_layouts(
        &self,
        after: Option<DataId>,
        max: u32,
    ) -> Result<Vec<DataLayout>, CatalogError> {
        let sql = "SELECT data_id, layout FROM object_data
                   WHERE data_id > $1 AND layout IS NOT NULL ORDER BY data_id LIMIT $2";
        let after = after.map_or(i64::MIN, |data| data.0);
        let statement = Statement::new(sql).bind(after).bind(i64::from(max));
        let rows = self.engine().fetch(statement).await?;
        rows.iter()
            .map(|row| {
                Ok(DataLayout {
                    data: DataId(row.int(0)?),
                    extents: unpack_layout(&row.bytes(1)?)
                        .ok()
                        .map(|layout| layout.extents),
                })
            })
            .collect()
    }

    /// References to blobs above `after`, by blob and then by data, at most `max`.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn list_blob_refs(
        &self,
        after: Option<(BlobId, DataId)>,
        max: u32,
    ) -> Result<Vec<(BlobId, DataId)>, CatalogError> {
        let sql = "SELECT blob_id, data_id FROM blob_refs WHERE (blob_id, data_id) > ($1, $2)
                   ORDER BY blob_id, data_id LIMIT $3";
        let (blob, data) =
            after.map_or((i64::MIN, i64::MIN), |(blob, data)| (blob.to_i64(), data.0));
        let statement = Statement::new(sql)
            .bind(blob)
            .bind(data)
            .bind(i64::from(max));
        let rows = self.engine().fetch(statement).await?;
        rows.iter()
            .map(|row| Ok((BlobId::from_i64(row.int(0)?), DataId(row.int(1)?))))
            .collect()
    }

    /// Reservations above `after`, whoever made them, in order, at most `max`.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn list_blob_batches(
        &self,
        after: Option<BlobBatchId>,
        max: u32,
    ) -> Result<Vec<BlobBatchId>, CatalogError> {
        let sql = "SELECT id FROM blob_batches WHERE id > $1 ORDER BY id LIMIT $2";
        let after = after.map_or(i64::MIN, |batch| batch.0);
        let statement = Statement::new(sql).bind(after).bind(i64::from(max));
        let rows = self.engine().fetch(statement).await?;
        rows.iter()
            .map(|row| Ok(BlobBatchId(row.int(0)?)))
            .collect()
    }

    /// Blobs above `after` that are marked as garbage, in order, at most `max`.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn list_marked_blobs(
        &self,
        after: Option<BlobId>,
        max: u32,
    ) -> Result<Vec<BlobId>, CatalogError> {
        let sql = "SELECT blob_id FROM garbage WHERE blob_id > $1 ORDER BY blob_id LIMIT $2";
        let after = after.map_or(i64::MIN, BlobId::to_i64);
        let statement = Statement::new(sql).bind(after).bind(i64::from(max));
        let rows = self.engine().fetch(statement).await?;
        rows.iter()
            .map(|row| Ok(BlobId::from_i64(row.int(0)?)))
            .collect()
    }

    /// Data that no object, version or part has, in order, at most `max`.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn list_ownerless_data(&self, max: u32) -> Result<Vec<DataId>, CatalogError> {
        // Both engines compute this in time linear in the rows but for sorting. On Postgres NOT IN is quadratic as soon as
        // the set does not fit into work_mem, and on SQLite NOT EXISTS is, since data_id has no index.
        let sql = "SELECT data_id FROM object_data
                   EXCEPT SELECT data_id FROM objects WHERE data_id IS NOT NULL
                   EXCEPT SELECT data_id FROM object_versions WHERE data_id IS NOT NULL
                   EXCEPT SELECT data_id FROM parts
                   ORDER BY data_id LIMIT $1";
        let statement = Statement::new(sql).bind(i64::from(max));
        let rows = self.engine().fetch(statement).await?;
        rows.iter().map(|row| Ok(DataId(row.int(0)?))).collect()
    }

    /// Objects, versions and parts whose row of data is gone, at most `max`.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn list_lost_data(&self, max: u32) -> Result<Vec<DataOwner>, CatalogError> {
        let sql = format!(
            "{OWNERS} WHERE NOT EXISTS (SELECT 1 FROM object_data d WHERE d.data_id = o.data_id)
             ORDER BY o.data_id LIMIT $1"
        );
        let statement = Statement::built(sql).bind(i64::from(max));
        owners(&self.engine().fetch(statement).await?)
    }

    /// Who has these rows of data. Reads the whole catalog once: for naming what is damaged.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn owners_of_data(&self, data: &[DataId]) -> Result<Vec<DataOwner>, CatalogError> {
        let keys = data.iter().map(|data| vec![data.0.into()]).collect();
        let before = format!("{OWNERS} WHERE o.data_id IN (SELECT k.column1 FROM");
        let after = ") ORDER BY o.data_id";
        let mut connection = self.engine().pools.writer().await?;
        let mut found = Vec::new();
        for statement in connection
            .dialect()
            .for_keys(&[Kind::Int], keys, &before, after)
        {
            found.extend(owners(&connection.fetch(statement).await?)?);
        }
        Ok(found)
    }
}

/// Every row of data that something has, with the bucket's name and the key.
const OWNERS: &str = "SELECT o.data_id, b.name, o.key FROM (
        SELECT data_id, bucket_id, key FROM objects WHERE data_id IS NOT NULL
        UNION ALL SELECT data_id, bucket_id, key FROM object_versions WHERE data_id IS NOT NULL
        UNION ALL SELECT p.data_id, u.bucket_id, u.key FROM parts p JOIN uploads u ON u.id = p.upload_id
    ) o JOIN buckets b ON b.id = o.bucket_id";

fn owners(rows: &[crate::sql::Row]) -> Result<Vec<DataOwner>, CatalogError> {
    rows.iter()
        .map(|row| {
            Ok(DataOwner {
                data: DataId(row.int(0)?),
                bucket: row.text(1)?,
                key: String::from_utf8_lossy(&row.bytes(2)?).into_owned(),
            })
        })
        .collect()
}
