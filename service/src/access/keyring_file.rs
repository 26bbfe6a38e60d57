//! The keyring's file: read at every start, made at the first start of the embedded default.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::entropy::EntropyError;
use super::keyring::{Keyring, KeyringError};

/// A keyring file larger than this is no keyring.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Who besides the owner may read the keyring file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileExposure {
    /// The owner alone.
    Private,
    /// The group or everybody: worth a warning, but usual for mounted secrets.
    ReadableByOthers,
}

/// Why the keyring file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringFileError {
    /// The file system refused.
    #[error("cannot {action} the keyring {path:?}: {source}")]
    Io {
        /// What was tried: `read`, `write` or `make durable`.
        action: &'static str,
        /// The file concerned.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The file is there but holds no keyring.
    #[error("the keyring {path:?} cannot be used: {source}")]
    Keyring {
        /// The file concerned.
        path: PathBuf,
        /// What is wrong with its text.
        source: KeyringError,
    },
    /// No randomness for a new key.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// Reads the keyring at `path`.
///
/// # Errors
/// [`KeyringFileError::Io`] with kind `NotFound` when there is none, or any other fault of the file.
pub fn read_keyring_file(path: &Path) -> Result<(Keyring, FileExposure), KeyringFileError> {
    let io_error = |source| KeyringFileError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(io_error)?;
    let metadata = file.metadata().map_err(io_error)?;
    let mut text = Zeroizing::new(String::with_capacity(4096));
    file.take(MAX_FILE_BYTES)
        .read_to_string(&mut text)
        .map_err(io_error)?;
    let keyring = Keyring::parse(&text).map_err(|source| KeyringFileError::Keyring {
        path: path.to_owned(),
        source,
    })?;
    Ok((keyring, exposure(&metadata)))
}

/// Makes a keyring with one random key at `path`, readable by the owner alone and durable when this returns.
///
/// Written beside its place and renamed, so that a crash leaves a whole keyring or none. The caller holds the data
/// directory's lock: nobody else makes one at the same time.
///
/// # Errors
/// [`KeyringFileError::Io`] with kind `AlreadyExists` when `path` is taken: a keyring is never replaced.
pub fn create_keyring_file(path: &Path) -> Result<Keyring, KeyringFileError> {
    let io_error = |action| {
        move |source| KeyringFileError::Io {
            action,
            path: path.to_owned(),
            source,
        }
    };
    if path.try_exists().map_err(io_error("read"))? {
        return Err(io_error("write")(io::ErrorKind::AlreadyExists.into()));
    }
    let text = Keyring::generate_text()?;
    let beside = path.with_extension("new");
    let mut file = create_private(&beside).map_err(io_error("write"))?;
    file.write_all(text.as_bytes()).map_err(io_error("write"))?;
    file.sync_all().map_err(io_error("make durable"))?;
    fs::rename(&beside, path).map_err(io_error("write"))?;
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(io_error("make durable"))?;
    read_keyring_file(path).map(|(keyring, _)| keyring)
}

fn create_private(path: &Path) -> io::Result<File> {
    // What an interrupted start left behind was never used, and may have been made with other rights.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn exposure(metadata: &fs::Metadata) -> FileExposure {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
    if mode & 0o077 == 0 {
        FileExposure::Private
    } else {
        FileExposure::ReadableByOthers
    }
}

#[cfg(not(unix))]
fn exposure(_metadata: &fs::Metadata) -> FileExposure {
    FileExposure::Private
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_once_private_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keyring.toml");
        assert!(matches!(
            read_keyring_file(&path),
            Err(KeyringFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound
        ));
        fs::write(path.with_extension("new"), "left behind").unwrap();
        let made = create_keyring_file(&path).unwrap();
        let before = fs::read(&path).unwrap();
        let (read, exposure) = read_keyring_file(&path).unwrap();
        assert_eq!(read.active_id(), made.active_id());
        assert_eq!(exposure, FileExposure::Private);
        assert!(matches!(
            create_keyring_file(&path),
            Err(KeyringFileError::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists
        ));
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keyring.toml");
        create_keyring_file(&path).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
        assert_eq!(
            read_keyring_file(&path).unwrap().1,
            FileExposure::ReadableByOthers
        );
    }

    #[test]
    fn a_damaged_file_is_refused_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keyring.toml");
        fs::write(&path, "active = 1\n[keys]\n1 = \"abc\"\n").unwrap();
        assert!(matches!(
            read_keyring_file(&path),
            Err(KeyringFileError::Keyring { .. })
        ));
        assert!(create_keyring_file(&path).is_err());
    }
}
