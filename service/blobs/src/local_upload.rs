//! A blob that is written to a local store part by part, while more of it arrives.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use async_trait::async_trait;
use futures::FutureExt;
use object_store::path::Path;
use object_store::{MultipartUpload, PutPayload, PutResult, Result, UploadPart};

use super::disk_threads::{DiskAnswer, Work};
use super::local::{LocalDisk, put_result, stalled, store_error};
use super::new_file::NewFile;
use bucketry_domain::BlobId;

/// A blob that is written in consecutive parts, one at a time.
#[derive(Debug)]
pub(super) struct LocalUpload {
    disk: Arc<LocalDisk>,
    location: Path,
    file: Arc<SharedFile>,
    length: u64,
}

#[derive(Debug)]
struct SharedFile {
    /// Locked while a part is written.
    file: Mutex<UploadFile>,
    is_aborted: AtomicBool,
}

#[derive(Debug)]
enum UploadFile {
    /// The first part creates it.
    Expected(BlobId),
    Open(NewFile),
    /// Completed or given up.
    Closed,
}

impl UploadFile {
    fn append(&mut self, disk: &LocalDisk, data: &PutPayload) -> io::Result<()> {
        if let Self::Expected(id) = self {
            *self = Self::Open(disk.create(*id)?);
        }
        match self {
            Self::Open(file) => file.write(data.iter()),
            Self::Expected(_) | Self::Closed => Err(closed()),
        }
    }

    /// Takes the file out: no part is written any more.
    fn close(&mut self) -> Option<NewFile> {
        match std::mem::replace(self, Self::Closed) {
            Self::Open(file) => Some(file),
            Self::Expected(_) | Self::Closed => None,
        }
    }
}

impl SharedFile {
    fn append(&self, disk: &LocalDisk, data: &PutPayload) -> io::Result<()> {
        let written = self.lock().append(disk, data);
        // If it was aborted before the lock was released, nobody else removes the file.
        if self.is_aborted.load(Ordering::SeqCst) {
            remove(disk, self.lock().close());
        }
        written
    }

    /// Removes the file, or leaves that to the part that is being written: a disk that hangs must not hang the thread too.
    fn abort(&self, disk: &LocalDisk) {
        self.is_aborted.store(true, Ordering::SeqCst);
        let file = match self.file.try_lock() {
            Ok(mut file) => file.close(),
            Err(TryLockError::Poisoned(file)) => file.into_inner().close(),
            Err(TryLockError::WouldBlock) => None,
        };
        remove(disk, file);
    }

    /// A panic while the file was held fails the upload: its task has ended badly.
    fn lock(&self) -> MutexGuard<'_, UploadFile> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remove(disk: &LocalDisk, file: Option<NewFile>) {
    if let Some(file) = file {
        file.remove(&disk.tree);
    }
}

fn closed() -> io::Error {
    io::Error::other("the upload has no file, or has ended")
}

impl LocalUpload {
    pub(super) fn new(disk: Arc<LocalDisk>, location: Path, id: BlobId) -> Self {
        Self {
            disk,
            location,
            file: Arc::new(SharedFile {
                file: Mutex::new(UploadFile::Expected(id)),
                is_aborted: AtomicBool::new(false),
            }),
            length: 0,
        }
    }
}

#[async_trait]
impl MultipartUpload for LocalUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let length = data.content_length() as u64;
        self.length += length;
        let (disk, file) = (Arc::clone(&self.disk), Arc::clone(&self.file));
        let location = self.location.clone();
        async move {
            let limit = disk.threads.limit(length);
            let append = move |disk: &LocalDisk| file.append(disk, &data);
            let written = disk.run(Work::Write, limit, append).await;
            written
                .map_err(stalled)?
                .map_err(|error| store_error(&location, error))
        }
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let (disk, file) = (Arc::clone(&self.disk), Arc::clone(&self.file));
        let job = move |answer: DiskAnswer<io::Result<()>>| {
            let file = file.lock().close();
            match file {
                Some(file) => disk.finish(file, answer),
                None => {
                    let _gone = answer.send(Err(closed()));
                }
            }
        };
        // Syncing may write all of it.
        let threads = &self.disk.threads;
        let limit = threads.limit(self.length);
        let published = threads.run_until_answered(Work::Write, limit, job).await;
        published
            .map_err(stalled)?
            .map(|()| put_result())
            .map_err(|error| store_error(&self.location, error))
    }

    async fn abort(&mut self) -> Result<()> {
        let file = Arc::clone(&self.file);
        let limit = self.disk.threads.limit(0);
        let discard = move |disk: &LocalDisk| file.abort(disk);
        let removed = self.disk.run(Work::Upkeep, limit, discard).await;
        removed.map_err(stalled)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::layout;

    #[test]
    fn an_abort_does_not_wait_for_a_part_which_then_removes_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(directory.path()).unwrap();
        let disk = LocalDisk::new(root.clone(), Duration::from_secs(1));
        let id = BlobId::new(1, 1);
        let place = root.join(layout::blob_place(id));
        let file = SharedFile {
            file: Mutex::new(UploadFile::Expected(id)),
            is_aborted: AtomicBool::new(false),
        };
        file.append(&disk, &PutPayload::from_static(b"first"))
            .unwrap();
        let part = file.lock();
        file.abort(&disk);
        assert!(place.exists());
        drop(part);
        // What a part does at its end.
        let _late = file.append(&disk, &PutPayload::from_static(b"late"));
        assert!(!place.exists());
        let ended = file.append(&disk, &PutPayload::from_static(b"more"));
        assert!(ended.is_err() && !place.exists());
    }
}
