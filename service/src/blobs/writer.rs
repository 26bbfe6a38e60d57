//! Writing one blob.

use bytes::Bytes;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use tokio::sync::{OwnedSemaphorePermit, TryAcquireError};
use tokio::task::JoinSet;

use super::block::{BLOCK_LENGTH_USIZE, BlockEncoder};
use super::bounded::{UPKEEP_LIMIT, within};
use super::error::BlobError;
use super::store::{Backend, BlobStore, Remote};
use crate::domain::BlobId;

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
        self.in_flight.spawn(async move {
            let sent = store.bounded(length, sending).await;
            drop(granted);
            sent
        });
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
            // object_store writes the parts of a file one after the other in any case.
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
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let id = self.id;
        let mut in_flight = std::mem::take(&mut self.in_flight);
        runtime.spawn(async move {
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
mod tests {
    use std::path::Path as FilePath;
    use std::sync::Arc;
    use std::time::Duration;

    use futures::FutureExt;
    use proptest::prelude::*;
    use tokio::sync::Semaphore;

    use super::super::faults::{Call, Harm};
    use super::super::samples::{MIB, data, local, memory, read, whole, with_fault, write};
    use super::*;

    const ID: BlobId = BlobId::new(5, 9);

    fn files(directory: &FilePath) -> Vec<String> {
        let batch = directory.join("blobs/05");
        let Ok(entries) = std::fs::read_dir(batch) else {
            return Vec::new();
        };
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
        entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect()
    }

    /// The outcome of what hangs only where writers wait for each other for ever.
    async fn in_time<T>(work: impl Future<Output = T>) -> T {
        tokio::time::timeout(Duration::from_secs(20), work)
            .await
            .unwrap()
    }

    #[test]
    fn cloud_parts_hold_the_limit_and_no_more_are_sent() {
        let total: u64 = (0..CLOUD_PARTS)
            .map(|sent| cloud_part_length(sent) as u64)
            .sum();
        assert_eq!(total, CLOUD_BLOB_LIMIT);
        assert!((0..CLOUD_PARTS).all(|sent| cloud_part_length(sent) <= MAX_CLOUD_PART_LENGTH));
        assert_eq!(cloud_part_length(0), 8 * MIB);
        assert_eq!(cloud_part_length(CLOUD_PARTS - 1), MAX_CLOUD_PART_LENGTH);
    }

    #[tokio::test]
    async fn lengths_around_parts_and_blocks_round_trip() {
        let (_directory, local) = local();
        let lengths = [
            0,
            1,
            4096,
            262_143,
            262_144,
            262_145,
            MIB - 1,
            MIB,
            MIB + 1,
            2 * MIB,
            3 * MIB + 7,
        ];
        for store in [local, memory()] {
            for (index, length) in (0..).zip(lengths) {
                let id = BlobId::new(1, index);
                let data = data(length);
                write(&store, id, &data, 100_000).await.unwrap();
                let (bytes, error) = read(&store, &[whole(id, length)], 0..length as u64).await;
                assert!(error.is_none() && bytes == data, "{length} {error:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_blob_of_many_cloud_parts_round_trips() {
        let store = memory();
        let data = data(21 * MIB + 3);
        write(&store, ID, &data, 3 * MIB).await.unwrap();
        let (bytes, error) = read(&store, &[whole(ID, data.len())], 0..data.len() as u64).await;
        assert!(error.is_none() && bytes == data);
    }

    #[tokio::test]
    async fn an_id_is_written_once() {
        let (_directory, local) = local();
        for store in [local, memory()] {
            write(&store, ID, &data(10), 10).await.unwrap();
            let again = write(&store, ID, &data(11), 11).await;
            assert!(
                matches!(again, Err(BlobError::Exists { id: ID })),
                "{again:?}"
            );
            let (bytes, error) = read(&store, &[whole(ID, 10)], 0..10).await;
            assert!(error.is_none() && bytes == data(10));
        }
    }

    #[tokio::test]
    async fn announced_lengths_are_enforced() {
        let (directory, store) = local();
        let mut long = store.writer(ID, Some(5));
        let refused = long.write(data(6)).await;
        assert!(matches!(
            refused,
            Err(BlobError::LengthMismatch {
                expected: 5,
                actual: 6,
                ..
            })
        ));
        assert!(matches!(
            long.write(data(1)).await,
            Err(BlobError::WriterFailed { .. })
        ));
        assert!(matches!(
            long.finish().await,
            Err(BlobError::WriterFailed { .. })
        ));
        let mut short = store.writer(ID, Some(5));
        short.write(data(4)).await.unwrap();
        let refused = short.finish().await;
        assert!(matches!(
            refused,
            Err(BlobError::LengthMismatch {
                expected: 5,
                actual: 4,
                ..
            })
        ));
        assert_eq!(files(directory.path()), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_write_given_up_half_way_does_not_count() {
        let (_directory, mut store) = local();
        store.write_memory = Arc::new(Semaphore::new(0));
        let mut writer = store.writer(ID, None);
        assert!(writer.write(data(10)).now_or_never().is_none());
        store.write_memory.add_permits(MIB);
        assert!(matches!(
            writer.finish().await,
            Err(BlobError::WriterFailed { .. })
        ));
    }

    #[tokio::test]
    async fn a_blob_too_long_for_a_cloud_is_refused_before_it_is_sent() {
        let mut store = memory();
        store.backend = Backend::Remote(Remote::Cloud);
        let mut writer = store.writer(ID, None);
        writer.length = CLOUD_BLOB_LIMIT;
        assert!(matches!(
            writer.write(data(1)).await,
            Err(BlobError::TooLong { .. })
        ));
    }

    #[tokio::test]
    async fn aborted_uploads_leave_nothing() {
        let (directory, store) = local();
        let mut writer = store.writer(ID, None);
        writer.write(data(3 * MIB)).await.unwrap();
        assert_eq!(files(directory.path()).len(), 1);
        writer.abort().await;
        assert_eq!(files(directory.path()), Vec::<String>::new());
    }

    #[tokio::test]
    async fn dropped_uploads_leave_nothing() {
        let (directory, store) = local();
        let memory_before = store.write_memory.available_permits();
        let mut writer = store.writer(ID, None);
        writer.write(data(3 * MIB)).await.unwrap();
        drop(writer);
        let gone = async {
            while !files(directory.path()).is_empty()
                || store.write_memory.available_permits() != memory_before
            {
                tokio::task::yield_now().await;
            }
        };
        in_time(gone).await;
    }

    /// Whatever call fails, and whether or not it had its effect: no success is reported.
    #[tokio::test]
    async fn a_failing_store_never_yields_a_written_blob() {
        let small = data(300_000);
        let large = data(4 * MIB + 5);
        for harm in [Harm::Refuse, Harm::FailAfterwards] {
            let cases = [
                (Call::Put, 0, &small),
                (Call::Begin, 0, &large),
                (Call::Complete, 0, &large),
            ];
            let parts = (0..5).map(|nth| (Call::Part, nth, &large));
            for (call, nth, data) in cases.into_iter().chain(parts) {
                let (directory, store) = local();
                let store = with_fault(store, call, nth, harm);
                let failed = write(&store, ID, data, 200_000).await;
                assert!(
                    matches!(failed, Err(BlobError::Store { .. })),
                    "{call:?} {nth}"
                );
                let swept = async {
                    while files(directory.path())
                        .iter()
                        .any(|name| name.contains('#'))
                    {
                        tokio::task::yield_now().await;
                    }
                };
                in_time(swept).await;
            }
        }
    }

    #[tokio::test]
    async fn a_store_that_loses_bytes_silently_is_found_out_on_reading() {
        for (call, length) in [(Call::Put, 300_000), (Call::Part, 3 * MIB)] {
            let (_directory, store) = local();
            let store = with_fault(store, call, 0, Harm::Truncate);
            let data = data(length);
            write(&store, ID, &data, MIB).await.unwrap();
            let (bytes, error) = read(&store, &[whole(ID, length)], 0..length as u64).await;
            assert!(data.starts_with(&bytes), "wrong bytes");
            assert!(
                matches!(error, Some(BlobError::Corrupt { id: ID, .. })),
                "{error:?}"
            );
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn many_writers_share_little_memory() {
        let (_directory, mut store) = local();
        let granted = 2 * MIB;
        store.write_memory = Arc::new(Semaphore::new(granted));
        store.write_memory_total = granted;
        let writers = (0..24).map(|index| {
            let store = store.clone();
            tokio::spawn(async move {
                let id = BlobId::new(2, index);
                let data = data(2 * MIB + index as usize * 1000);
                write(&store, id, &data, 70_000).await.unwrap();
                let extent = whole(id, data.len());
                let (bytes, error) = read(&store, &[extent], 0..extent.length).await;
                assert!(error.is_none() && bytes == data);
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            in_time(writer).await.unwrap();
        }
        assert_eq!(store.write_memory.available_permits(), granted);
    }

    /// Clients that stop sending must not keep others from writing.
    #[tokio::test]
    async fn idle_writers_do_not_starve_others() {
        let (_directory, mut store) = local();
        let granted = 2 * MIB;
        store.write_memory = Arc::new(Semaphore::new(granted));
        store.write_memory_total = granted;
        let mut idle = Vec::new();
        for index in 0..30 {
            let mut writer = store.writer(BlobId::new(3, index), None);
            in_time(writer.write(data(MIB / 2))).await.unwrap();
            idle.push(writer);
        }
        let data = data(3 * MIB);
        in_time(write(&store, ID, &data, 100_000)).await.unwrap();
        for (index, writer) in (0..).zip(idle) {
            assert_eq!(writer.finish().await.unwrap().id, BlobId::new(3, index));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_pieces_round_trip(
            length in 0..3 * MIB,
            pieces in prop::collection::vec(1..600_000_usize, 1..8),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let (_directory, store) = local();
            let data = data(length);
            runtime.block_on(async {
                let mut writer = store.writer(ID, None);
                let mut rest = data.clone();
                let mut pieces = pieces.iter().cycle();
                while !rest.is_empty() {
                    let piece = rest.len().min(*pieces.next().unwrap());
                    writer.write(rest.split_to(piece)).await.unwrap();
                }
                assert_eq!(writer.finish().await.unwrap().length, length as u64);
                let (bytes, error) = read(&store, &[whole(ID, length)], 0..length as u64).await;
                assert!(error.is_none() && bytes == data);
            });
        }
    }
}
