//! Opens files below the root of a local store without following links or blocking on a pipe.

use std::fs::File;
use std::io;
use std::path::{Path as FilePath, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::error::BlobError;
use super::layout;
use bucketry_domain::{BlobBatchId, BlobId};

/// A file that only its owner may read: it holds objects.
pub(super) const FILE_MODE: Mode = Mode::from_raw_mode(0o600);
const DIRECTORY_MODE: Mode = Mode::from_raw_mode(0o700);

/// Opening a pipe does not block.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOCTTY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK);
const CREATE: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW);
const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::DIRECTORY);

/// The directory of a local store.
#[derive(Debug)]
pub(super) struct Tree {
    root: Box<FilePath>,
    lookup: Lookup,
    cache: Cache,
}

/// How a path is resolved without following links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lookup {
    /// By one call: `openat2` of Linux 5.6.
    #[cfg(target_os = "linux")]
    AtOnce,
    /// Directory by directory.
    Stepwise,
}

/// Whether an operation can be limited to the page cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cache {
    /// Opening and reading can be limited to the page cache.
    Usable,
    /// A network or user-space file system, which may contact its server even then; or a system other than Linux.
    Unknown,
}

/// An open blob, which is a regular file.
#[derive(Debug)]
pub(super) struct BlobFile {
    pub(super) file: File,
    /// In bytes, when it was opened.
    pub(super) length: u64,
    pub(super) modified: std::time::SystemTime,
    pub(super) cache: Cache,
}

impl Tree {
    /// `root` is canonical.
    pub(super) fn new(root: PathBuf) -> Self {
        Self {
            lookup: lookup(&root),
            cache: cache(&root),
            root: root.into(),
        }
    }

    pub(super) fn root(&self) -> &FilePath {
        &self.root
    }

    /// Whether the file system says what it has in memory.
    pub(super) fn cache(&self) -> Cache {
        self.cache
    }

    /// Opens a blob; may wait for the disk.
    pub(super) fn open_blob(&self, id: BlobId) -> Result<BlobFile, BlobError> {
        self.open(&layout::blob_place(id), READ, Mode::empty())
            .and_then(|file| regular(file, Cache::Unknown))
            .map_err(|error| blob_error(id, error))
    }

    /// Opens a blob if the kernel has its directory entries cached; `None` if it would have to wait.
    #[cfg(target_os = "linux")]
    pub(super) fn open_cached_blob(&self, id: BlobId) -> Option<Result<BlobFile, BlobError>> {
        use rustix::fs::{ResolveFlags, openat2};
        if self.cache == Cache::Unknown || self.lookup == Lookup::Stepwise {
            return None;
        }
        let path = layout::blob_file(&self.root, id);
        // Without NOATIME a read may write the access time.
        let opened = openat2(
            CWD,
            &path,
            READ | OFlags::NOATIME,
            Mode::empty(),
            ResolveFlags::NO_SYMLINKS | ResolveFlags::CACHED,
        );
        match opened.and_then(|file| regular(file, Cache::Usable)) {
            Ok(file) => Some(Ok(file)),
            // Not in memory, or a file of another owner.
            Err(Errno::AGAIN | Errno::PERM) => None,
            Err(error) => Some(Err(blob_error(id, error))),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn open_cached_blob(&self, _: BlobId) -> Option<Result<BlobFile, BlobError>> {
        None
    }

    /// Creates the file of a blob. Fails if its name exists.
    pub(super) fn create_blob(&self, id: BlobId) -> io::Result<File> {
        Ok(self
            .open(&layout::blob_place(id), CREATE, FILE_MODE)?
            .into())
    }

    /// Opens a regular file below the root.
    pub(super) fn open_file(&self, place: &FilePath) -> io::Result<BlobFile> {
        let file = self.open(place, READ, Mode::empty())?;
        Ok(regular(file, Cache::Unknown)?)
    }

    /// Opens a directory below the root.
    pub(super) fn directory(&self, place: &FilePath) -> io::Result<OwnedFd> {
        Ok(self.open(place, DIRECTORY, Mode::empty())?)
    }

    /// The directory of a batch.
    pub(super) fn batch(&self, batch: BlobBatchId) -> io::Result<OwnedFd> {
        self.directory(&layout::batch_place(batch))
    }

    /// Makes the names in a directory below the root durable.
    pub(super) fn sync_directory(&self, place: &FilePath) -> rustix::io::Result<()> {
        rustix::fs::fsync(self.open(place, DIRECTORY, Mode::empty())?)
    }

    /// Makes the name of a directory below the root durable, and those of the directories above it.
    pub(super) fn sync_directories_above(&self, place: &FilePath) -> rustix::io::Result<()> {
        let mut above = place.ancestors().skip(1);
        above.try_for_each(|place| self.sync_directory(place))
    }

    /// Opens a directory below the root; makes it, and those above it, durably where they are missing.
    pub(super) fn make_directory(&self, place: &FilePath) -> io::Result<OwnedFd> {
        match self.directory(place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
        let mut directory = rustix::fs::open(&*self.root, DIRECTORY, Mode::empty())?;
        for name in place {
            match rustix::fs::mkdirat(&directory, name, DIRECTORY_MODE) {
                Ok(()) => rustix::fs::fsync(&directory)?,
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            directory = rustix::fs::openat(&directory, name, DIRECTORY, Mode::empty())?;
        }
        Ok(directory)
    }

    fn open(&self, place: &FilePath, flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
        match self.lookup {
            #[cfg(target_os = "linux")]
            Lookup::AtOnce => rustix::fs::openat2(
                CWD,
                self.root.join(place),
                flags,
                mode,
                rustix::fs::ResolveFlags::NO_SYMLINKS,
            ),
            Lookup::Stepwise => self.open_stepwise(place, flags, mode),
        }
    }

    fn open_stepwise(
        &self,
        place: &FilePath,
        flags: OFlags,
        mode: Mode,
    ) -> rustix::io::Result<OwnedFd> {
        let mut directory = rustix::fs::openat(CWD, &*self.root, DIRECTORY, Mode::empty())?;
        let mut names = place.iter().peekable();
        while let Some(name) = names.next() {
            if names.peek().is_none() {
                return rustix::fs::openat(&directory, name, flags, mode);
            }
            directory = rustix::fs::openat(&directory, name, DIRECTORY, Mode::empty())?;
        }
        Ok(directory)
    }
}

/// Whether an error of opening means that the path is a link or of another kind than expected.
pub(super) fn is_foreign(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(
        errno,
        Some(Errno::LOOP | Errno::NOTDIR | Errno::NXIO | Errno::ISDIR)
    )
}

/// When a file was last written.
pub(super) fn modified(status: &rustix::fs::Stat) -> std::time::SystemTime {
    let since = std::time::Duration::new(
        u64::try_from(status.st_mtime).unwrap_or_default(),
        u32::try_from(status.st_mtime_nsec).unwrap_or_default(),
    );
    std::time::UNIX_EPOCH + since
}

fn regular(file: OwnedFd, cache: Cache) -> rustix::io::Result<BlobFile> {
    let status = rustix::fs::fstat(&file)?;
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
        return Err(Errno::NXIO);
    }
    Ok(BlobFile {
        file: file.into(),
        length: u64::try_from(status.st_size).unwrap_or_default(),
        modified: modified(&status),
        cache,
    })
}

pub(super) fn blob_error(id: BlobId, error: Errno) -> BlobError {
    let error = io::Error::from(error);
    if is_foreign(&error) {
        BlobError::NotAFile { id }
    } else {
        BlobError::from_file(id, error)
    }
}

#[cfg(target_os = "linux")]
fn lookup(root: &FilePath) -> Lookup {
    use rustix::fs::{ResolveFlags, openat2};
    let tried = openat2(
        CWD,
        root,
        DIRECTORY,
        Mode::empty(),
        ResolveFlags::NO_SYMLINKS,
    );
    // An older kernel does not know the call; a sandbox may forbid it.
    match tried {
        Ok(_) => Lookup::AtOnce,
        Err(_) => Lookup::Stepwise,
    }
}

#[cfg(not(target_os = "linux"))]
fn lookup(_: &FilePath) -> Lookup {
    Lookup::Stepwise
}

/// File systems of a local disk or of memory, whose cached files are opened and read without I/O: ext2 to ext4, XFS,
/// Btrfs, F2FS, bcachefs, tmpfs, ramfs, and overlays, which containers have.
#[cfg(target_os = "linux")]
const LOCAL_FILE_SYSTEMS: [u64; 8] = [
    0xef53,
    0x5846_5342,
    0x9123_683e,
    0xf2f5_2010,
    0xca45_1a4e,
    0x0102_1994,
    0x8584_58f6,
    0x794c_7630,
];

#[cfg(target_os = "linux")]
fn cache(root: &FilePath) -> Cache {
    // The width of this field depends on the architecture.
    let kind = rustix::fs::statfs(root).map(|system| (system.f_type as u64) & 0xffff_ffff);
    match kind {
        Ok(kind) if LOCAL_FILE_SYSTEMS.contains(&kind) => Cache::Usable,
        Ok(_) | Err(_) => Cache::Unknown,
    }
}

#[cfg(not(target_os = "linux"))]
fn cache(_: &FilePath) -> Cache {
    Cache::Unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: BlobId = BlobId::new(0x34, 1);

    /// Both ways to look something up.
    fn trees(root: &FilePath) -> [Tree; 2] {
        let root = std::fs::canonicalize(root).unwrap();
        let stepwise = Tree {
            lookup: Lookup::Stepwise,
            ..Tree::new(root.clone())
        };
        [Tree::new(root), stepwise]
    }

    fn open(tree: &Tree) -> Vec<Result<BlobFile, BlobError>> {
        let opened = [Some(tree.open_blob(ID)), tree.open_cached_blob(ID)];
        opened.into_iter().flatten().collect()
    }

    #[test]
    fn only_regular_files_are_blobs() {
        let directory = tempfile::tempdir().unwrap();
        let outside = directory.path().join("outside");
        std::fs::write(&outside, "secret").unwrap();
        let root = directory.path().join("store");
        let blob = layout::blob_file(&root, ID);
        let folder = blob.parent().unwrap().to_owned();
        std::fs::create_dir_all(&folder).unwrap();
        for tree in trees(&root) {
            assert!(matches!(
                tree.open_blob(ID),
                Err(BlobError::NotFound { id: ID })
            ));
            std::fs::write(&blob, "content").unwrap();
            for opened in open(&tree) {
                assert_eq!(opened.unwrap().length, 7);
            }
            std::fs::remove_file(&blob).unwrap();
            type Make = fn(&FilePath, &FilePath);
            let foreign: [Make; 3] = [
                |blob, outside| std::os::unix::fs::symlink(outside, blob).unwrap(),
                |blob, _| {
                    let mode = Mode::from_raw_mode(0o600);
                    rustix::fs::mknodat(CWD, blob, FileType::Fifo, mode, 0).unwrap();
                },
                |blob, _| drop(std::os::unix::net::UnixListener::bind(blob).unwrap()),
            ];
            for make in foreign {
                make(&blob, &outside);
                for opened in open(&tree) {
                    assert!(
                        matches!(opened, Err(BlobError::NotAFile { id: ID })),
                        "{opened:?}"
                    );
                }
                std::fs::remove_file(&blob).unwrap();
            }
        }
    }

    #[test]
    fn directories_that_are_links_are_not_entered() {
        let directory = tempfile::tempdir().unwrap();
        let outside = directory.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        let root = directory.path().join("store");
        std::fs::create_dir_all(root.join("blobs")).unwrap();
        std::os::unix::fs::symlink(&outside, root.join("blobs/34")).unwrap();
        std::fs::write(layout::blob_file(&root, ID), "content").unwrap();
        for tree in trees(&root) {
            for opened in open(&tree) {
                assert!(
                    matches!(opened, Err(BlobError::NotAFile { id: ID })),
                    "{opened:?}"
                );
            }
            let place = layout::batch_place(ID.batch);
            for opened in [tree.directory(&place), tree.make_directory(&place)] {
                assert!(is_foreign(&opened.unwrap_err()));
            }
        }
    }
}
