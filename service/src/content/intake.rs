//! Takes the content of a put or a part in: digests, length, blob or inline bytes. Nothing here is visible to anybody
//! until a commit refers to it.

use std::time::Duration;

use bucketry_contract::v1;
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use tokio::time::timeout;

use super::ContentStore;
use super::placement::Place;
use super::verify::{check_chunk, full_object, verify};
use crate::blobs::BlobWriter;
use crate::catalog::model::{Extent, Layout, NewData};
use crate::convert::{DeclaredDigests, declared_digests};
use crate::digest::{DigestSet, DigestTask};
use crate::domain::{Checksum, ChecksumAlgorithm};
use crate::error::Error;

/// Content up to this size is kept in the catalog: a file of its own costs more (measured: 8 KiB).
pub(crate) const INLINE_BYTES: usize = 8 * 1024;
/// The most that one put or part may carry: 5 GiB.
pub(crate) const MAX_PUT_BYTES: u64 = 5 * 1024 * 1024 * 1024;
/// The most that one message may carry: 2 MiB.
pub(crate) const MAX_CHUNK_BYTES: usize = 2 * 1024 * 1024;

/// How long a client may keep the next message of content waiting; as long as the S3 adapter waits for a piece of body.
pub(crate) const MAX_CONTENT_IDLE: Duration = Duration::from_secs(60);

/// Waits for what a client sends next. One that sends nothing would hold its stream and the received content indefinitely.
///
/// # Errors
/// `ContentIdle` after [`MAX_CONTENT_IDLE`].
pub(crate) async fn in_time<T>(next: impl Future<Output = T>) -> Result<T, Error> {
    timeout(MAX_CONTENT_IDLE, next)
        .await
        .map_err(|_| Error::ContentIdle)
}

/// A message of content, of a put or of a part.
pub(crate) enum ContentMessage {
    Chunk(v1::ObjectChunk),
    Digests(v1::ContentDigests),
}

/// What was announced of the content.
pub(crate) struct Announced {
    pub(crate) length: Option<u64>,
    pub(crate) digests: DeclaredDigests,
    /// The checksum to store if none is declared.
    pub(crate) algorithm: Option<ChecksumAlgorithm>,
    /// Another one to compute as well.
    pub(crate) also: Option<ChecksumAlgorithm>,
}

/// Where small content goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Small {
    /// Into the catalog.
    Inline,
    /// Into a blob, as all other: parts are joined by extents.
    Blob,
}

/// Content that is durable and verified, but not yet visible.
pub(crate) struct Stored {
    pub(crate) size: u64,
    pub(crate) md5: [u8; 16],
    pub(crate) checksum: Checksum,
    /// The additional checksum that was asked for, if it is another one.
    pub(crate) also: Option<Checksum>,
    pub(crate) data: NewData,
    place: Option<Place>,
}

impl Stored {
    /// To be called when the commit that refers to the content was accepted.
    pub(crate) fn referenced(self) {
        if let Some(place) = self.place {
            place.referenced();
        }
    }

    /// Where the content's blob is, if it has one.
    pub(crate) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// The extents, for a part.
    pub(crate) fn extents(&self) -> Vec<Extent> {
        match &self.data {
            NewData::Extents(layout) => layout.extents.clone(),
            NewData::Empty | NewData::Inline(_) | NewData::Shared { .. } => Vec::new(),
        }
    }
}

/// Reads the content to its end, writes it, and verifies it against everything declared.
pub(crate) async fn take_in(
    store: &ContentStore,
    announced: Announced,
    small: Small,
    messages: impl Stream<Item = Result<ContentMessage, Error>>,
) -> Result<Stored, Error> {
    if let Some(length) = announced.length {
        check_size(length)?;
    }
    let mut taker = Taker::new(store, &announced, small);
    let mut declared = announced.digests.clone();
    let mut trailer = false;
    futures::pin_mut!(messages);
    while let Some(message) = in_time(messages.next()).await? {
        match message? {
            _ if trailer => {
                return Err(Error::InvalidRequest("nothing may follow the digests"));
            }
            ContentMessage::Chunk(chunk) => taker.chunk(chunk).await?,
            ContentMessage::Digests(digests) => {
                declared = declared.merge(declared_digests(Some(digests))?);
                trailer = true;
            }
        }
    }
    taker.finish(&announced, &declared).await
}

fn check_size(size: u64) -> Result<(), Error> {
    if size > MAX_PUT_BYTES {
        return Err(Error::EntityTooLarge {
            size,
            most: MAX_PUT_BYTES,
        });
    }
    Ok(())
}

struct Taker<'a> {
    store: &'a ContentStore,
    announced_length: Option<u64>,
    small: Small,
    size: u64,
    head: Vec<Bytes>,
    digests: DigestTask,
    algorithm: ChecksumAlgorithm,
    writer: Option<(BlobWriter, Place)>,
}

impl<'a> Taker<'a> {
    fn new(store: &'a ContentStore, announced: &Announced, small: Small) -> Self {
        let declared = announced.digests.checksum.as_ref();
        let algorithm = declared
            .map(|checksum| checksum.algorithm)
            .or(announced.algorithm)
            .unwrap_or(ChecksumAlgorithm::Crc64Nvme);
        let mut set = DigestSet::md5_only().with(algorithm);
        if let Some(also) = announced.also {
            set = set.with(also);
        }
        if announced.digests.sha256.is_some() {
            set = set.with(ChecksumAlgorithm::Sha256);
        }
        Self {
            store,
            announced_length: announced.length,
            small,
            size: 0,
            head: Vec::new(),
            digests: DigestTask::new(set),
            algorithm,
            writer: None,
        }
    }

    async fn chunk(&mut self, chunk: v1::ObjectChunk) -> Result<(), Error> {
        if i64::try_from(self.size).ok() != Some(chunk.offset) {
            return Err(Error::InvalidWriteOffset {
                expected: self.size,
                actual: chunk.offset,
            });
        }
        if chunk.data.len() > MAX_CHUNK_BYTES {
            return Err(Error::EntityTooLarge {
                size: chunk.data.len() as u64,
                most: MAX_CHUNK_BYTES as u64,
            });
        }
        if let Some(declared) = chunk.crc32c {
            check_chunk(declared, &chunk.data)?;
        }
        if chunk.data.is_empty() {
            return Ok(());
        }
        self.size += chunk.data.len() as u64;
        check_size(self.size)?;
        if let Some(expected) = self.announced_length
            && self.size > expected
        {
            return Err(Error::IncompleteBody {
                expected,
                actual: self.size,
            });
        }
        self.digests
            .update(chunk.data.clone())
            .await
            .map_err(|error| Error::Unavailable(Box::new(error)))?;
        self.write(chunk.data).await
    }

    async fn write(&mut self, data: Bytes) -> Result<(), Error> {
        let inline = self.small == Small::Inline && self.size <= INLINE_BYTES as u64;
        if self.writer.is_none() && inline {
            self.head.push(data);
            return Ok(());
        }
        if self.writer.is_none() {
            let place = self.store.placement.place().await?;
            // The file may exist from the first byte on.
            self.store.keep_track(&place).await?;
            let writer = self.store.blobs.writer(place.blob, self.announced_length);
            self.writer = Some((writer, place));
        }
        let head = std::mem::take(&mut self.head);
        if let Some((writer, _)) = &mut self.writer {
            for piece in head.into_iter().chain([data]) {
                if let Err(error) = writer.write(piece).await {
                    return Err(self.store.not_written(error).await);
                }
            }
        }
        Ok(())
    }

    async fn finish(
        self,
        announced: &Announced,
        declared: &DeclaredDigests,
    ) -> Result<Stored, Error> {
        if let Some(expected) = announced.length
            && expected != self.size
        {
            return Err(Error::IncompleteBody {
                expected,
                actual: self.size,
            });
        }
        let values = self
            .digests
            .finish()
            .await
            .map_err(|error| Error::Unavailable(Box::new(error)))?;
        let stored = declared
            .checksum
            .as_ref()
            .map_or(self.algorithm, |checksum| checksum.algorithm);
        let checksum = verify(&values, declared, stored)?;
        let also = match announced.also {
            Some(also) if also != stored => full_object(&values, also)?,
            Some(_) | None => None,
        };
        let (data, place) = match self.writer {
            Some((writer, place)) => {
                self.store.keep_track(&place).await?;
                let written = match writer.finish().await {
                    Ok(written) => written,
                    Err(error) => return Err(self.store.not_written(error).await),
                };
                let extent = Extent {
                    blob: place.blob,
                    offset: 0,
                    length: written.length,
                };
                let layout = Layout {
                    extents: vec![extent],
                    parts: Vec::new(),
                };
                (NewData::Extents(layout), Some(place))
            }
            None if self.size == 0 => (NewData::Empty, None),
            None => {
                let room = self.store.blobs.ensure_room().await;
                room.map_err(|full| Error::InsufficientStorage(Box::new(full)))?;
                (NewData::Inline(join(self.head)), None)
            }
        };
        Ok(Stored {
            size: self.size,
            md5: values.md5,
            checksum,
            also,
            data,
            place,
        })
    }
}

fn join(pieces: Vec<Bytes>) -> Bytes {
    let mut pieces = pieces;
    if pieces.len() == 1 {
        // A piece of a larger buffer would keep all of it alive in the cache.
        return Bytes::copy_from_slice(&pieces.remove(0));
    }
    let mut whole = BytesMut::with_capacity(INLINE_BYTES);
    for piece in pieces {
        whole.extend_from_slice(&piece);
    }
    whole.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_nothing_is_not_waited_for() {
        let begun = tokio::time::Instant::now();
        let silent = in_time(std::future::pending::<()>()).await;
        assert!(matches!(silent, Err(Error::ContentIdle)));
        assert_eq!(begun.elapsed(), MAX_CONTENT_IDLE);
        assert!(in_time(std::future::ready(1)).await.is_ok());
    }
}
