//! The keyring's file: read at every start, made at the first start of the embedded default, edited to rotate keys.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::entropy::EntropyError;
use super::keyring::{KekId, Keyring, KeyringError};
use super::keyring_edit::{KeyringEdit, KeyringEditError, edit_text};

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
    /// Another edit has its file beside the keyring.
    #[error(
        "{0:?} is there: the keyring is being edited, or an edit was interrupted. If nobody edits it now, remove that \
         file and try again"
    )]
    BeingEdited(PathBuf),
    /// The edit cannot be made.
    #[error("the keyring {path:?} is not changed: {source}")]
    Edit {
        /// The file concerned.
        path: PathBuf,
        /// Why not.
        source: KeyringEditError,
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
    let (text, exposure) = read_text(path).map_err(io_error)?;
    let keyring = Keyring::parse(&text).map_err(|source| KeyringFileError::Keyring {
        path: path.to_owned(),
        source,
    })?;
    Ok((keyring, exposure))
}

fn read_text(path: &Path) -> io::Result<(Zeroizing<String>, FileExposure)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let mut text = Zeroizing::new(String::with_capacity(4096));
    file.take(MAX_FILE_BYTES).read_to_string(&mut text)?;
    Ok((text, exposure(&metadata)))
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
        let there = "it is there, and a keyring is never replaced; keyring add puts a key into it";
        return Err(io_error("write")(io::Error::new(
            io::ErrorKind::AlreadyExists,
            there,
        )));
    }
    let text = Keyring::generate_text()?;
    let beside = path.with_extension("new");
    // What an interrupted start left behind was never used, and may have been made with other rights.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(io_error("write")(error));
        }
        _ => {}
    }
    let file = create_private(&beside).map_err(io_error("write"))?;
    replace(path, &beside, file, &text)?;
    read_keyring_file(path).map(|(keyring, _)| keyring)
}

/// Edits the keyring at `path`: whole or not at all, durable when this returns, readable by the owner alone whatever it
/// was before. Answers the key that was added, made active or removed, and the keyring as it is now.
///
/// The new file beside the old one is made first, so that two edits at once cannot undo each other.
///
/// # Errors
/// [`KeyringFileError`]; the file is as it was then.
pub fn edit_keyring_file(
    path: &Path,
    edit: KeyringEdit,
) -> Result<(KekId, Keyring), KeyringFileError> {
    let io_error = |action| {
        move |source| KeyringFileError::Io {
            action,
            path: path.to_owned(),
            source,
        }
    };
    // A link stays one: what it leads to is replaced.
    let path = &fs::canonicalize(path).map_err(io_error("read"))?;
    let beside = path.with_extension("new");
    let file = match create_private(&beside) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(KeyringFileError::BeingEdited(beside));
        }
        made => made.map_err(io_error("write"))?,
    };
    let edited = read_text(path)
        .map_err(io_error("read"))
        .and_then(|(text, _)| {
            edit_text(&text, edit).map_err(|source| KeyringFileError::Edit {
                path: path.clone(),
                source,
            })
        })
        .and_then(|(text, id)| replace(path, &beside, file, &text).map(|()| id));
    match edited {
        Ok(id) => read_keyring_file(path).map(|(keyring, _)| (id, keyring)),
        Err(error) => {
            // The error that matters is the one above. After a rename there is nothing left to remove.
            fs::remove_file(&beside).ok();
            Err(error)
        }
    }
}

/// Writes `text` to the file made at `beside`, and puts it in the place of `path`.
fn replace(path: &Path, beside: &Path, mut file: File, text: &str) -> Result<(), KeyringFileError> {
    let io_error = |action| {
        move |source| KeyringFileError::Io {
            action,
            path: path.to_owned(),
            source,
        }
    };
    file.write_all(text.as_bytes()).map_err(io_error("write"))?;
    file.sync_all().map_err(io_error("make durable"))?;
    fs::rename(beside, path).map_err(io_error("write"))?;
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(io_error("make durable"))
}

fn create_private(path: &Path) -> io::Result<File> {
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

    #[cfg(unix)]
    #[test]
    fn an_edit_is_whole_private_and_alone() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keyring");
        create_keyring_file(&path).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        let (added, keyring) = edit_keyring_file(&path, KeyringEdit::Add(None)).unwrap();
        assert_eq!(
            (
                added.get(),
                keyring.active_id().get(),
                keyring.ids().count()
            ),
            (2, 1, 2)
        );
        assert_eq!(read_keyring_file(&path).unwrap().1, FileExposure::Private);
        let before = fs::read(&path).unwrap();
        let refused = edit_keyring_file(&path, KeyringEdit::Remove(KekId::FIRST));
        assert!(matches!(refused, Err(KeyringFileError::Edit { .. })));
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);

        fs::write(path.with_extension("new"), "another edit").unwrap();
        let refused = edit_keyring_file(&path, KeyringEdit::Activate(added));
        assert!(matches!(refused, Err(KeyringFileError::BeingEdited(_))));
        assert_eq!(fs::read(&path).unwrap(), before);
        fs::remove_file(path.with_extension("new")).unwrap();

        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        edit_keyring_file(&link, KeyringEdit::Activate(added)).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(read_keyring_file(&path).unwrap().0.active_id(), added);
        assert!(matches!(
            edit_keyring_file(&directory.path().join("none"), KeyringEdit::Add(None)),
            Err(KeyringFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound
        ));
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
