//! Reading ranges of objects.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::stream::{BoxStream, Stream};

use super::active::ActiveRead;
use super::block::BlockSpans;
use super::error::BlobError;
use super::extents::slice_extents;
use super::read_local::LocalReader;
use super::read_remote;
use super::store::{Backend, BlobStore};
use bucketry_catalog::model::Extent;

/// The verified bytes of a range, in order, in chunks of at most 256 KiB. Ends after an error.
pub struct BlobStream {
    source: Source,
    _active: ActiveRead,
}

enum Source {
    Local(LocalReader),
    Remote(BoxStream<'static, Result<Bytes, BlobError>>),
    Ended,
}

impl BlobStore {
    /// The bytes `range` of the data that lies in `extents`, as a stream. Blobs are opened when
    /// their turn comes; `active` was begun before the extents were looked up.
    ///
    /// On a local store the stream reads inline what the kernel has in memory: that costs less than
    /// waking a thread.
    ///
    /// # Errors
    ///
    /// [`BlobError::Range`] where `range` is not inside the extents. The stream yields
    /// [`BlobError::NotFound`], [`BlobError::Corrupt`], [`BlobError::Overdue`] and what the store
    /// says.
    pub fn read(
        &self,
        active: ActiveRead,
        extents: &[Extent],
        range: Range<u64>,
    ) -> Result<BlobStream, BlobError> {
        let slices = slice_extents(extents, &range)?;
        let source = match &self.backend {
            Backend::Local(disk) => Source::Local(LocalReader::new(
                Arc::clone(disk),
                self.buffers.clone(),
                slices,
            )),
            Backend::Remote(_) => Source::Remote(read_remote::stream(self.clone(), slices)),
        };
        Ok(BlobStream {
            source,
            _active: active,
        })
    }

    /// The bytes `range` of the data that lies in `extents`, if they lie in one block (which all
    /// data of a blob of up to 256 KiB does), without copying; `None` where they do not, or where
    /// `range` is empty. The extents were looked up while an [`ActiveRead`] was held.
    ///
    /// # Errors
    ///
    /// As of [`read`](Self::read) and its stream.
    pub async fn read_block(
        &self,
        extents: &[Extent],
        range: Range<u64>,
    ) -> Result<Option<Bytes>, BlobError> {
        let slices = slice_extents(extents, &range)?;
        let [extent] = slices.as_slice() else {
            return Ok(None);
        };
        let mut spans = BlockSpans::new(extent.offset, extent.length);
        let (Some(span), None) = (spans.next(), spans.next()) else {
            return Ok(None);
        };
        match &self.backend {
            Backend::Local(disk) => {
                let mut reader = LocalReader::new(Arc::clone(disk), self.buffers.clone(), slices);
                std::future::poll_fn(|context| reader.poll_next(context))
                    .await
                    .transpose()
            }
            Backend::Remote(_) => read_remote::fetch_block(self, *extent, span)
                .await
                .map(Some),
        }
    }
}

impl Stream for BlobStream {
    type Item = Result<Bytes, BlobError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = match &mut self.source {
            Source::Local(reader) => reader.poll_next(context),
            Source::Remote(stream) => stream.as_mut().poll_next(context),
            Source::Ended => Poll::Ready(None),
        };
        if matches!(next, Poll::Ready(None | Some(Err(_)))) {
            self.source = Source::Ended;
        }
        next
    }
}

impl std::fmt::Debug for BlobStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobStream").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::super::block::BLOCK_LENGTH_USIZE;
    use super::super::samples::{MIB, damage, data, local, memory, read, stored, whole, write};
    use super::*;
    use bucketry_domain::BlobId;

    const ID: BlobId = BlobId::new(5, 9);

    fn runtime() -> tokio::runtime::Runtime {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    }

    #[tokio::test]
    async fn a_missing_blob_is_told() {
        let (_directory, local) = local();
        for store in [local, memory()] {
            let (bytes, error) = read(&store, &[whole(ID, 5)], 0..5).await;
            assert!(bytes.is_empty() && matches!(error, Some(BlobError::NotFound { id: ID })));
            let block = store.read_block(&[whole(ID, 5)], 0..5).await;
            assert!(matches!(block, Err(BlobError::NotFound { id: ID })));
        }
    }

    #[tokio::test]
    async fn a_range_outside_is_refused() {
        let store = memory();
        let (_, error) = read(&store, &[whole(ID, 5)], 2..6).await;
        assert!(matches!(error, Some(BlobError::Range(_))), "{error:?}");
        assert!(store.read_block(&[whole(ID, 5)], 2..6).await.is_err());
    }

    #[tokio::test]
    async fn one_block_comes_without_a_stream() {
        let (_directory, local) = local();
        for store in [local, memory()] {
            let data = data(BLOCK_LENGTH_USIZE + 100);
            write(&store, ID, &data, 50_000).await.unwrap();
            let extents = [whole(ID, data.len())];
            let block = store.read_block(&extents, 10..1000).await.unwrap();
            assert_eq!(block, Some(data.slice(10..1000)));
            let last = BLOCK_LENGTH_USIZE as u64..data.len() as u64;
            let block = store.read_block(&extents, last).await.unwrap();
            assert_eq!(block, Some(data.slice(BLOCK_LENGTH_USIZE..)));
            let across = store
                .read_block(&extents, 0..data.len() as u64)
                .await
                .unwrap();
            assert_eq!(across, None);
            assert_eq!(store.read_block(&extents, 7..7).await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn a_read_counts_as_active_until_its_stream_goes() {
        let (_directory, store) = local();
        write(&store, ID, &data(10), 10).await.unwrap();
        let begun = std::time::Instant::now();
        let stream = store
            .read(store.begin_read(begun), &[whole(ID, 10)], 0..10)
            .unwrap();
        assert_eq!(store.oldest_read_at(), Some(begun));
        drop(stream);
        assert_eq!(store.oldest_read_at(), None);
    }

    #[tokio::test]
    async fn an_extent_longer_than_its_blob_is_corrupt() {
        let (_directory, local) = local();
        for store in [local, memory()] {
            let lengths = [100, BLOCK_LENGTH_USIZE, 16 * BLOCK_LENGTH_USIZE];
            for (index, length) in (0..).zip(lengths) {
                let id = BlobId::new(6, index);
                let data = data(length);
                write(&store, id, &data, MIB).await.unwrap();
                let (bytes, error) =
                    read(&store, &[whole(id, length + 1)], 0..length as u64 + 1).await;
                assert!(data.starts_with(&bytes));
                assert!(
                    matches!(error, Some(BlobError::Corrupt { .. })),
                    "{length} {error:?}"
                );
            }
        }
    }

    #[tokio::test]
    async fn a_blob_under_another_name_is_corrupt() {
        let (_directory, local) = local();
        for store in [local, memory()] {
            let data = data(1000);
            write(&store, ID, &data, 1000).await.unwrap();
            let other = BlobId::new(5, 10);
            damage(&store, other, stored(&store, ID).await).await;
            let (bytes, error) = read(&store, &[whole(other, 1000)], 0..1000).await;
            assert!(bytes.is_empty() && matches!(error, Some(BlobError::Corrupt { .. })));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// Any range over any extents of several blobs equals the concatenated bytes.
        #[test]
        fn ranges_over_extents_equal_the_model(
            lengths in prop::collection::vec(1..2 * MIB, 1..4),
            cuts in prop::collection::vec((any::<Index>(), any::<Index>(), any::<Index>()), 1..6),
            from: Index,
            to: Index,
            in_memory: bool,
        ) {
            let (_directory, local) = local();
            let store = if in_memory { memory() } else { local };
            runtime().block_on(async {
                for (index, length) in (0..).zip(&lengths) {
                    write(&store, BlobId::new(1, index), &data(*length), MIB).await.unwrap();
                }
                let mut extents = Vec::new();
                let mut model = Vec::new();
                for (blob, start, end) in &cuts {
                    let index = blob.index(lengths.len());
                    let start = start.index(lengths[index]);
                    let end = start + end.index(lengths[index] - start + 1);
                    let (offset, length) = (start as u64, (end - start) as u64);
                    extents.push(Extent { blob: BlobId::new(1, index as u16), offset, length });
                    model.extend_from_slice(&data(lengths[index])[start..end]);
                }
                let from = from.index(model.len() + 1);
                let to = from + to.index(model.len() - from + 1);
                let (bytes, error) = read(&store, &extents, from as u64..to as u64).await;
                assert!(error.is_none(), "{error:?}");
                assert!(bytes == model[from..to], "wrong bytes");
            });
        }

        /// A changed byte anywhere gives an error and no wrong byte.
        #[test]
        fn any_changed_byte_is_found(length in 1..MIB, at: Index, with in 1_u8.., in_memory: bool) {
            let (_directory, local) = local();
            let store = if in_memory { memory() } else { local };
            runtime().block_on(async {
                let data = data(length);
                write(&store, ID, &data, MIB).await.unwrap();
                let mut bytes = stored(&store, ID).await;
                let place = at.index(bytes.len());
                bytes[place] ^= with;
                damage(&store, ID, bytes).await;
                let (bytes, error) = read(&store, &[whole(ID, length)], 0..length as u64).await;
                assert!(data.starts_with(&bytes), "wrong bytes");
                let expected = (place / (BLOCK_LENGTH_USIZE + 4)) as u64;
                assert!(matches!(error, Some(BlobError::Corrupt { block, .. }) if block == expected));
            });
        }

        /// A blob cut anywhere gives an error and no wrong byte.
        #[test]
        fn any_cut_is_found(length in 1..MIB, at: Index, in_memory: bool) {
            let (_directory, local) = local();
            let store = if in_memory { memory() } else { local };
            runtime().block_on(async {
                let data = data(length);
                write(&store, ID, &data, MIB).await.unwrap();
                let mut bytes = stored(&store, ID).await;
                bytes.truncate(at.index(bytes.len()));
                damage(&store, ID, bytes).await;
                let (bytes, error) = read(&store, &[whole(ID, length)], 0..length as u64).await;
                assert!(data.starts_with(&bytes), "wrong bytes");
                assert!(matches!(error, Some(BlobError::Corrupt { .. })), "{error:?}");
            });
        }
    }
}
