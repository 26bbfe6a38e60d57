//! Writing one blob.

use bucketry_edge::task;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use tokio::sync::{OwnedSemaphorePermit, TryAcquireError};
use tokio::task::JoinSet;

use super::block::{BLOCK_LENGTH_USIZE, BlockEncoder};
use super::bounded::{UPKEEP_LIMIT, within};
use super::error::BlobError;
use super::store::{Backend, BlobStore, Remote};
use bucketry_domain::BlobId;

/// Data in a part of a local upload, and in the largest blob that is written in one call: 1 MiB.
const LOCAL_PART_LENGTH: usize = 4 * BLOCK_LENGTH_USIZE;

/// Data in an early part of a cloud upload: 8 MiB. S3 asks for 5 at least.
const CLOUD_PART_LENGTH: usize = 32 * BLOCK_LENGTH_USIZE;

/// Data in the late parts of a long cloud upload: 64 MiB.
pub(super) const MAX_CLOUD_PART_LENGTH: usize = 256 * BLOCK_LENGTH_USIZE;

/// S3 takes no more parts than this in one upload.
const CLOUD_PARTS: usize = 10_000;

/// The longest blob in a cloud, in bytes of data: what `CLOUD_PARTS` parts hold.
const CLOUD_BLOB_LIMIT: u64 =
    1_000 * (CLOUD_PART_LENGTH as u64) * (1 + 2 + 4) + 7_000 * (MAX_CLOUD_PART_LENGTH as u64);

/// A blob that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobWritten {
    /// The blob.
    pub id: BlobId,
    /// The length of its data in bytes.
    pub length: u64,
}

/// Writes one blob; made by [`BlobStore::writer`].
///
/// After an error, and when dropped without [`finish`](Self::finish), nothing of the blob counts:
/// what had reached the store is removed in the background as far as possible, and the id must
/// not be used again.
#[derive(Debug)]
pub struct BlobWriter {
    store: BlobStore,
    id: BlobId,
    path: Path,
    expected: Option<u64>,
    length: u64,
    encoder: BlockEncoder,
    /// Data bytes in the encoder's payload.
    pending: usize,
    /// Memory granted for the pending bytes: at least as much.
    granted: Option<OwnedSemaphorePermit>,
    upload: Option<Box<dyn MultipartUpload>>,
    parts_sent: usize,
    in_flight: JoinSet<Result<(), object_store::Error>>,
    failed: bool,
}

impl BlobStore {
    /// Begins to write the blob `id`, which was reserved and never used. `expected` is the exact
    /// length of the data in bytes where it is known; it is then enforced.
    #[must_use]
    pub fn writer(&self, id: BlobId, expected: Option<u64>) -> BlobWriter {
        BlobWriter {
            store: self.clone(),
            id,
            path: self.layout.blob(id),
            expected,
            length: 0,
            encoder: BlockEncoder::new(id),
            pending: 0,
            granted: None,
            upload: None,
            parts_sent: 0,
            in_flight: JoinSet::new(),
            failed: false,
        }
    }
}

impl BlobWriter {
    /// The blob that is written.
    #[must_use]
    pub fn id(&self) -> BlobId {
        self.id
    }

    /// Appends `data`. Waits while the writers hold as much memory as they may.
    ///
    /// # Errors
    ///
    /// [`BlobError::LengthMismatch`] beyond the announced length, [`BlobError::TooLong`] beyond
    /// what a cloud takes (about 490 GiB), otherwise what the store says, possibly about bytes of
    /// an earlier call. The writer has then failed.
    pub async fn write(&mut self, data: Bytes) -> Result<(), BlobError> {
        self.ensure_working()?;
        // Failed until it is through, so that a call given up half-way is not taken for done.
        self.failed = true;
        self.write_pieces(data).await?;
        self.failed = false;
        Ok(())
    }

    /// Makes the blob durable and complete.
    ///
    /// # Errors
    ///
    /// [`BlobError::LengthMismatch`] where fewer bytes than announced were written, otherwise
    /// what the store says; the blob then does not count, even if it can be read.
    pub async fn finish(mut self) -> Result<BlobWritten, BlobError> {
        self.ensure_working()?;
        // Until the end the writer counts as failed, so that dropping this future cleans up.
        self.failed = true;
        if let Some(expected) = self.expected
            && self.length != expected
        {
            return Err(self.length_mismatch(expected, self.length));
        }
        self.encoder.close();
        if self.upload.is_some() {
            self.finish_parts().await?;
        } else {
            self.put_whole().await?;
        }
        self.failed = false;
        Ok(BlobWritten {
            id: self.id,
            length: self.length,
        })
    }

    /// Gives up. Returns when the store has removed, as far as it can, what it had received.
    pub async fn abort(mut self) {
        self.in_flight.shutdown().await;
        if let Some(mut upload) = self.upload.take() {
            discard(self.id, upload.as_mut()).await;
        }
    }

    async fn write_pieces(&mut self, mut data: Bytes) -> Result<(), BlobError> {
        let length = self.length.saturating_add(data.len() as u64);
        if let Some(expected) = self.expected
            && length > expected
        {
            return Err(self.length_mismatch(expected, length));
        }
        if length > self.limit() {
            return Err(BlobError::TooLong {
                id: self.id,
                limit: self.limit(),
            });
        }
        while !data.is_empty() {
            if self.pending >= self.part_length() {
                self.send_part().await?;
            }
            let room = self.part_length() - self.pending;
            let piece = data.split_to(data.len().min(room));
            self.reserve(piece.len()).await?;
            self.pending += piece.len();
            self.length += piece.len() as u64;
            self.encoder.push(piece);
        }
        if self.pending > 0 && self.is_memory_short() {
            self.send_part().await?;
        }
        Ok(())
    }

    /// Whether a local writer should not keep data for a fuller part. Half the memory may lie
    /// with clients that have stopped sending; the other half then keeps moving.
    fn is_memory_short(&self) -> bool {
        matches!(self.store.backend, Backend::Local(_))
            && self.store.write_memory.available_permits() < self.store.write_memory_total / 2
    }

    /// Makes sure that `more` pending bytes are granted.
    async fn reserve(&mut self, more: usize) -> Result<(), BlobError> {
        let granted = self
            .granted
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = (self.pending + more).saturating_sub(granted);
        if missing == 0 {
            return Ok(());
        }
        match self.store.backend {
            Backend::Local(_) => self.reserve_local(missing).await,
            // Cloud parts have a least size and cannot be sent early, so a writer that waited
            // with a part half full could wait for itself: the grant is for a whole part.
            Backend::Remote(_) => {
                let part = self.part_length();
                let part = self.expected.map_or(part, |expected| {
                    let left = expected.saturating_sub(self.length);
                    usize::try_from(left).map_or(part, |left| part.min(left))
                });
                self.acquire(part.max(missing)).await
            }
        }
    }

    /// A local part can be of any size: when memory is short, what is pending is sent first, so
    /// that no writer waits while it holds memory that only its own progress would free.
    async fn reserve_local(&mut self, missing: usize) -> Result<(), BlobError> {
        let memory = self.store.write_memory.clone();
        match memory.try_acquire_many_owned(missing as u32) {
            Ok(permit) => {
                self.grant(permit);
                Ok(())
            }
            Err(TryAcquireError::NoPermits | TryAcquireError::Closed) => {
                if self.pending > 0 {
                    self.send_part().await?;
                }
                self.acquire(missing).await
            }
        }
    }

    async fn acquire(&mut self, bytes: usize) -> Result<(), BlobError> {
        let memory = self.store.write_memory.clone();
        let permit = memory
            .acquire_many_owned(bytes as u32)
            .await
            .map_err(|_| BlobError::Interrupted { id: self.id })?;
        self.grant(permit);
        Ok(())
    }

    fn grant(&mut self, permit: OwnedSemaphorePermit) {
        match &mut self.granted {
            Some(granted) => granted.merge(permit),
            None => self.granted = Some(permit),
        }
    }

    /// Sends what is pending as the next part, in the background.
    async fn send_part(&mut self) -> Result<(), BlobError> {
        self.store.ensure_room_for(self.id).await?;
        while self.in_flight.len() >= self.parallel_parts() {
            self.next_part_sent().await?;
        }
        let upload = match &mut self.upload {
            Some(upload) => upload,
            None => {
                let begin = self.store.store.put_multipart(&self.path);
                let begun = self.store.bounded(0, begin).await;
                self.upload
                    .insert(begun.map_err(|error| BlobError::from_store(self.id, error))?)
            }
        };
        let payload = PutPayload::from_iter(self.encoder.take_payload());
        let granted = self.granted.take();
        let (store, length) = (self.store.clone(), payload.content_length() as u64);
        let sending = upload.put_part(payload);
        self.in_flight.spawn(task::named("send_part", async move {
            let sent = store.bounded(length, sending).await;
            drop(granted);
            sent
        }));
        self.parts_sent += 1;
        self.pending = 0;
        Ok(())
    }

    async fn next_part_sent(&mut self) -> Result<(), BlobError> {
        match self.in_flight.join_next().await {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(BlobError::from_store(self.id, error)),
            Some(Err(_)) => Err(BlobError::Interrupted { id: self.id }),
        }
    }

    async fn finish_parts(&mut self) -> Result<(), BlobError> {
        // The last checksum may be all that is left, when memory was short at a block's end.
        self.send_part().await?;
        while !self.in_flight.is_empty() {
            self.next_part_sent().await?;
        }
        if let Some(upload) = &mut self.upload {
            let complete = upload.complete();
            self.store
                .bounded(self.length, complete)
                .await
                .map_err(|error| BlobError::from_store(self.id, error))?;
        }
        self.upload = None;
        Ok(())
    }

    async fn put_whole(&mut self) -> Result<(), BlobError> {
        self.store.ensure_room_for(self.id).await?;
        let mode = match self.store.backend {
            Backend::Local(_) | Backend::Remote(Remote::Memory) => PutMode::Create,
            // object_store repeats a request whose answer was lost; a conditional one would then
            // be refused because of itself. Ids are not used twice in any case.
            Backend::Remote(Remote::Cloud) => PutMode::Overwrite,
        };
        let payload = PutPayload::from_iter(self.encoder.take_payload());
        let length = payload.content_length() as u64;
        let put = self.store.store.put_opts(&self.path, payload, mode.into());
        self.store
            .bounded(length, put)
            .await
            .map_err(|error| BlobError::from_store(self.id, error))?;
        Ok(())
    }

    fn ensure_working(&self) -> Result<(), BlobError> {
        if self.failed {
            Err(BlobError::WriterFailed { id: self.id })
        } else {
            Ok(())
        }
    }

    fn length_mismatch(&self, expected: u64, actual: u64) -> BlobError {
        BlobError::LengthMismatch {
            id: self.id,
            expected,
            actual,
        }
    }

    fn limit(&self) -> u64 {
        match self.store.backend {
            Backend::Local(_) | Backend::Remote(Remote::Memory) => u64::MAX,
            Backend::Remote(Remote::Cloud) => CLOUD_BLOB_LIMIT,
        }
    }

    fn part_length(&self) -> usize {
        match self.store.backend {
            Backend::Local(_) => LOCAL_PART_LENGTH,
            Backend::Remote(_) => cloud_part_length(self.parts_sent),
        }
    }

    fn parallel_parts(&self) -> usize {
        match self.store.backend {
            // They are appended to one file.
            Backend::Local(_) => 1,
            Backend::Remote(_) => 3,
        }
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        let Some(mut upload) = self.upload.take() else {
            return;
        };
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let id = self.id;
        let mut in_flight = std::mem::take(&mut self.in_flight);
        task::spawn("discard_upload", async move {
            // A part that arrives after the abort would stay in the store.
            in_flight.shutdown().await;
            discard(id, upload.as_mut()).await;
        });
    }
}

/// Removes the parts of an upload. A failure leaves garbage in the store, no harm to any object.
async fn discard(id: BlobId, upload: &mut dyn MultipartUpload) {
    if let Err(error) = within(UPKEEP_LIMIT, upload.abort()).await {
        tracing::debug!(%id, %error, "parts of an abandoned blob remain in the store");
    }
}

/// Data bytes in the part after `parts_sent` others. Doubles each thousand parts up to 64 MiB, so
/// that early parts are small and a long blob still fits into 10,000.
fn cloud_part_length(parts_sent: usize) -> usize {
    let doublings = (parts_sent / (CLOUD_PARTS / 10)).min(3);
    CLOUD_PART_LENGTH << doublings
}

#[cfg(test)]
mod tests;
