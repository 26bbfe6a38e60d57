//! What `fsck` asks: everything that says which blobs there must be. In pages, in order.

use crate::model::{DataLayout, DataOwner};
use crate::rows::unpack_layout;
use crate::sql::{Kind, Row, Statement};
use crate::{Catalog, CatalogError};
use bucketry_domain::{BlobBatchId, BlobId, DataId};

/// Every row of data that something has, with the bucket's name and the key.
macro_rules! owners {
    () => {
        "SELECT o.data_id, b.name, o.key FROM (
            SELECT data_id, bucket_id, key FROM objects WHERE data_id IS NOT NULL
            UNION ALL SELECT data_id, bucket_id, key FROM object_versions WHERE data_id IS NOT NULL
            UNION ALL SELECT p.data_id, u.bucket_id, u.key FROM parts p JOIN uploads u ON u.id = p.upload_id
        ) o JOIN buckets b ON b.id = o.bucket_id"
    };
}

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
        let read = |row: &Row<'_>| {
            let layout = unpack_layout(row.slice(1)?).ok();
            Ok(DataLayout {
                data: DataId(row.int(0)?),
                extents: layout.map(|layout| layout.extents),
            })
        };
        self.engine().scan(statement, read).await
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
        let read = |row: &Row<'_>| Ok((BlobId::from_i64(row.int(0)?), DataId(row.int(1)?)));
        self.engine().scan(statement, read).await
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
        let read = |row: &Row<'_>| Ok(BlobBatchId(row.int(0)?));
        self.engine().scan(statement, read).await
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
        let read = |row: &Row<'_>| Ok(BlobId::from_i64(row.int(0)?));
        self.engine().scan(statement, read).await
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
        let read = |row: &Row<'_>| Ok(DataId(row.int(0)?));
        self.engine().scan(statement, read).await
    }

    /// Objects, versions and parts whose row of data is gone, at most `max`.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn list_lost_data(&self, max: u32) -> Result<Vec<DataOwner>, CatalogError> {
        let sql = concat!(
            owners!(),
            " WHERE NOT EXISTS (SELECT 1 FROM object_data d WHERE d.data_id = o.data_id)
             ORDER BY o.data_id LIMIT $1"
        );
        let statement = Statement::new(sql).bind(i64::from(max));
        self.engine().scan(statement, read_owner).await
    }

    /// Who has these rows of data. Reads the whole catalog once: for naming what is damaged.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn owners_of_data(&self, data: &[DataId]) -> Result<Vec<DataOwner>, CatalogError> {
        let keys = data.iter().map(|data| vec![data.0.into()]).collect();
        let before = concat!(owners!(), " WHERE o.data_id IN (SELECT k.column1 FROM");
        let after = ") ORDER BY o.data_id";
        let engine = self.engine();
        let mut found = Vec::new();
        for statement in engine
            .pools
            .dialect()
            .for_keys(&[Kind::Int], keys, before, after)
        {
            found.extend(engine.scan(statement, read_owner).await?);
        }
        Ok(found)
    }
}

fn read_owner(row: &Row<'_>) -> Result<DataOwner, CatalogError> {
    Ok(DataOwner {
        data: DataId(row.int(0)?),
        bucket: row.text(1)?,
        key: String::from_utf8_lossy(row.slice(2)?).into_owned(),
    })
}
