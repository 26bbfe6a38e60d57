use rusqlite::ffi;

/// Why a database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// What SQLite answered.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// What a PostgreSQL server answered, or that it did not.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
    /// No connection was free in time, or the server is known not to answer.
    #[error("no connection to the database was available in time")]
    Unavailable,
    /// The connections are closed.
    #[error("the connections to the database are closed")]
    Closed,
    /// A statement and its arguments do not belong together.
    #[error("{0}")]
    Argument(&'static str),
    /// The thread that writes could not be started.
    #[error("cannot start the thread that writes: {0}")]
    Thread(std::io::Error),
}

/// What an error means for a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Another transaction was in the way: the same batch may succeed now.
    Conflict,
    /// The server said no.
    Answered,
    /// Nothing was done: no connection or lock was free in time. An immediate retry would wait as long again.
    Unavailable,
    /// Nobody answered: whatever was under way may or may not have happened.
    Silent,
}

impl Fault {
    pub(crate) fn of(error: &DatabaseError) -> Self {
        match error {
            DatabaseError::Sqlite(error) => Self::of_sqlite(error),
            DatabaseError::Postgres(error) => Self::of_postgres(error),
            DatabaseError::Unavailable | DatabaseError::Closed => Self::Unavailable,
            DatabaseError::Argument(_) | DatabaseError::Thread(_) => Self::Answered,
        }
    }

    fn of_sqlite(error: &rusqlite::Error) -> Self {
        match kind(error) {
            Some(ffi::SQLITE_BUSY) => Self::Conflict,
            // The caller gave up, or the catalog is being closed.
            Some(ffi::SQLITE_INTERRUPT) => Self::Unavailable,
            Some(_) | None => Self::Answered,
        }
    }

    pub(super) fn of_postgres(error: &sqlx::Error) -> Self {
        let answer = match error {
            sqlx::Error::Database(answer) => answer,
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => {
                return Self::Silent;
            }
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => return Self::Unavailable,
            // Before anything was sent, or after all of it was understood.
            _ => return Self::Answered,
        };
        match answer.code().as_deref() {
            // Deadlock, serialization failure, unique violation between two nodes.
            Some("40P01" | "40001" | "23505") => Self::Conflict,
            // The session was ended because its transaction stood idle (this process was stopped). The server says so before
            // it begins the next statement, even if that is COMMIT: nothing of the transaction remains.
            Some("25P03") => Self::Conflict,
            // No lock in time, cancelled by the limit of a statement, too many connections.
            Some("55P03" | "57014" | "53300") => Self::Unavailable,
            // The connection is going away: class 08 and the administrator's shutdowns.
            Some(code) if code.starts_with("08") || code.starts_with("57P") => Self::Silent,
            _ => Self::Answered,
        }
    }
}

/// Whether a COMMIT of SQLite that failed like this may have an effect: after a failed write or fsync, SQLite may still have
/// written the page that makes a transaction valid.
pub(super) fn may_have_committed(error: &rusqlite::Error) -> bool {
    kind(error) == Some(ffi::SQLITE_IOERR)
}

/// The kind of SQLite's error: the lowest byte of the code, without the circumstances.
fn kind(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code & 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn faults_of_sqlite() {
        let fault = |code| Fault::of(&sqlite(code).into());
        for code in [
            ffi::SQLITE_BUSY,
            ffi::SQLITE_BUSY_RECOVERY,
            ffi::SQLITE_BUSY_SNAPSHOT,
            ffi::SQLITE_BUSY_TIMEOUT,
        ] {
            assert_eq!(fault(code), Fault::Conflict, "{code}");
        }
        assert_eq!(fault(ffi::SQLITE_INTERRUPT), Fault::Unavailable);
        for code in [
            ffi::SQLITE_CONSTRAINT_UNIQUE,
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_CORRUPT,
        ] {
            assert_eq!(fault(code), Fault::Answered, "{code}");
        }
    }

    #[test]
    fn only_a_failed_write_leaves_the_outcome_open() {
        for code in [
            ffi::SQLITE_IOERR,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_IOERR_FSYNC,
        ] {
            assert!(may_have_committed(&sqlite(code)), "{code}");
        }
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY, ffi::SQLITE_CONSTRAINT] {
            assert!(!may_have_committed(&sqlite(code)), "{code}");
        }
        assert!(!may_have_committed(&rusqlite::Error::InvalidQuery));
    }
}
