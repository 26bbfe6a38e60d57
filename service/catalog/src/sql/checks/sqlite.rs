use std::fs::{File, TryLockError, metadata};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::super::migrations::NEWEST;
use super::super::sqlite::may_block;
use super::failure::unusable;
use super::{CheckFailure, Checks, schema};
use crate::DatabaseUrl;
use crate::engine::{BESIDE, LOCK_FILE};

/// Whether a process uses the catalog.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Users {
    Nobody,
    AServer,
}

pub(super) async fn check(directory: &Path, checks: &mut Checks) {
    let file = directory.join(DatabaseUrl::FILE);
    if !file.is_file() {
        let failure = CheckFailure::NoCatalog(directory.to_owned());
        return checks.add("catalog", Err(failure));
    }
    checks.add("catalog", Ok(file.display().to_string()));
    let users = users(directory);
    let immutable = matches!(users, Ok(Users::Nobody)) && !has_log(&file);
    checks.add("lock", users.map(|users| shown(users).to_owned()));
    match may_block(move || read(&file, immutable)).await {
        Ok(of_content) => of_content
            .0
            .into_iter()
            .for_each(|check| checks.0.push(check)),
        Err(error) => checks.add("schema", Err(error.into())),
    }
    checks.add("modes", modes(directory));
}

/// Tries the lock that a server holds. For a moment only, and shared, so that checks do not disturb each other.
fn users(directory: &Path) -> Result<Users, CheckFailure> {
    let path = directory.join(LOCK_FILE);
    let lock = match File::open(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Users::Nobody),
        Err(error) => return Err(unusable(&path, error)),
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(Users::Nobody),
        Err(TryLockError::WouldBlock) => Ok(Users::AServer),
        Err(TryLockError::Error(error)) => Err(unusable(&path, error)),
    }
}

fn shown(users: Users) -> &'static str {
    match users {
        Users::Nobody => "free; no server runs",
        Users::AServer => "held; a server or fsck runs",
    }
}

/// Whether commits lie in the write-ahead log, which a crash leaves behind.
fn has_log(file: &Path) -> bool {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    metadata(log).is_ok_and(|log| log.len() > 0)
}

/// The checks of what the file holds.
fn read(file: &Path, immutable: bool) -> Checks {
    let mut checks = Checks::default();
    match open(file, immutable) {
        Ok(connection) => {
            checks.add("schema", newest(&connection));
            checks.add("quick_check", quick_check(&connection));
        }
        Err(failure) => checks.add("schema", Err(failure)),
    }
    checks
}

/// Opens the file for reading. SQLite makes files beside one that others may write; it does not if it is `immutable`.
fn open(file: &Path, immutable: bool) -> Result<Connection, CheckFailure> {
    let mut uri = "file:".to_owned();
    for byte in file.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                uri.push(char::from(*byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    if immutable {
        uri.push_str("?immutable=1");
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    Ok(connection)
}

fn newest(connection: &Connection) -> Result<String, CheckFailure> {
    let table = "SELECT COUNT(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";
    let tables: i64 = connection.query_row(table, [], |row| row.get(0))?;
    let newest = match tables {
        0 => None,
        _ => connection.query_row(NEWEST, [], |row| row.get(0))?,
    };
    schema(newest)
}

/// Reads the whole file.
fn quick_check(connection: &Connection) -> Result<String, CheckFailure> {
    let mut check = connection.prepare("PRAGMA quick_check(3)")?;
    let lines = check.query_map([], |row| row.get(0))?;
    let found = lines.collect::<Result<Vec<String>, _>>()?;
    match found.as_slice() {
        [ok] if ok == "ok" => Ok("no damage found".to_owned()),
        _ => Err(CheckFailure::Damaged(found.join("; "))),
    }
}

fn modes(directory: &Path) -> Result<String, CheckFailure> {
    for path in files(directory) {
        let mode = match metadata(&path) {
            Ok(metadata) => metadata.mode() & 0o777,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(unusable(&path, error)),
        };
        if mode & 0o077 != 0 {
            return Err(CheckFailure::Exposed { path, mode });
        }
    }
    Ok("only the owner may use the files".to_owned())
}

fn files(directory: &Path) -> impl Iterator<Item = PathBuf> {
    let beside = BESIDE.map(|suffix| format!("{}{suffix}", DatabaseUrl::FILE));
    let names = [DatabaseUrl::FILE.to_owned(), LOCK_FILE.to_owned()];
    (names.into_iter().chain(beside)).map(|name| directory.join(name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::{Catalog, CatalogOptions};

    async fn checked(directory: &Path) -> Vec<(&'static str, Result<String, CheckFailure>)> {
        let mut checks = Checks::default();
        check(directory, &mut checks).await;
        let pairs = checks.0.into_iter();
        pairs.map(|check| (check.name, check.found)).collect()
    }

    fn names(directory: &Path) -> Vec<std::ffi::OsString> {
        let entries = std::fs::read_dir(directory).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    async fn open_catalog(directory: &Path) -> Catalog {
        let url = DatabaseUrl::Sqlite(directory.to_owned());
        let options = CatalogOptions::default();
        Catalog::open(&url, &options).await.unwrap()
    }

    #[tokio::test]
    async fn a_catalog_in_use_and_one_at_rest_are_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let catalog = open_catalog(directory.path()).await;
        let running = checked(directory.path()).await;
        for (name, found) in &running {
            assert!(found.is_ok(), "{name}: {found:?}");
        }
        let lock = |checks: &[(&str, Result<String, CheckFailure>)]| {
            let lock = checks.iter().find(|(name, _)| *name == "lock").unwrap();
            lock.1.as_ref().unwrap().clone()
        };
        assert!(lock(&running).starts_with("held"));
        catalog.close().await;
        let before = names(directory.path());
        let stopped = checked(directory.path()).await;
        for (name, found) in &stopped {
            assert!(found.is_ok(), "{name}: {found:?}");
        }
        assert!(lock(&stopped).starts_with("free"));
        assert_eq!(names(directory.path()), before, "nothing is made");
    }

    #[tokio::test]
    async fn a_missing_catalog_is_not_made() {
        let directory = tempfile::tempdir().unwrap();
        let checks = checked(directory.path()).await;
        assert!(
            matches!(
                checks.as_slice(),
                [("catalog", Err(CheckFailure::NoCatalog(_)))]
            ),
            "{checks:?}"
        );
        assert!(names(directory.path()).is_empty());
    }

    #[tokio::test]
    async fn files_that_others_may_read_are_reported() {
        let directory = tempfile::tempdir().unwrap();
        open_catalog(directory.path()).await.close().await;
        let file = directory.path().join(DatabaseUrl::FILE);
        let open = std::fs::Permissions::from_mode(0o640);
        std::fs::set_permissions(&file, open).unwrap();
        let checks = checked(directory.path()).await;
        let modes = checks.into_iter().find(|(name, _)| *name == "modes");
        let failure = modes.unwrap().1.unwrap_err();
        assert!(
            matches!(&failure, CheckFailure::Exposed { path, mode: 0o640 } if *path == file),
            "{failure}"
        );
    }

    #[tokio::test]
    async fn damage_is_found() {
        let directory = tempfile::tempdir().unwrap();
        open_catalog(directory.path()).await.close().await;
        let file = directory.path().join(DatabaseUrl::FILE);
        let mut bytes = std::fs::read(&file).unwrap();
        // The first page, which has the schema, stays as it is.
        let page = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
        bytes[page..].iter_mut().for_each(|byte| *byte ^= 0x55);
        std::fs::write(&file, bytes).unwrap();
        let checks = checked(directory.path()).await;
        let failed = checks.iter().filter(|(_, found)| found.is_err());
        assert!(failed.count() > 0, "{checks:?}");
    }
}
