use std::fs::{File, TryLockError};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::cache::Caches;
use super::sql::{Connection, Fault, Pools, Row, Statement, Unfinished};
use super::{CatalogError, CatalogOptions, CatalogUrl};

/// What readers and writers share.
pub(crate) struct Engine {
    pub(crate) pools: Pools,
    /// On SQLite: this process is alone, so that what it remembers is true. On Postgres there is none.
    pub(crate) caches: Option<Caches>,
    /// As many as may have died at once.
    connections: u32,
    ids: tokio::sync::Mutex<std::ops::Range<i64>>,
    /// Held as long as anything may still write; other processes are kept out by it.
    lock: Mutex<Option<File>>,
}

/// Ids taken from the database at a time.
const ID_BLOCK: i64 = 4096;

impl Engine {
    pub(crate) async fn open(
        url: &CatalogUrl,
        options: &CatalogOptions,
    ) -> Result<Self, CatalogError> {
        let (pools, caches, lock) = match url {
            CatalogUrl::Sqlite(directory) => {
                let lock = lock_directory(directory)?;
                let pools = Pools::sqlite(&directory.join(CatalogUrl::FILE), options).await?;
                (pools, Some(Caches::new(options.cache_bytes)), Some(lock))
            }
            CatalogUrl::Postgres(url) => (Pools::postgres(url, options).await?, None, None),
        };
        Ok(Self {
            pools,
            caches,
            connections: options.connections,
            ids: tokio::sync::Mutex::new(0..0),
            lock: Mutex::new(lock),
        })
    }

    /// Closes all connections, and then lets other processes have the directory.
    pub(crate) async fn close(&self) {
        self.pools.close().await;
        drop(
            self.lock
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }

    /// Takes `count` ids that follow one another. Must not be called with a writing connection in hand.
    pub(crate) async fn reserve_ids(&self, count: i64) -> Result<i64, CatalogError> {
        let mut block = self.ids.lock().await;
        if block.end - block.start < count {
            let size = count.max(ID_BLOCK);
            let take = "UPDATE id_sequence SET next = next + $1 WHERE one = 1 RETURNING next";
            let mut connection = self.pools.writer().await?;
            let rows = connection.fetch(Statement::new(take).bind(size)).await?;
            let end = rows
                .first()
                .ok_or(CatalogError::Corrupt("id_sequence"))?
                .int(0)?;
            *block = end - size..end;
        }
        let first = block.start;
        block.start += count;
        Ok(first)
    }

    /// Runs a reading statement. A connection that died since it was last used is no reason to fail, and after a
    /// failover of the database all of them have.
    pub(crate) async fn fetch(&self, statement: Statement) -> Result<Vec<Row>, CatalogError> {
        for _ in 0..self.connections {
            match self.pools.fetch(statement.clone()).await {
                Err(error) if Fault::of(&error) == Fault::Silent => {}
                answer => return Ok(answer?),
            }
        }
        Ok(self.pools.fetch(statement).await?)
    }

    /// Runs a few statements as one transaction of upkeep, outside of the group commits.
    pub(crate) async fn transact<T>(
        &self,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T, CatalogError>,
    ) -> Result<T, CatalogError> {
        let mut connection = self.pools.writer().await?;
        connection.begin().await?;
        match work(&mut connection).await {
            Ok(answer) => match connection.finish(Vec::new()).await {
                Ok(()) => Ok(answer),
                Err(Unfinished::Before(error) | Unfinished::During(error)) => {
                    connection.throw_away().await;
                    Err(error.into())
                }
            },
            Err(error) => {
                connection.roll_back().await;
                Err(error)
            }
        }
    }
}

fn lock_directory(directory: &Path) -> Result<File, CatalogError> {
    let failed = |error| CatalogError::Directory {
        path: directory.to_owned(),
        error: Arc::new(error),
    };
    // For the owner alone: small objects and sealed secrets lie here.
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(failed)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(directory.join("lock"))
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(CatalogError::InUse(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_directory_that_is_made_is_for_its_owner_alone() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("data");
        let _lock = lock_directory(&directory).unwrap();
        let mode = std::fs::metadata(&directory).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
