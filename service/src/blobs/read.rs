//! Reading ranges of objects.

use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::stream::{BoxStream, Stream};

use super::active::ActiveRead;
use super::block::BlockSpans;
use super::error::BlobError;
use super::extents::{Extent, slice_extents};
use super::read_local::{LocalReader, read_local_block};
use super::read_remote;
use super::store::{Backend, BlobStore};

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
    /// On a local store the stream reads inline when polled: a block from the page cache costs
    /// less than waking a thread.
    ///
    /// # Errors
    ///
    /// [`BlobError::Range`] where `range` is not inside the extents. The stream yields
    /// [`BlobError::NotFound`], [`BlobError::Corrupt`] and what the store says.
    pub fn read(
        &self,
        active: ActiveRead,
        extents: &[Extent],
        range: Range<u64>,
    ) -> Result<BlobStream, BlobError> {
        let slices = slice_extents(extents, &range)?;
        let source = match &self.backend {
            Backend::Local(root) => {
                Source::Local(LocalReader::new(root.clone(), self.buffers.clone(), slices))
            }
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
            Backend::Local(root) => read_local_block(root, &self.buffers, extent.blob, span),
            Backend::Remote(_) => read_remote::fetch_block(self, *extent, span).await,
        }
        .map(Some)
    }
}

impl Stream for BlobStream {
    type Item = Result<Bytes, BlobError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = match &mut self.source {
            Source::Local(reader) => Poll::Ready(reader.next()),
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
