//! Migrations, recorded in the table that earlier versions kept by `sqlx`: an existing directory opens as before.

use std::collections::BTreeMap;
use std::time::Instant;

use rusqlite::{Connection, TransactionBehavior};
use sha2::{Digest as _, Sha384};

use crate::sql::migrations::{LATEST, Script, scripts};
use crate::{CatalogError, MigrationError};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
)";

const RECORD: &str =
    "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
    VALUES (?1, ?2, TRUE, ?3, ?4)";

/// Runs the scripts that the database has not seen, each in a transaction of its own. None is run if the database has seen
/// one that this version does not know, or that has another text here.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), CatalogError> {
    run(connection, &scripts())
}

fn run(connection: &mut Connection, scripts: &[Script]) -> Result<(), CatalogError> {
    connection.execute_batch(TABLE)?;
    let seen = seen(connection)?;
    let is_known = |version: &i64| scripts.iter().any(|script| script.number == *version);
    if !seen.keys().all(is_known) {
        let found = seen.keys().next_back().copied().unwrap_or_default();
        return Err(CatalogError::NewerSchema {
            found,
            known: LATEST,
        });
    }
    for script in scripts {
        match seen.get(&script.number) {
            Some(checksum) if *checksum != digest(script) => {
                return Err(MigrationError::Changed(script.number).into());
            }
            Some(_) | None => {}
        }
    }
    for script in scripts {
        if !seen.contains_key(&script.number) {
            apply(connection, script).map_err(|error| MigrationError::Script {
                number: script.number,
                error,
            })?;
        }
    }
    Ok(())
}

/// The scripts that were run, by number, and their checksums.
fn seen(connection: &Connection) -> Result<BTreeMap<i64, Vec<u8>>, CatalogError> {
    let mut select =
        connection.prepare("SELECT version, success, checksum FROM _sqlx_migrations")?;
    let mut rows = select.query([])?;
    let mut seen = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let version = row.get(0)?;
        if !row.get::<_, bool>(1)? {
            return Err(MigrationError::Partial(version).into());
        }
        let checksum = row.get_ref(2)?.as_bytes().unwrap_or_default();
        seen.insert(version, checksum.to_vec());
    }
    Ok(seen)
}

fn apply(connection: &mut Connection, script: &Script) -> rusqlite::Result<()> {
    let begun = Instant::now();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(script.sqlite)?;
    let nanoseconds = i64::try_from(begun.elapsed().as_nanos()).unwrap_or(i64::MAX);
    let record = (script.number, script.name, digest(script), nanoseconds);
    transaction.execute(RECORD, record)?;
    transaction.commit()
}

fn digest(script: &Script) -> Vec<u8> {
    Sha384::digest(script.sqlite).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn script(number: i64, sqlite: &'static str) -> Script {
        Script {
            number,
            name: "a script",
            sqlite,
            postgres: "",
        }
    }

    const FIRST: Script = script(1, "CREATE TABLE a (b); INSERT INTO a VALUES (1);");
    const SECOND: Script = script(2, "INSERT INTO a VALUES (2);");

    fn rows(connection: &Connection, table: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn scripts_run_once_and_in_order() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &[FIRST]).unwrap();
        for _ in 0..2 {
            run(&mut connection, &[FIRST, SECOND]).unwrap();
            assert_eq!(rows(&connection, "a"), 2);
            assert_eq!(rows(&connection, "_sqlx_migrations"), 2);
        }
    }

    #[test]
    fn a_changed_script_is_noticed_before_any_is_run() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &[FIRST]).unwrap();
        let changed = script(1, "CREATE TABLE a (b, c);");
        let failed = run(&mut connection, &[changed, SECOND]).unwrap_err();
        assert!(
            matches!(&failed, CatalogError::Migration(error) if matches!(**error, MigrationError::Changed(1))),
            "{failed:?}"
        );
        assert_eq!(rows(&connection, "a"), 1);
    }

    #[test]
    fn a_newer_schema_is_refused_with_both_numbers() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &[FIRST, script(900, ""), script(901, "")]).unwrap();
        let failed = run(&mut connection, &[FIRST, SECOND]).unwrap_err();
        assert!(
            matches!(
                failed,
                CatalogError::NewerSchema {
                    found: 901,
                    known: LATEST
                }
            ),
            "{failed:?}"
        );
        assert_eq!(rows(&connection, "a"), 1);
    }

    #[test]
    fn a_script_that_fails_leaves_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        let fails = script(
            2,
            "INSERT INTO a VALUES (2); INSERT INTO missing VALUES (1);",
        );
        let failed = run(&mut connection, &[FIRST, fails]).unwrap_err();
        assert!(
            matches!(&failed, CatalogError::Migration(error) if matches!(**error, MigrationError::Script { number: 2, .. })),
            "{failed:?}"
        );
        assert_eq!(rows(&connection, "a"), 1);
        assert_eq!(rows(&connection, "_sqlx_migrations"), 1);
        assert!(connection.is_autocommit());
    }
}
