//! Checks of a database that nothing has to be stopped for. They change nothing.

mod failure;
mod postgres;
mod sqlite;

pub use failure::CheckFailure;

use super::migrations::LATEST;
use crate::{CatalogError, DatabaseUrl};
use bucketry_domain::Timestamp;

/// What one check found: something to show, or what is wrong.
#[derive(Debug)]
pub struct DatabaseCheck {
    /// What was checked, as in `fsync`.
    pub name: &'static str,
    /// The result; `Ok` describes what was found.
    pub found: Result<String, CheckFailure>,
}

/// The results, in the order in which the checks ran.
#[derive(Debug, Default)]
struct Checks(Vec<DatabaseCheck>);

impl Checks {
    fn add(&mut self, name: &'static str, found: Result<String, CheckFailure>) {
        self.0.push(DatabaseCheck { name, found });
    }
}

/// Runs the checks of a start, and a few more, without making or migrating anything. `clock` is this machine's. If the
/// first check fails, the others are left out, since they cannot be made.
pub async fn check_database(
    url: &DatabaseUrl,
    clock: impl Fn() -> Timestamp,
) -> Vec<DatabaseCheck> {
    let mut checks = Checks::default();
    match url {
        DatabaseUrl::Sqlite(directory) => sqlite::check(directory, &mut checks).await,
        DatabaseUrl::Postgres(url) => postgres::check(url, clock, &mut checks).await,
    }
    checks.0
}

/// Compares the schema of a database, if it has one, with that of this program.
fn schema(found: Option<i64>) -> Result<String, CheckFailure> {
    match found {
        None => Ok(format!("none; the first start makes version {LATEST}")),
        Some(LATEST) => Ok(format!("version {LATEST}")),
        Some(found) if found < LATEST => Ok(format!(
            "version {found}; the next start migrates it to {LATEST}"
        )),
        Some(found) => Err(CheckFailure::Database(CatalogError::NewerSchema {
            found,
            known: LATEST,
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_newer_schema_is_wrong() {
        assert!(schema(None).unwrap().starts_with("none"));
        assert_eq!(schema(Some(LATEST)).unwrap(), format!("version {LATEST}"));
        assert!(schema(Some(LATEST - 1)).unwrap().contains("migrates"));
        let newer = schema(Some(LATEST + 1)).unwrap_err();
        assert!(newer.to_string().contains("newer version"), "{newer}");
    }
}
