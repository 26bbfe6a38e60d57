//! Reading blobs from files, one block at a time.
//!
//! A block that the kernel has in memory is read where the stream is polled: that costs less than waking a thread.
//! Everything that may wait for the disk is done on a thread, and not waited for longer than the disk may take.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::block::{BLOCK_STRIDE, BlockSpan, BlockSpans, verify_block};
use super::buffers::Buffers;
use super::disk_threads::{Stalled, Work};
use super::error::BlobError;
use super::local::LocalDisk;
use super::tree::{BlobFile, Cache};
use bucketry_catalog::model::Extent;
use bucketry_domain::BlobId;

/// The blocks of a list of extents.
pub(super) struct LocalReader {
    disk: Arc<LocalDisk>,
    buffers: Buffers,
    extents: std::vec::IntoIter<Extent>,
    current: Option<CurrentExtent>,
    /// A read on a thread; it has the file of the current extent, and gives it back.
    waiting: Option<BoxFuture<'static, Result<(BlobFile, Bytes), BlobError>>>,
}

#[derive(Debug)]
struct CurrentExtent {
    id: BlobId,
    spans: BlockSpans,
    file: Option<BlobFile>,
}

impl LocalReader {
    pub(super) fn new(disk: Arc<LocalDisk>, buffers: Buffers, extents: Vec<Extent>) -> Self {
        Self {
            disk,
            buffers,
            extents: extents.into_iter(),
            current: None,
            waiting: None,
        }
    }

    /// The next block; none at the end.
    pub(super) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BlobError>>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                let read = ready!(waiting.poll_unpin(context));
                self.waiting = None;
                return Poll::Ready(Some(read.map(|(file, block)| {
                    if let Some(current) = &mut self.current {
                        current.file = Some(file);
                    }
                    block
                })));
            }
            if let Some(current) = &mut self.current
                && let Some(span) = current.spans.next()
            {
                if let Some(read) = read_cached(&self.disk, &self.buffers, current, span) {
                    return Poll::Ready(Some(read));
                }
                let (disk, buffers) = (Arc::clone(&self.disk), self.buffers.clone());
                let (id, file) = (current.id, current.file.take());
                self.waiting = Some(read_on_thread(disk, buffers, id, file, span).boxed());
                continue;
            }
            let Some(extent) = self.extents.next() else {
                return Poll::Ready(None);
            };
            self.current = Some(CurrentExtent {
                id: extent.blob,
                spans: BlockSpans::new(extent.offset, extent.length),
                file: None,
            });
        }
    }
}

/// Reads a block that is in memory; none if it is not, or if that cannot be known.
fn read_cached(
    disk: &LocalDisk,
    buffers: &Buffers,
    current: &mut CurrentExtent,
    span: BlockSpan,
) -> Option<Result<Bytes, BlobError>> {
    if current.file.is_none() {
        match disk.tree.open_cached_blob(current.id)? {
            Ok(file) => current.file = Some(file),
            Err(error) => return Some(Err(error)),
        }
    }
    let file = current.file.as_ref()?;
    match file.cache {
        Cache::Usable => {}
        Cache::Unknown => return None,
    }
    match read_block(file, buffers, current.id, span, read_cached_at) {
        Err(BlobError::File { source, .. }) if source.kind() == io::ErrorKind::WouldBlock => None,
        read => Some(read),
    }
}

async fn read_on_thread(
    disk: Arc<LocalDisk>,
    buffers: Buffers,
    id: BlobId,
    file: Option<BlobFile>,
    span: BlockSpan,
) -> Result<(BlobFile, Bytes), BlobError> {
    let read = move |disk: &LocalDisk| {
        let file = match file {
            Some(file) => file,
            None => disk.tree.open_blob(id)?,
        };
        let block = read_block(&file, &buffers, id, span, File::read_at)?;
        Ok((file, block))
    };
    let limit = disk.threads.limit(BLOCK_STRIDE);
    disk.run(Work::Read, limit, read)
        .await
        .unwrap_or_else(|stalled| Err(BlobError::from_stalled(id, stalled)))
}

impl BlobError {
    pub(super) fn from_stalled(id: BlobId, stalled: Stalled) -> Self {
        match stalled {
            Stalled::Overdue => Self::Overdue { id },
            Stalled::Interrupted => Self::Interrupted { id },
        }
    }
}

fn read_block(
    file: &BlobFile,
    buffers: &Buffers,
    id: BlobId,
    span: BlockSpan,
    read_at: fn(&File, &mut [u8], u64) -> io::Result<usize>,
) -> Result<Bytes, BlobError> {
    let corrupt = BlobError::Corrupt {
        id,
        block: span.block,
    };
    let start = span.physical_start();
    let mut buffer = buffers.take();
    let stored = usize::try_from(file.length.saturating_sub(start)).unwrap_or(usize::MAX);
    let whole = buffer.as_mut();
    let length = stored.min(whole.len());
    let (wanted, _) = whole.split_at_mut(length);
    let stored = read_up_to(&file.file, wanted, start, read_at)
        .map_err(|error| BlobError::from_file(id, error))?;
    let Some(block) = buffer.as_ref().get(..stored) else {
        return Err(corrupt);
    };
    let wanted = span.skip..span.skip + span.take;
    match verify_block(id, span.block, block) {
        Ok(length) if wanted.end <= length => Ok(Bytes::from_owner(buffer).slice(wanted)),
        _ => Err(corrupt),
    }
}

/// Fills `buffer` from `offset`, less only where the file ends.
fn read_up_to(
    file: &File,
    buffer: &mut [u8],
    offset: u64,
    read_at: fn(&File, &mut [u8], u64) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..)
        && !rest.is_empty()
    {
        match read_at(file, rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Reads what is in memory; [`io::ErrorKind::WouldBlock`] where nothing is.
#[cfg(target_os = "linux")]
fn read_cached_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    use rustix::io::{Errno, ReadWriteFlags, preadv2};
    let pieces = &mut [io::IoSliceMut::new(buffer)];
    match preadv2(file, pieces, offset, ReadWriteFlags::NOWAIT) {
        Ok(read) => Ok(read),
        // The file system or the kernel cannot tell.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Err(io::ErrorKind::WouldBlock.into()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn read_cached_at(_: &File, _: &mut [u8], _: u64) -> io::Result<usize> {
    Err(io::ErrorKind::WouldBlock.into())
}
