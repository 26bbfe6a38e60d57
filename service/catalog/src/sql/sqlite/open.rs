use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// The pages of the write-ahead log between checkpoints: its recycled frames make the cheapest fsync there is.
const WAL_AUTOCHECKPOINT_PAGES: u32 = 4000;
/// The bound of a connection's page cache.
const PAGE_CACHE_KIB: u32 = 8 * 1024;
/// How long a connection waits for a lock of another one. In WAL mode readers and the writer do not wait for each other.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// More than there are texts: multi-row statements have one for each power of two up to 64 rows.
const PREPARED_STATEMENTS: usize = 384;

/// Opens the connection that writes, and makes the database if it is missing.
pub(super) fn open_writer(file: &Path) -> rusqlite::Result<Connection> {
    let connection = open(file, OpenFlags::SQLITE_OPEN_CREATE)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "wal_autocheckpoint", WAL_AUTOCHECKPOINT_PAGES)?;
    Ok(connection)
}

/// Opens a connection that only reads. To SQLite it is one that may write, as readers of a write-ahead log take their place
/// in its index.
pub(super) fn open_reader(file: &Path) -> rusqlite::Result<Connection> {
    let connection = open(file, OpenFlags::empty())?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn open(file: &Path, more: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    // Without it a statement is prepared again whenever a bound LIMIT is set: its plan would depend on the number.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", -i64::from(PAGE_CACHE_KIB))?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    fn pragma(connection: &Connection, name: &str) -> String {
        let read = |row: &rusqlite::Row<'_>| {
            let value: rusqlite::types::Value = row.get(0)?;
            Ok(match value {
                rusqlite::types::Value::Integer(number) => number.to_string(),
                rusqlite::types::Value::Text(text) => text,
                other => panic!("{other:?}"),
            })
        };
        connection.pragma_query_value(None, name, read).unwrap()
    }

    #[test]
    fn connections_are_durable_and_bounded() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("db");
        let writer = open_writer(&file).unwrap();
        let reader = open_reader(&file).unwrap();
        for (name, value) in [
            ("journal_mode", "wal"),
            ("foreign_keys", "0"),
            ("temp_store", "2"),
            ("cache_size", "-8192"),
            ("busy_timeout", "10000"),
        ] {
            assert_eq!(pragma(&writer, name), value, "{name}");
            assert_eq!(pragma(&reader, name), value, "{name}");
        }
        assert_eq!(pragma(&writer, "synchronous"), "2");
        assert_eq!(pragma(&writer, "wal_autocheckpoint"), "4000");
        assert_eq!(pragma(&reader, "query_only"), "1");
        assert!(reader.execute_batch("CREATE TABLE t (a)").is_err());
    }

    #[test]
    fn sqlite_is_built_without_shared_locks() {
        let connection = Connection::open_in_memory().unwrap();
        let mut statement = connection.prepare("PRAGMA compile_options").unwrap();
        let options = statement
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap();
        let options: Vec<String> = options.map(Result::unwrap).collect();
        assert!(
            options.contains(&"DEFAULT_MEMSTATUS=0".to_owned()),
            "{options:?}"
        );
        assert!(!options.contains(&"ENABLE_MEMORY_MANAGEMENT".to_owned()));
    }

    #[test]
    fn a_bound_limit_costs_no_preparation() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_writer(&directory.path().join("db")).unwrap();
        connection
            .execute_batch("CREATE TABLE t (a PRIMARY KEY) WITHOUT ROWID")
            .unwrap();
        let sql = "SELECT a FROM t WHERE a >= ?1 ORDER BY a LIMIT ?2";
        let mut statement = connection.prepare(sql).unwrap();
        for limit in [1, 1000, 10] {
            let mut rows = statement.query((0, limit)).unwrap();
            assert!(rows.next().unwrap().is_none());
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
