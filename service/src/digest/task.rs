//! Digests of a body while it is being written.

use bytes::Bytes;
use tokio::task::JoinHandle;

use super::digests::{DigestSet, DigestValues, Digests};

/// Up to this many bytes are digested where they arrive: waking another thread would cost more.
const INLINE_LENGTH: u64 = 1024 * 1024;

/// Bytes that travel to the other thread at once.
const BATCH_LENGTH: usize = 512 * 1024;

/// Pieces that travel at once, however small they are: a handle costs memory too.
const BATCH_PIECES: usize = 256;

/// The runtime ended while data was being digested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("digesting was interrupted")]
pub struct DigestInterrupted;

/// Digests a body piece by piece; beyond 1 MiB on a blocking thread, so that it overlaps with
/// receiving and writing.
///
/// A thread is occupied only while there is a batch to digest, never while a slow client makes
/// the body wait: uploads cannot use the blocking threads up. At most 1 MiB is held, and
/// [`update`](Self::update) waits when digesting falls behind.
#[derive(Debug)]
pub struct DigestTask {
    digests: Place,
    batch: Vec<Bytes>,
    batched: usize,
    seen: u64,
}

#[derive(Debug)]
enum Place {
    Here(Box<Digests>),
    Away(JoinHandle<Box<Digests>>),
    Lost,
}

impl DigestTask {
    /// Begins the digests of `set`.
    #[must_use]
    pub fn new(set: DigestSet) -> Self {
        Self {
            digests: Place::Here(Box::new(Digests::new(set))),
            batch: Vec::new(),
            batched: 0,
            seen: 0,
        }
    }

    /// Takes `data` in. Must be called on a Tokio runtime.
    ///
    /// # Errors
    ///
    /// [`DigestInterrupted`]: the runtime is shutting down.
    pub async fn update(&mut self, data: Bytes) -> Result<(), DigestInterrupted> {
        self.seen += data.len() as u64;
        if self.seen <= INLINE_LENGTH
            && let Place::Here(digests) = &mut self.digests
        {
            digests.update(&data);
            return Ok(());
        }
        self.batched += data.len();
        self.batch.push(data);
        if self.batched >= BATCH_LENGTH || self.batch.len() >= BATCH_PIECES {
            self.send_batch().await?;
        }
        Ok(())
    }

    /// The values over all data taken in.
    ///
    /// # Errors
    ///
    /// As of [`update`](Self::update).
    pub async fn finish(mut self) -> Result<DigestValues, DigestInterrupted> {
        let mut digests = self.take_back().await?;
        for piece in &self.batch {
            digests.update(piece);
        }
        Ok(digests.finish())
    }

    async fn send_batch(&mut self) -> Result<(), DigestInterrupted> {
        let mut digests = self.take_back().await?;
        let batch = std::mem::take(&mut self.batch);
        self.batched = 0;
        self.digests = Place::Away(tokio::task::spawn_blocking(move || {
            for piece in &batch {
                digests.update(piece);
            }
            digests
        }));
        Ok(())
    }

    async fn take_back(&mut self) -> Result<Box<Digests>, DigestInterrupted> {
        // Awaited in place, so that a caller who gives up waiting does not lose the digests.
        if let Place::Away(handle) = &mut self.digests {
            let digests = handle.await.map_err(|_| DigestInterrupted)?;
            self.digests = Place::Here(digests);
        }
        match std::mem::replace(&mut self.digests, Place::Lost) {
            Place::Here(digests) => Ok(digests),
            Place::Away(_) | Place::Lost => Err(DigestInterrupted),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::ChecksumAlgorithm;

    const SET: DigestSet = DigestSet::md5_only()
        .with(ChecksumAlgorithm::Crc64Nvme)
        .with(ChecksumAlgorithm::Sha256);

    fn data(length: usize) -> Bytes {
        (0..length).map(|i| (i * 31 + i / 251) as u8).collect()
    }

    async fn digest(data: &Bytes, piece: usize) -> DigestValues {
        let mut task = DigestTask::new(SET);
        let mut rest = data.clone();
        while !rest.is_empty() {
            task.update(rest.split_to(piece.min(rest.len())))
                .await
                .unwrap();
        }
        task.finish().await.unwrap()
    }

    fn straight(data: &Bytes) -> DigestValues {
        let mut digests = Digests::new(SET);
        digests.update(data);
        digests.finish()
    }

    #[tokio::test]
    async fn lengths_around_the_thresholds() {
        let inline = INLINE_LENGTH as usize;
        for length in [
            0,
            1,
            inline - 1,
            inline,
            inline + 1,
            inline + BATCH_LENGTH,
            5 * inline + 3,
        ] {
            let data = data(length);
            for piece in [1000, 65_536, 3 * inline] {
                assert_eq!(
                    digest(&data, piece).await,
                    straight(&data),
                    "{length} {piece}"
                );
            }
        }
    }

    #[tokio::test]
    async fn small_bodies_stay_on_the_thread_and_large_ones_leave_it() {
        let mut task = DigestTask::new(SET);
        task.update(data(INLINE_LENGTH as usize)).await.unwrap();
        assert!(matches!(task.digests, Place::Here(_)) && task.batch.is_empty());
        task.update(data(BATCH_LENGTH)).await.unwrap();
        assert!(matches!(task.digests, Place::Away(_)) && task.batch.is_empty());
    }

    #[tokio::test]
    async fn single_bytes_are_not_hoarded() {
        let mut task = DigestTask::new(SET);
        task.update(data(INLINE_LENGTH as usize)).await.unwrap();
        for _ in 0..3 * BATCH_PIECES {
            task.update(Bytes::from_static(b"x")).await.unwrap();
            assert!(task.batch.len() < BATCH_PIECES);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_pieces_give_the_same_values(length in 0_usize..4_000_000, piece in 500_usize..900_000) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let data = data(length);
            prop_assert_eq!(runtime.block_on(digest(&data, piece)), straight(&data));
        }
    }
}
