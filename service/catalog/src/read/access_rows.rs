use std::sync::{Arc, LazyLock};

use crate::hints::Hints;
use crate::model::{AccessKey, Bucket, ObjectRow, StoredObject};
use crate::rows::read_data;
use crate::sql::{Record, Row, Statement};
use crate::{Catalog, CatalogError};
use bucketry_domain::ObjectKey;

/// The rows that a request is decided on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessRows {
    /// The caller's access key; absent if the caller is anonymous.
    pub key: Option<Arc<AccessKey>>,
    /// The bucket, deleted or not; absent if the request is not about one.
    pub bucket: Option<Arc<Bucket>>,
}

/// An object, and the rows that reading it is decided on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRead<T> {
    /// The rows, no older than the object.
    pub rows: AccessRows,
    /// The current version of the object's key, or what was to be read of it.
    pub object: T,
}

const KEY_COLUMNS: usize = AccessKey::TABLE.columns.len();
const ACCESS_COLUMNS: usize = KEY_COLUMNS + Bucket::TABLE.columns.len();

/// The rows of one key and one bucket by primary key, each NULL if there is none: always one row. What joins is placed
/// at the end.
fn access_rows(columns: &str, join: &str) -> String {
    format!(
        "SELECT {}, {}{columns} FROM (VALUES (1)) AS one
         LEFT JOIN access_keys k ON k.pk = $1 LEFT JOIN buckets b ON b.id = $2 {join}",
        AccessKey::TABLE.select_list("k"),
        Bucket::TABLE.select_list("b"),
    )
}

static CURRENT_ROWS: LazyLock<String> = LazyLock::new(|| access_rows("", ""));

static READ_ROW: LazyLock<String> = LazyLock::new(|| {
    let columns = format!(", {}", ObjectRow::TABLE.select_list("o"));
    access_rows(
        &columns,
        "LEFT JOIN objects o ON o.bucket_id = $2 AND o.key = $3",
    )
});

static READ_OBJECT: LazyLock<String> = LazyLock::new(|| {
    let columns = format!(
        ", {}, d.inline, d.layout",
        ObjectRow::TABLE.select_list("o")
    );
    let join = "LEFT JOIN objects o ON o.bucket_id = $2 AND o.key = $3
         LEFT JOIN object_data d ON d.data_id = o.data_id";
    access_rows(&columns, join)
});

impl Catalog {
    /// The current rows of those that `seen` holds, by primary key: one statement on Postgres. A row that is gone is
    /// absent.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn current_rows(&self, seen: &AccessRows) -> Result<AccessRows, CatalogError> {
        match &self.engine().hints {
            None => self.cached_rows(seen).await,
            Some(_) if seen.key.is_none() && seen.bucket.is_none() => Ok(AccessRows::default()),
            Some(hints) => {
                let statement = with_ids(&CURRENT_ROWS, seen);
                let read = |row: &Row<'_>| current(seen, row, hints);
                only(self.engine().find(statement, read).await?)
            }
        }
    }

    /// The current version of a key in the bucket of `seen`, with its data, and the current rows as
    /// [`Catalog::current_rows`] returns them: no older than the object; on Postgres they are of one statement. The
    /// bucket's state is not looked at.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn read_object(
        &self,
        seen: &AccessRows,
        key: &ObjectKey,
    ) -> Result<ObjectRead<Option<Arc<StoredObject>>>, CatalogError> {
        let Some(hints) = &self.engine().hints else {
            let object = match &seen.bucket {
                Some(bucket) => self.object(bucket.id, key).await?,
                None => None,
            };
            // Afterwards: a version that was stored after a revocation is never read with the key as it was before.
            let rows = self.cached_rows(seen).await?;
            return Ok(ObjectRead { rows, object });
        };
        let statement = with_ids(&READ_OBJECT, seen).bind(key.as_bytes());
        let read = |row: &Row<'_>| {
            Ok(ObjectRead {
                object: joined_object(row)?,
                rows: current(seen, row, hints)?,
            })
        };
        only(self.engine().find(statement, read).await?)
    }

    /// As [`Catalog::read_object`], without the data.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn read_object_row(
        &self,
        seen: &AccessRows,
        key: &ObjectKey,
    ) -> Result<ObjectRead<Option<Arc<ObjectRow>>>, CatalogError> {
        let Some(hints) = &self.engine().hints else {
            let object = match &seen.bucket {
                Some(bucket) => self.object_row(bucket.id, key).await?,
                None => None,
            };
            // Afterwards, as there.
            let rows = self.cached_rows(seen).await?;
            return Ok(ObjectRead { rows, object });
        };
        let statement = with_ids(&READ_ROW, seen).bind(key.as_bytes());
        let read = |row: &Row<'_>| {
            Ok(ObjectRead {
                object: joined::<ObjectRow>(row, ACCESS_COLUMNS)?.map(Arc::new),
                rows: current(seen, row, hints)?,
            })
        };
        only(self.engine().find(statement, read).await?)
    }

    /// The same where the caches are as true as the database.
    async fn cached_rows(&self, seen: &AccessRows) -> Result<AccessRows, CatalogError> {
        let key = match &seen.key {
            Some(key) => self.access_key_of(key.pk, &key.access_key_id).await?,
            None => None,
        };
        let bucket = match &seen.bucket {
            Some(bucket) => self.bucket(bucket.id).await?,
            None => None,
        };
        Ok(AccessRows { key, bucket })
    }
}

fn with_ids(sql: &'static str, seen: &AccessRows) -> Statement {
    Statement::new(sql)
        .bind(seen.key.as_ref().map(|key| key.pk.0))
        .bind(seen.bucket.as_ref().map(|bucket| bucket.id.0))
}

fn only<T>(row: Option<T>) -> Result<T, CatalogError> {
    row.ok_or(CatalogError::Corrupt("one row of an outer join"))
}

fn joined_object(row: &Row<'_>) -> Result<Option<Arc<StoredObject>>, CatalogError> {
    let Some(object) = joined::<ObjectRow>(row, ACCESS_COLUMNS)? else {
        return Ok(None);
    };
    let first = ACCESS_COLUMNS + ObjectRow::TABLE.columns.len();
    let data = read_data(&object, row, first)?;
    let row = Arc::new(object);
    Ok(Some(Arc::new(StoredObject { row, data })))
}

/// Reads the rows, and corrects the hints by those that have changed.
fn current(seen: &AccessRows, row: &Row<'_>, hints: &Hints) -> Result<AccessRows, CatalogError> {
    let key = joined(row, 0)?.map(|found| same(seen.key.as_ref(), found));
    let bucket = joined(row, KEY_COLUMNS)?.map(|found| same(seen.bucket.as_ref(), found));
    if let Some(seen) = &seen.key
        && !is_same(seen, key.as_ref())
    {
        hints.learn_key(&seen.access_key_id, key.as_ref());
    }
    if let Some(seen) = &seen.bucket
        && !is_same(seen, bucket.as_ref())
    {
        hints.learn_bucket(&seen.name, bucket.as_ref());
    }
    Ok(AccessRows { key, bucket })
}

/// A row of an outer join. The first column of each of these tables is a number that is never NULL.
fn joined<T: Record>(row: &Row<'_>, first: usize) -> Result<Option<T>, CatalogError> {
    match row.opt_int(first)? {
        Some(_) => T::read_from(row, first).map(Some),
        None => Ok(None),
    }
}

/// The row that was found, in the allocation of an equal one that was seen.
fn same<T: PartialEq>(seen: Option<&Arc<T>>, found: T) -> Arc<T> {
    match seen {
        Some(seen) if **seen == found => Arc::clone(seen),
        Some(_) | None => Arc::new(found),
    }
}

fn is_same<T>(seen: &Arc<T>, found: Option<&Arc<T>>) -> bool {
    found.is_some_and(|found| Arc::ptr_eq(seen, found))
}
