//! Blobs as files of a directory: written, listed and deleted by directory handles, on threads that are waited for with
//! a time limit.

use std::fmt;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, Error, Extensions, GetOptions, GetResult, GetResultPayload,
    ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result,
};

use super::directory_syncs::DirectorySyncs;
use super::disk_threads::{DiskAnswer, DiskThreads, Stalled, Work};
use super::layout::StoreLayout;
use super::local_upload::LocalUpload;
use super::new_file::NewFile;
use super::room::LastCheck;
use super::staged::Staged;
use super::tree::Tree;
use bucketry_domain::BlobId;

const NAME: &str = "local";

/// A local store: its directory, and the threads that work on it.
#[derive(Debug)]
pub(super) struct LocalDisk {
    pub(super) tree: Tree,
    pub(super) threads: DiskThreads,
    pub(super) last_check: LastCheck,
    syncs: DirectorySyncs,
}

impl LocalDisk {
    pub(super) fn new(root: PathBuf, patience: Duration) -> Self {
        Self {
            tree: Tree::new(root),
            threads: DiskThreads::new(patience),
            last_check: LastCheck::new(),
            syncs: DirectorySyncs::new(),
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

    pub(super) fn create(&self, id: BlobId) -> io::Result<NewFile> {
        NewFile::create(&self.tree, &self.syncs, id)
    }

    /// Makes a file durable and answers, on this thread or on that of another file of the directory. On an error, and if
    /// no one waits for the answer, nothing of the file stays, as far as the disk allows.
    pub(super) fn finish(&self, file: NewFile, answer: DiskAnswer<io::Result<()>>) {
        if let Err(error) = file.sync() {
            file.remove(&self.tree);
            // If no one waits any more, the file is gone all the same.
            let _gone = answer.send(Err(error));
            return;
        }
        let batch = file.id().batch;
        let after = move |tree: &Tree, synced: rustix::io::Result<()>| {
            if synced.is_err() {
                file.remove(tree);
            }
            if let Err(Ok(())) = answer.send(synced.map_err(io::Error::from)) {
                file.remove(tree);
            }
        };
        self.syncs.sync(&self.tree, batch, after);
    }
}

/// The files of a local store, as far as writing blobs and the marker needs them. Blobs are read, listed and deleted
/// without this.
#[derive(Clone, Debug)]
pub(super) struct LocalFiles(pub(super) Arc<LocalDisk>);

fn place(location: &Path) -> PathBuf {
    location
        .parts()
        .map(|part| part.as_ref().to_owned())
        .collect()
}

pub(super) fn store_error(location: &Path, error: io::Error) -> Error {
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

pub(super) fn stalled(error: Stalled) -> Error {
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

pub(super) fn put_result() -> PutResult {
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
        let disk = Arc::clone(&self.0);
        let written = match (&options.mode, StoreLayout::parse(location)) {
            (PutMode::Create, Some(id)) => {
                let job = move |answer| put_blob(&disk, id, &payload, answer);
                let threads = &self.0.threads;
                threads.run_until_answered(Work::Write, limit, job).await
            }
            (PutMode::Create | PutMode::Overwrite | PutMode::Update(_), _) => {
                let path = place(location);
                let job = move || Staged::put(&disk.tree, &path, &payload, &options.mode);
                let undo = |written: io::Result<Staged>| {
                    if let Ok(staged) = written {
                        staged.take_back();
                    }
                };
                let written = self.0.threads.run(Work::Write, limit, job, undo).await;
                written.map(|written| written.map(drop))
            }
        };
        written
            .map_err(stalled)?
            .map(|()| put_result())
            .map_err(|error| store_error(location, error))
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let id = StoreLayout::parse(location);
        let id = id.ok_or_else(|| not_implemented("multipart upload of anything but a blob"))?;
        let disk = Arc::clone(&self.0);
        Ok(Box::new(LocalUpload::new(disk, location.clone(), id)))
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

fn put_blob(
    disk: &LocalDisk,
    id: BlobId,
    payload: &PutPayload,
    answer: DiskAnswer<io::Result<()>>,
) {
    let file = disk.create(id).and_then(|file| {
        let written = file.write(payload.iter());
        if written.is_err() {
            file.remove(&disk.tree);
        }
        written.map(|()| file)
    });
    match file {
        Ok(file) => disk.finish(file, answer),
        Err(error) => {
            // If no one waits any more, there is nothing to undo.
            let _gone = answer.send(Err(error));
        }
    }
}

#[cfg(test)]
mod tests;
