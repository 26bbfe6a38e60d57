use std::fs::{File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::cache::Caches;
use super::hints::Hints;
use super::sql::{Connection, Dialect, Fault, MarkTime, Pools, Row, Statement, Unfinished};
use super::{CatalogError, CatalogOptions, DatabaseUrl, UpkeepClock};
use bucketry_domain::Timestamp;

/// Reads the clock of a Postgres server, in microseconds.
pub(crate) const DATABASE_TIME: &str =
    "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint)";

/// What readers and writers share.
pub(crate) struct Engine {
    pub(crate) pools: Pools,
    /// On SQLite: this process is alone, so that what it remembers is true.
    pub(crate) caches: Option<Caches>,
    /// On Postgres: other nodes write as well, so that what this one remembers may be outdated.
    pub(crate) hints: Option<Hints>,
    /// As many as may have died at once.
    connections: u32,
    clock: UpkeepClock,
    ids: tokio::sync::Mutex<std::ops::Range<i64>>,
    /// Held as long as anything may still write; other processes are kept out by it.
    lock: Mutex<Option<File>>,
    /// Called between a commit and its publication.
    #[cfg(test)]
    pub(crate) committed: Mutex<Option<Box<dyn FnMut() + Send>>>,
}

/// Ids taken from the database at a time.
const ID_BLOCK: i64 = 4096;

impl Engine {
    pub(crate) async fn open(
        url: &DatabaseUrl,
        options: &CatalogOptions,
    ) -> Result<Self, CatalogError> {
        let bytes = options.cache_bytes;
        let (pools, caches, hints, lock) = match url {
            DatabaseUrl::Sqlite(directory) => {
                let lock = lock_directory(directory)?;
                keep_private(directory)?;
                let pools = Pools::sqlite(&directory.join(DatabaseUrl::FILE), options).await?;
                (pools, Some(Caches::new(bytes)), None, Some(lock))
            }
            DatabaseUrl::Postgres(url) => {
                let pools = Pools::postgres(url, options).await?;
                (pools, None, Some(Hints::new(bytes.keys)), None)
            }
        };
        Ok(Self {
            pools,
            caches,
            hints,
            connections: options.connections,
            clock: options.upkeep_clock,
            ids: tokio::sync::Mutex::new(0..0),
            lock: Mutex::new(lock),
            #[cfg(test)]
            committed: Mutex::new(None),
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

    /// Takes `count` ids that follow one another. Must not be called while holding the writing connection.
    pub(crate) async fn reserve_ids(&self, count: i64) -> Result<i64, CatalogError> {
        let mut block = self.ids.lock().await;
        if block.end - block.start < count {
            let size = count.max(ID_BLOCK);
            let take = "UPDATE id_sequence SET next = next + $1 WHERE one = 1 RETURNING next";
            let take = Statement::new(take).bind(size);
            let mut connection = self.pools.writer().await?;
            let next = connection.fetch(take, |row| Ok(row.int(0)?)).await?;
            let end = *next.first().ok_or(CatalogError::Corrupt("id_sequence"))?;
            *block = end - size..end;
        }
        let first = block.start;
        block.start += count;
        Ok(first)
    }

    /// When blobs that a statement marks became garbage, if the caller says `now`.
    pub(crate) fn mark_time(&self, now: Timestamp) -> MarkTime {
        match (self.pools.dialect(), self.clock) {
            (Dialect::Postgres, UpkeepClock::Database) => MarkTime::Database,
            (Dialect::Postgres, UpkeepClock::Caller) | (Dialect::Sqlite, _) => MarkTime::At(now),
        }
    }

    /// The time by the database's clock, where several nodes share one; where the caller's clock counts, none.
    pub(crate) async fn database_time(&self) -> Result<Option<Timestamp>, CatalogError> {
        if self.mark_time(Timestamp::EPOCH) != MarkTime::Database {
            return Ok(None);
        }
        let read = |row: &Row<'_>| Ok(Timestamp::from_micros(row.int(0)?));
        let time = self.find(Statement::new(DATABASE_TIME), read).await?;
        time.ok_or(CatalogError::Corrupt("clock_timestamp"))
            .map(Some)
    }

    /// Runs a statement that reads a few rows: at most a page. On SQLite it runs on this thread. A connection that died
    /// since it was last used is no reason to fail, and after a failover of the database all of them have.
    pub(crate) async fn fetch<T>(
        &self,
        statement: Statement,
        mut read: impl FnMut(&Row<'_>) -> Result<T, CatalogError>,
    ) -> Result<Vec<T>, CatalogError> {
        for _ in 0..self.connections {
            match self.pools.fetch(&statement, &mut read).await {
                Err(error) if is_passing(&error) => {}
                answer => return answer,
            }
        }
        self.pools.fetch(&statement, &mut read).await
    }

    /// The same for the first row.
    pub(crate) async fn find<T>(
        &self,
        statement: Statement,
        read: impl FnMut(&Row<'_>) -> Result<T, CatalogError>,
    ) -> Result<Option<T>, CatalogError> {
        let found = self.fetch(statement, read).await?;
        Ok(found.into_iter().next())
    }

    /// The same for a statement that may read many rows, whatever it returns. On SQLite it runs on a thread that may block,
    /// and ends when the caller gives up.
    pub(crate) async fn scan<T: Send + 'static>(
        &self,
        statement: Statement,
        read: impl FnMut(&Row<'_>) -> Result<T, CatalogError> + Clone + Send + 'static,
    ) -> Result<Vec<T>, CatalogError> {
        for _ in 0..self.connections {
            match self.pools.scan(&statement, read.clone()).await {
                Err(error) if is_passing(&error) => {}
                answer => return answer,
            }
        }
        self.pools.scan(&statement, read).await
    }

    #[cfg(test)]
    pub(crate) fn after_commit(&self) {
        let mut committed = self.committed.lock().unwrap();
        if let Some(committed) = &mut *committed {
            committed();
        }
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

/// Whether a reading statement that failed like this may succeed on another connection.
fn is_passing(error: &CatalogError) -> bool {
    let CatalogError::Database(error) = error else {
        return false;
    };
    match Fault::of(error) {
        Fault::Silent | Fault::Conflict => true,
        Fault::Answered | Fault::Unavailable => false,
    }
}

/// The mode of the catalog's files, which hold small objects and sealed secrets: for the owner only, regardless of
/// directory and umask.
const FILE_MODE: u32 = 0o600;

/// The file that a process locks to have the directory for itself.
pub(crate) const LOCK_FILE: &str = "lock";

/// SQLite gives its auxiliary files the mode of the database.
pub(crate) const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Makes the database's file if it is missing, and takes from group and others what an earlier version gave them.
fn keep_private(directory: &Path) -> Result<(), CatalogError> {
    let failed = |error| failed(directory, error);
    let options = || {
        let mut options = File::options();
        options.write(true).mode(FILE_MODE);
        options
    };
    let database = (options().create(true).truncate(false))
        .open(directory.join(DatabaseUrl::FILE))
        .map_err(failed)?;
    restrict(&database).map_err(failed)?;
    for suffix in BESIDE {
        let file = directory.join(format!("{}{suffix}", DatabaseUrl::FILE));
        match options().open(file) {
            Ok(file) => restrict(&file).map_err(failed)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(())
}

fn restrict(file: &File) -> io::Result<()> {
    if file.metadata()?.mode() & 0o077 == 0 {
        return Ok(());
    }
    file.set_permissions(Permissions::from_mode(FILE_MODE))
}

fn failed(directory: &Path, error: io::Error) -> CatalogError {
    CatalogError::Directory {
        path: directory.to_owned(),
        error: Arc::new(error),
    }
}

fn lock_directory(directory: &Path) -> Result<File, CatalogError> {
    let failed = |error| failed(directory, error);
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
        .mode(FILE_MODE)
        .open(directory.join(LOCK_FILE))
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            restrict(&file).map_err(failed)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => Err(CatalogError::InUse(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn files_of_a_catalog_are_for_their_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let open_to_all = |path: &Path, mode| {
            std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        };
        open_to_all(directory.path(), 0o755);
        let url = DatabaseUrl::Sqlite(directory.path().to_owned());
        // New, and after an earlier version had made them readable by all.
        for _ in 0..2 {
            let engine = Engine::open(&url, &CatalogOptions::default())
                .await
                .unwrap();
            let files = || {
                let entries = std::fs::read_dir(directory.path()).unwrap();
                entries.map(|entry| entry.unwrap().path())
            };
            assert!(files().count() >= 4, "database, log, its index, lock");
            for path in files() {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
            }
            engine.close().await;
            // After a crash the log remains.
            std::fs::write(
                directory.path().join(format!("{}-wal", DatabaseUrl::FILE)),
                "",
            )
            .unwrap();
            files().for_each(|path| open_to_all(&path, 0o644));
        }
    }

    #[test]
    fn a_directory_that_is_made_is_for_its_owner_alone() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("data");
        let _lock = lock_directory(&directory).unwrap();
        assert_eq!(mode(&directory), 0o700);
    }
}
