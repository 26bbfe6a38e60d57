//! Reading blobs by requests, several blocks at a time.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::{GetOptions, GetRange, ObjectStore};

use super::block::{BLOCK_LENGTH, BLOCK_STRIDE, BlockSpan, BlockSpans, verify_block};
use super::error::{BlobError, is_overdue};
use super::extents::split_aligned;
use super::store::BlobStore;
use bucketry_catalog::model::Extent;
use bucketry_domain::BlobId;

/// Data of one request: 4 MiB, aligned.
const FETCH_LENGTH: u64 = 16 * BLOCK_LENGTH;

/// Requests under way for one reader: the one that it waits for and the next.
const FETCHES: usize = 2;

/// The blocks of `extents`.
pub(super) fn stream(
    store: BlobStore,
    extents: Vec<Extent>,
) -> BoxStream<'static, Result<Bytes, BlobError>> {
    let parts = extents
        .into_iter()
        .flat_map(|extent| split_aligned(extent, FETCH_LENGTH));
    stream::iter(parts)
        .map(move |part| {
            let store = store.clone();
            async move { fetch(&store, part).await }
        })
        .buffered(FETCHES)
        .map_ok(|blocks| stream::iter(blocks.into_iter().map(Ok)))
        .try_flatten()
        .boxed()
}

/// One span of one blob.
pub(super) async fn fetch_block(
    store: &BlobStore,
    extent: Extent,
    span: BlockSpan,
) -> Result<Bytes, BlobError> {
    let start = span.physical_start();
    let stored = get_range(store, extent.blob, start..start + BLOCK_STRIDE).await?;
    cut_block(&stored, extent.blob, start, span)
}

async fn fetch(store: &BlobStore, part: Extent) -> Result<Vec<Bytes>, BlobError> {
    let spans = BlockSpans::new(part.offset, part.length);
    let (Some(first), Some(last)) = (spans.clone().next(), spans.clone().last()) else {
        return Ok(Vec::new());
    };
    let start = first.physical_start();
    let stored = get_range(
        store,
        part.blob,
        start..last.physical_start() + BLOCK_STRIDE,
    )
    .await?;
    spans
        .map(|span| cut_block(&stored, part.blob, start, span))
        .collect()
}

/// The stored bytes `range` of a blob; fewer where it ends before.
async fn get_range(store: &BlobStore, id: BlobId, range: Range<u64>) -> Result<Bytes, BlobError> {
    let block = range.start / BLOCK_STRIDE;
    let options = GetOptions {
        range: Some(GetRange::Bounded(range)),
        ..GetOptions::default()
    };
    match get(store, id, options).await {
        Ok(stored) => Ok(stored),
        // A retry would only take as long again.
        Err(error) if is_overdue(&error) => Err(BlobError::from_store(id, error)),
        // A request that begins after the end: each store has its own error for that, and only
        // the length tells it from others.
        Err(error) => match store.stat(id).await? {
            Some(blob) if blob.physical_length <= block * BLOCK_STRIDE => {
                Err(BlobError::Corrupt { id, block })
            }
            _ => Err(BlobError::from_store(id, error)),
        },
    }
}

/// The answer to one request. The store may take its time limit to begin, and again between any two pieces.
async fn get(store: &BlobStore, id: BlobId, options: GetOptions) -> object_store::Result<Bytes> {
    let path = store.layout.blob(id);
    let got = store
        .bounded(0, store.store.get_opts(&path, options))
        .await?;
    let length = (got.range.end - got.range.start) as usize;
    let mut pieces = got.into_stream();
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(piece) = store.bounded(0, pieces.try_next()).await? {
        // Memory and small answers come in one piece, which need not be copied.
        if first.is_empty() {
            first = piece;
        } else {
            if whole.is_empty() {
                whole.reserve(length);
                whole.extend_from_slice(&first);
            }
            whole.extend_from_slice(&piece);
        }
    }
    Ok(if whole.is_empty() {
        first
    } else {
        whole.freeze()
    })
}

/// The wanted data of one block of `stored`, which begins at `start` of the stored blob.
fn cut_block(stored: &Bytes, id: BlobId, start: u64, span: BlockSpan) -> Result<Bytes, BlobError> {
    let from = ((span.physical_start() - start) as usize).min(stored.len());
    let to = (from + BLOCK_STRIDE as usize).min(stored.len());
    let block = stored.slice(from..to);
    let wanted = span.skip..span.skip + span.take;
    match verify_block(id, span.block, &block) {
        Ok(length) if wanted.end <= length => Ok(block.slice(wanted)),
        _ => Err(BlobError::Corrupt {
            id,
            block: span.block,
        }),
    }
}
