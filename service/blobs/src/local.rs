//! Blobs as files of a directory: written, listed and deleted by directory handles, on threads that are waited for with
//! a time limit.

use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, Error, Extensions, GetOptions, GetResult, GetResultPayload,
    ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result, UploadPart,
};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, OFlags};

use super::disk_threads::{DiskThreads, Stalled, Work};
use super::tree::{FILE_MODE, Tree};

const NAME: &str = "local";

/// A local store: its directory, and the threads that work on it.
#[derive(Debug)]
pub(super) struct LocalDisk {
    pub(super) tree: Tree,
    pub(super) threads: DiskThreads,
}

impl LocalDisk {
    pub(super) fn new(root: PathBuf, patience: Duration) -> Self {
        Self {
            tree: Tree::new(root),
            threads: DiskThreads::new(patience),
        }
    }

    /// Runs `job` on a thread, whose result need not be undone.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: Work,
        limit: Duration,
        job: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, Stalled> {
        let disk = Arc::clone(self);
        self.threads
            .run(work, limit, move || job(&disk), drop)
            .await
    }
}

/// The files of a local store, as far as writing blobs and the marker needs them. Blobs are read, listed and deleted
/// without this.
#[derive(Clone, Debug)]
pub(super) struct LocalFiles(pub(super) Arc<LocalDisk>);

/// A file that is being written: `NAME#ATTEMPT` beside its final name.
#[derive(Debug)]
struct Staged {
    directory: OwnedFd,
    file: File,
    staging: PathBuf,
    name: PathBuf,
}

impl Staged {
    fn create(tree: &Tree, place: &FilePath) -> io::Result<Self> {
        let parent = place.parent().unwrap_or(FilePath::new(""));
        let name = PathBuf::from(place.file_name().unwrap_or_default());
        let directory = tree.make_directory(parent)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mut attempt = 1_u32;
        loop {
            let mut staging = name.clone().into_os_string();
            staging.push(format!("#{attempt}"));
            match rustix::fs::openat(&directory, &staging, flags, FILE_MODE) {
                Ok(file) => {
                    return Ok(Self {
                        directory,
                        file: file.into(),
                        staging: staging.into(),
                        name,
                    });
                }
                Err(rustix::io::Errno::EXIST) => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Makes the file durable under its name. On an error nothing of it stays, as far as the disk allows.
    fn publish(&self, mode: &PutMode) -> io::Result<()> {
        let published = self.try_publish(mode);
        if published.is_err() {
            self.discard();
        }
        published
    }

    fn try_publish(&self, mode: &PutMode) -> io::Result<()> {
        self.file.sync_all()?;
        let (directory, staging, name) = (&self.directory, &self.staging, &self.name);
        match mode {
            // Fails if the name exists.
            PutMode::Create => {
                rustix::fs::linkat(directory, staging, directory, name, AtFlags::empty())?;
                rustix::fs::unlinkat(directory, staging, AtFlags::empty())?;
            }
            PutMode::Overwrite | PutMode::Update(_) => {
                rustix::fs::renameat(directory, staging, directory, name)?;
            }
        }
        Ok(rustix::fs::fsync(directory)?)
    }

    /// Removes what was written. A failure leaves a file that the next start removes.
    fn discard(&self) {
        let removed = rustix::fs::unlinkat(&self.directory, &self.staging, AtFlags::empty());
        if let Err(error) = removed {
            tracing::debug!(file = %self.staging.display(), %error, "cannot remove an unfinished file");
        }
    }

    /// Removes the published file, which nothing refers to yet.
    fn take_back(&self) {
        let removed = rustix::fs::unlinkat(&self.directory, &self.name, AtFlags::empty());
        if let Err(error) = removed {
            tracing::warn!(file = %self.name.display(), %error, "cannot remove a blob that was written too late");
        }
    }
}

fn place(location: &Path) -> PathBuf {
    location
        .parts()
        .map(|part| part.as_ref().to_owned())
        .collect()
}

fn store_error(location: &Path, error: io::Error) -> Error {
    let path = location.to_string();
    match error.kind() {
        io::ErrorKind::NotFound => Error::NotFound {
            path,
            source: error.into(),
        },
        io::ErrorKind::AlreadyExists => Error::AlreadyExists {
            path,
            source: error.into(),
        },
        _ => Error::Generic {
            store: NAME,
            source: error.into(),
        },
    }
}

fn stalled(error: Stalled) -> Error {
    Error::Generic {
        store: NAME,
        source: io::Error::from(error).into(),
    }
}

fn not_implemented(operation: &str) -> Error {
    Error::NotImplemented {
        operation: operation.to_owned(),
        implementer: NAME.to_owned(),
    }
}

fn put_result() -> PutResult {
    PutResult {
        e_tag: None,
        version: None,
        extensions: Extensions::default(),
    }
}

impl fmt::Display for LocalFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{NAME}({})", self.0.tree.root().display())
    }
}

#[async_trait]
impl ObjectStore for LocalFiles {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if matches!(options.mode, PutMode::Update(_)) || !options.attributes.is_empty() {
            return Err(not_implemented("put with a version or attributes"));
        }
        let limit = self.0.threads.limit(payload.content_length() as u64);
        let (disk, path) = (Arc::clone(&self.0), place(location));
        let job = move || -> io::Result<Staged> {
            let mut staged = Staged::create(&disk.tree, &path)?;
            if let Err(error) = payload
                .iter()
                .try_for_each(|piece| staged.file.write_all(piece))
            {
                staged.discard();
                return Err(error);
            }
            staged.publish(&options.mode)?;
            Ok(staged)
        };
        let undo = |written: io::Result<Staged>| {
            if let Ok(staged) = written {
                staged.take_back();
            }
        };
        let written = self.0.threads.run(Work::Write, limit, job, undo).await;
        written
            .map_err(stalled)?
            .map(|_| put_result())
            .map_err(|error| store_error(location, error))
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let limit = self.0.threads.limit(0);
        let (disk, path) = (Arc::clone(&self.0), place(location));
        let job = move || Staged::create(&disk.tree, &path);
        let undo = |begun: io::Result<Staged>| {
            if let Ok(staged) = begun {
                staged.discard();
            }
        };
        let begun = self.0.threads.run(Work::Write, limit, job, undo).await;
        let staged = begun
            .map_err(stalled)?
            .map_err(|error| store_error(location, error))?;
        Ok(Box::new(LocalUpload {
            threads: self.0.threads.clone(),
            location: location.clone(),
            staged: Arc::new(staged),
            length: 0,
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let path = place(location);
        let read = move |disk: &LocalDisk| -> io::Result<_> {
            let opened = disk.tree.open_file(&path)?;
            let mut bytes = vec![0; usize::try_from(opened.length).unwrap_or_default()];
            opened.file.read_exact_at(&mut bytes, 0)?;
            Ok((bytes, opened.modified))
        };
        let limit = self.0.threads.limit(0);
        let (bytes, modified) = (self.0.run(Work::Read, limit, read).await)
            .map_err(stalled)?
            .map_err(|error| store_error(location, error))?;
        let meta = ObjectMeta {
            location: location.clone(),
            last_modified: modified.into(),
            size: bytes.len() as u64,
            e_tag: None,
            version: None,
        };
        options.check_preconditions(&meta)?;
        if options.range.is_some() {
            return Err(not_implemented("get of a range"));
        }
        let range = 0..meta.size;
        let whole = stream::iter([Ok(Bytes::from(bytes))]).boxed();
        Ok(GetResult {
            payload: GetResultPayload::Stream(whole),
            meta,
            range,
            attributes: Attributes::default(),
            extensions: Extensions::default(),
        })
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        stream::iter([Err(not_implemented("delete"))]).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::iter([Err(not_implemented("list"))]).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(not_implemented("list with a delimiter"))
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(not_implemented("copy"))
    }
}

/// A file that is written in consecutive parts.
#[derive(Debug)]
struct LocalUpload {
    threads: DiskThreads,
    location: Path,
    staged: Arc<Staged>,
    length: u64,
}

#[async_trait]
impl MultipartUpload for LocalUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let mut offset = self.length;
        let length = data.content_length() as u64;
        self.length += length;
        let (threads, staged) = (self.threads.clone(), Arc::clone(&self.staged));
        let location = self.location.clone();
        async move {
            let job = move || -> io::Result<()> {
                for piece in &data {
                    staged.file.write_all_at(piece, offset)?;
                    offset += piece.len() as u64;
                }
                Ok(())
            };
            let written = threads
                .run(Work::Write, threads.limit(length), job, drop)
                .await;
            written
                .map_err(stalled)?
                .map_err(|error| store_error(&location, error))
        }
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let staged = Arc::clone(&self.staged);
        let job = move || staged.publish(&PutMode::Overwrite);
        let late = Arc::clone(&self.staged);
        let undo = move |published: io::Result<()>| {
            if published.is_ok() {
                late.take_back();
            }
        };
        // Syncing may write all of it.
        let limit = self.threads.limit(self.length);
        let published = self.threads.run(Work::Write, limit, job, undo).await;
        published
            .map_err(stalled)?
            .map(|()| put_result())
            .map_err(|error| store_error(&self.location, error))
    }

    async fn abort(&mut self) -> Result<()> {
        let staged = Arc::clone(&self.staged);
        let limit = self.threads.limit(0);
        let removed = self
            .threads
            .run(Work::Upkeep, limit, move || staged.discard(), drop)
            .await;
        removed.map_err(stalled)
    }
}

#[cfg(test)]
mod tests;
