//! A blob that is written to a local store part by part, while more of it arrives.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    /// Locked while a part is written.
    file: Arc<Mutex<UploadFile>>,
    length: u64,
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

fn closed() -> io::Error {
    io::Error::other("the upload has no file, or has ended")
}

/// A panic while the file was held fails the upload: its task has ended badly.
fn lock(file: &Mutex<UploadFile>) -> MutexGuard<'_, UploadFile> {
    file.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LocalUpload {
    pub(super) fn new(disk: Arc<LocalDisk>, location: Path, id: BlobId) -> Self {
        Self {
            disk,
            location,
            file: Arc::new(Mutex::new(UploadFile::Expected(id))),
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
            let append = move |disk: &LocalDisk| lock(&file).append(disk, &data);
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
            let file = lock(&file).close();
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
        let discard = move |disk: &LocalDisk| {
            // Waits for a part that is still being written.
            if let Some(file) = lock(&file).close() {
                file.remove(&disk.tree);
            }
        };
        let removed = self.disk.run(Work::Upkeep, limit, discard).await;
        removed.map_err(stalled)
    }
}
