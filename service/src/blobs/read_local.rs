//! Reading blobs from files, one block at a time.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;

use super::block::{BlockSpan, BlockSpans, verify_block};
use super::buffers::Buffers;
use super::error::BlobError;
use super::layout;
use crate::catalog::model::Extent;
use crate::domain::BlobId;

/// The blocks of a list of extents.
#[derive(Debug)]
pub(super) struct LocalReader {
    root: Arc<FilePath>,
    buffers: Buffers,
    extents: std::vec::IntoIter<Extent>,
    open: Option<OpenExtent>,
}

#[derive(Debug)]
struct OpenExtent {
    id: BlobId,
    file: File,
    spans: BlockSpans,
}

impl LocalReader {
    pub(super) fn new(root: Arc<FilePath>, buffers: Buffers, extents: Vec<Extent>) -> Self {
        Self {
            root,
            buffers,
            extents: extents.into_iter(),
            open: None,
        }
    }
}

impl Iterator for LocalReader {
    type Item = Result<Bytes, BlobError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(open) = &mut self.open
                && let Some(span) = open.spans.next()
            {
                return Some(read_block(&open.file, &self.buffers, open.id, span));
            }
            let extent = self.extents.next()?;
            match open_blob(&self.root, extent.blob) {
                Ok(file) => {
                    self.open = Some(OpenExtent {
                        id: extent.blob,
                        file,
                        spans: BlockSpans::new(extent.offset, extent.length),
                    });
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// One span of one blob.
pub(super) fn read_local_block(
    root: &FilePath,
    buffers: &Buffers,
    id: BlobId,
    span: BlockSpan,
) -> Result<Bytes, BlobError> {
    read_block(&open_blob(root, id)?, buffers, id, span)
}

fn open_blob(root: &FilePath, id: BlobId) -> Result<File, BlobError> {
    File::open(layout::blob_file(root, id)).map_err(|error| BlobError::from_file(id, error))
}

fn read_block(
    file: &File,
    buffers: &Buffers,
    id: BlobId,
    span: BlockSpan,
) -> Result<Bytes, BlobError> {
    let corrupt = BlobError::Corrupt {
        id,
        block: span.block,
    };
    let mut buffer = buffers.take();
    let stored = read_up_to(file, buffer.as_mut(), span.physical_start())
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
fn read_up_to(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..)
        && !rest.is_empty()
    {
        match file.read_at(rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
