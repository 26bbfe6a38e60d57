use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::Notify;

use super::open::open_reader;
use crate::sql::DatabaseError;

/// Instructions of SQLite's machine between two looks at whether a long read is still wanted.
const INSTRUCTIONS: i32 = 10_000;

/// Connections that only read. One is taken for one statement and given back: no read transaction outlives it, since that
/// would keep the write-ahead log from being reused.
pub(super) struct Readers {
    file: PathBuf,
    /// The most connections that are kept while they are not used.
    most_idle: usize,
    state: Mutex<State>,
    given_back: Notify,
    closing: Arc<AtomicBool>,
}

#[derive(Default)]
struct State {
    /// The last one used is taken first: its page cache is the warmest.
    idle: Vec<Connection>,
    lent: usize,
    closed: bool,
}

impl Readers {
    pub(super) fn new(file: &Path, most_idle: usize) -> Self {
        Self {
            file: file.to_owned(),
            most_idle,
            state: Mutex::default(),
            given_back: Notify::new(),
            closing: Arc::default(),
        }
    }

    /// Reads on any connection. Blocks this thread for as long as it takes.
    pub(super) fn with<T, E: From<DatabaseError>>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut reader = self.take()?;
        read(reader.connection()?)
    }

    /// The same for a read that may take long: it ends with an error soon after `is_given_up`, or when the readers are
    /// closed.
    pub(super) fn with_until<T, E: From<DatabaseError>>(
        &self,
        is_given_up: Arc<AtomicBool>,
        read: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let closing = Arc::clone(&self.closing);
        let ends = move || is_given_up.load(Ordering::Relaxed) || closing.load(Ordering::Relaxed);
        self.with(|connection| {
            let failed = |error| E::from(DatabaseError::Sqlite(error));
            connection
                .progress_handler(INSTRUCTIONS, Some(ends))
                .map_err(failed)?;
            let answer = read(connection);
            connection
                .progress_handler(0, None::<fn() -> bool>)
                .map_err(failed)?;
            answer
        })
    }

    /// Ends long reads, waits for those that are under way, and closes all connections.
    pub(super) async fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        let idle = {
            let mut state = self.state();
            state.closed = true;
            std::mem::take(&mut state.idle)
        };
        drop(idle);
        loop {
            let given_back = self.given_back.notified();
            if self.state().lent == 0 {
                return;
            }
            given_back.await;
        }
    }

    fn take(&self) -> Result<Reader<'_>, DatabaseError> {
        let mut state = self.state();
        if state.closed {
            return Err(DatabaseError::Closed);
        }
        state.lent += 1;
        Ok(Reader {
            readers: self,
            connection: state.idle.pop(),
        })
    }

    fn give_back(&self, connection: Option<Connection>) {
        let mut state = self.state();
        state.lent -= 1;
        let has_room = !state.closed && state.idle.len() < self.most_idle;
        let surplus = match connection {
            Some(connection) if has_room => {
                state.idle.push(connection);
                None
            }
            surplus => surplus,
        };
        let is_awaited = state.closed;
        drop(state);
        // Closing one takes time, which must not be that of others.
        drop(surplus);
        if is_awaited {
            self.given_back.notify_waiters();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that is taken.
struct Reader<'r> {
    readers: &'r Readers,
    connection: Option<Connection>,
}

impl Reader<'_> {
    fn connection(&mut self) -> Result<&Connection, DatabaseError> {
        Ok(match self.connection {
            Some(ref connection) => connection,
            None => self.connection.insert(open_reader(&self.readers.file)?),
        })
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        // One in the middle of something is not used again.
        let connection = self.connection.take().filter(|_| !std::thread::panicking());
        self.readers.give_back(connection);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::sql::sqlite::open::open_writer;

    const ENDLESS: &str =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n";

    fn readers(directory: &Path) -> Readers {
        let file = directory.join("db");
        open_writer(&file).unwrap();
        Readers::new(&file, 1)
    }

    fn count(connection: &Connection) -> Result<i64, DatabaseError> {
        Ok(connection.query_row(ENDLESS, [], |row| row.get(0))?)
    }

    #[test]
    fn a_long_read_ends_when_it_is_given_up_and_its_connection_is_used_again() {
        let directory = tempfile::tempdir().unwrap();
        let readers = readers(directory.path());
        let is_given_up = Arc::new(AtomicBool::new(false));
        std::thread::scope(|scope| {
            let (begun, is_begun) = mpsc::channel();
            let (readers, until) = (&readers, Arc::clone(&is_given_up));
            let read = scope.spawn(move || {
                readers.with_until(until, |connection| {
                    begun.send(()).unwrap();
                    count(connection)
                })
            });
            is_begun.recv().unwrap();
            is_given_up.store(true, Ordering::Relaxed);
            assert!(matches!(
                read.join().unwrap(),
                Err(DatabaseError::Sqlite(_))
            ));
        });
        let two = readers.with::<i64, DatabaseError>(|connection| {
            Ok(connection.query_row("SELECT 2", [], |row| row.get(0))?)
        });
        assert_eq!(two.unwrap(), 2);
        assert_eq!(readers.state().idle.len(), 1);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn closing_ends_long_reads_and_waits_for_them() {
        let directory = tempfile::tempdir().unwrap();
        let readers = Arc::new(readers(directory.path()));
        let (begun, is_begun) = tokio::sync::oneshot::channel();
        let reading = Arc::clone(&readers);
        let read = tokio::task::spawn_blocking(move || {
            reading.with_until(Arc::default(), |connection| {
                begun.send(()).unwrap();
                count(connection)
            })
        });
        is_begun.await.unwrap();
        readers.close().await;
        assert_eq!(readers.state().lent, 0);
        assert!(read.await.unwrap().is_err());
        let late = readers.with::<(), DatabaseError>(|_| Ok(()));
        assert!(matches!(late, Err(DatabaseError::Closed)));
    }
}
