use std::borrow::Cow;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use crate::{CatalogError, MigrationError};

/// Both engines' scripts of one number do the same.
const SCRIPTS: [(i64, &str, &str, &str); 11] = [
    (
        1,
        "catalog",
        include_str!("../../migrations/sqlite/0001_catalog.sql"),
        include_str!("../../migrations/postgres/0001_catalog.sql"),
    ),
    (
        2,
        "token limits and denials",
        include_str!("../../migrations/sqlite/0002_token_limits_and_denials.sql"),
        include_str!("../../migrations/postgres/0002_token_limits_and_denials.sql"),
    ),
    (
        3,
        "append-only audit",
        include_str!("../../migrations/sqlite/0003_append_only_audit.sql"),
        include_str!("../../migrations/postgres/0003_append_only_audit.sql"),
    ),
    (
        4,
        "usage totals",
        include_str!("../../migrations/sqlite/0004_usage_totals.sql"),
        include_str!("../../migrations/postgres/0004_usage_totals.sql"),
    ),
    (
        5,
        "condemned garbage",
        include_str!("../../migrations/sqlite/0005_condemned_garbage.sql"),
        include_str!("../../migrations/postgres/0005_condemned_garbage.sql"),
    ),
    (
        6,
        "change numbers",
        include_str!("../../migrations/sqlite/0006_change_numbers.sql"),
        include_str!("../../migrations/postgres/0006_change_numbers.sql"),
    ),
    (
        7,
        "bucket settings",
        include_str!("../../migrations/sqlite/0007_bucket_settings.sql"),
        include_str!("../../migrations/postgres/0007_bucket_settings.sql"),
    ),
    (
        8,
        "listing index",
        include_str!("../../migrations/sqlite/0008_listing_index.sql"),
        include_str!("../../migrations/postgres/0008_listing_index.sql"),
    ),
    (
        9,
        "change log",
        include_str!("../../migrations/sqlite/0009_change_log.sql"),
        include_str!("../../migrations/postgres/0009_change_log.sql"),
    ),
    (
        10,
        "policy epochs",
        include_str!("../../migrations/sqlite/0010_policy_epochs.sql"),
        include_str!("../../migrations/postgres/0010_policy_epochs.sql"),
    ),
    (
        11,
        "object versions",
        include_str!("../../migrations/sqlite/0011_object_versions.sql"),
        include_str!("../../migrations/postgres/0011_object_versions.sql"),
    ),
];

/// The number of the latest script.
pub(super) const LATEST: i64 = SCRIPTS[SCRIPTS.len() - 1].0;

/// A script of both engines.
#[derive(Clone, Copy)]
pub(super) struct Script {
    pub(super) number: i64,
    pub(super) name: &'static str,
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

/// All scripts, in the order in which they are run.
pub(super) fn scripts() -> Vec<Script> {
    let script = |(number, name, sqlite, postgres)| Script {
        number,
        name,
        sqlite,
        postgres,
    };
    SCRIPTS.into_iter().map(script).collect()
}

/// Reads the number of the newest script that a database has seen.
pub(super) const NEWEST: &str = "SELECT MAX(version) FROM _sqlx_migrations";

/// What a failed migration of Postgres means; `newest` runs [`NEWEST`].
pub(super) async fn failure(
    error: MigrateError,
    newest: impl Future<Output = Result<i64, sqlx::Error>>,
) -> CatalogError {
    match error {
        MigrateError::VersionMissing(first) => CatalogError::NewerSchema {
            found: newest.await.unwrap_or(first),
            known: LATEST,
        },
        error => MigrationError::Postgres(error).into(),
    }
}

/// The scripts of Postgres. Running them takes an advisory lock, so that nodes may start together.
pub(super) fn migrator() -> Migrator {
    let migration = |script: Script| {
        Migration::new(
            script.number,
            Cow::Borrowed(script.name),
            MigrationType::Simple,
            script.postgres.into_sql_str(),
            false,
        )
    };
    Migrator::with_migrations(scripts().into_iter().map(migration).collect())
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha384};

    use super::*;

    #[test]
    fn checksums_are_those_that_earlier_versions_recorded() {
        let digest = |script: &Script| Sha384::digest(script.postgres).to_vec();
        for (script, migration) in scripts().iter().zip(migrator().iter()) {
            assert_eq!(digest(script), *migration.checksum, "{}", script.number);
        }
    }

    #[test]
    fn both_engines_have_the_same_tables_and_columns() {
        let shape = |sql: &str| {
            let common = sql
                .lines()
                .take_while(|line| !line.starts_with("-- Each engine in its own words"));
            let words = common.filter(|line| !line.starts_with("--"));
            words
                .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
                .collect::<Vec<_>>()
        };
        for (number, _, sqlite, postgres) in SCRIPTS {
            let plain = |line: &String| line != ")" && line != ");";
            let (sqlite, postgres) = (shape(sqlite), shape(postgres));
            let (sqlite, postgres): (Vec<_>, Vec<_>) = (
                sqlite.iter().filter(|line| plain(line)).collect(),
                postgres.iter().filter(|line| plain(line)).collect(),
            );
            assert_eq!(sqlite, postgres, "migration {number}");
        }
    }
}
