//! The body of a request: counted, unframed, bounded.
//!
//! The body is not polled before the first [`BodyReader::next`], so that `100 Continue` is sent
//! only after the caller has been let in.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;

use crate::checksum::ClientChecksum;
use crate::chunked::{ChunkDecoder, ChunkError};
use crate::form::FormError;

/// Why a body could not be read. After one of these nothing of it may be published.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection broke, or the HTTP framing did.
    #[error("the body could not be received: {0}")]
    Transport(Box<dyn std::error::Error + Send + Sync>),
    /// The body ended before the declared length, or went on behind it.
    #[error("body of {received} bytes, declared {declared}")]
    WrongLength {
        /// As declared.
        declared: u64,
        /// What came.
        received: u64,
    },
    /// The body is longer than the operation takes.
    #[error("body longer than {limit} bytes")]
    TooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// The aws-chunked framing is broken.
    #[error(transparent)]
    Chunk(#[from] ChunkError),
    /// The form that the content came in is broken, or its file has not the length that was asked for.
    #[error(transparent)]
    Form(#[from] FormError),
}

impl BodyError {
    /// A fault of the body below: one of ours if that is a reader itself.
    fn below(fault: Box<dyn std::error::Error + Send + Sync>) -> Self {
        match fault.downcast::<Self>() {
            Ok(own) => *own,
            Err(fault) => Self::Transport(fault),
        }
    }
}

/// How the bytes of the body become data.
#[derive(Debug)]
pub enum Decoding {
    /// They are the data; of this length, if the client said.
    Plain {
        /// `Content-Length`; nothing with `Transfer-Encoding: chunked`.
        declared_length: Option<u64>,
    },
    /// They are framed as aws-chunked.
    Chunked(Box<ChunkDecoder>),
}

/// What [`BodyReader::drain`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrainedBody {
    /// The body ended within the limit; the connection can be used again.
    Complete,
    /// There is more, or the connection broke: it must be closed.
    Abandoned,
}

/// Reads one body.
pub struct BodyReader<B> {
    body: Pin<Box<B>>,
    stage: Stage,
    /// Received and not yet decoded.
    pending: Bytes,
    received: u64,
    begun: bool,
}

enum Stage {
    Reading(Decoding),
    Ended(Option<ClientChecksum>),
}

impl<B> std::fmt::Debug for BodyReader<B> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("BodyReader")
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

impl<B> BodyReader<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// A reader that has not touched the body yet.
    pub fn new(body: B, decoding: Decoding) -> Self {
        Self {
            body: Box::pin(body),
            stage: Stage::Reading(decoding),
            pending: Bytes::new(),
            received: 0,
            begun: false,
        }
    }

    /// Says that what is below has been polled already.
    pub(crate) fn already_begun(mut self) -> Self {
        self.begun = true;
        self
    }

    /// The next piece of data, never empty; nothing at the end, once everything that the framing
    /// promises has been verified. Cancelling loses nothing.
    ///
    /// # Errors
    /// Any [`BodyError`] but `TooLarge`.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            if let Some(data) = self.decode()? {
                return Ok(Some(data));
            }
            if let Stage::Ended(_) = self.stage {
                return Ok(None);
            }
            self.begun = true;
            match self.body.frame().await {
                // HTTP trailers say nothing that S3 knows.
                Some(Ok(frame)) => self.pending = frame.into_data().unwrap_or_default(),
                Some(Err(fault)) => return Err(BodyError::below(fault.into())),
                None => self.end()?,
            }
            self.received = self.received.saturating_add(self.pending.len() as u64);
        }
    }

    /// Whether the body has been polled: `100 Continue` has been sent then.
    pub fn is_begun(&self) -> bool {
        self.begun
    }

    /// The checksum of the trailer, once [`BodyReader::next`] has given nothing.
    pub fn trailer(&self) -> Option<&ClientChecksum> {
        match &self.stage {
            Stage::Reading(_) => None,
            Stage::Ended(checksum) => checksum.as_ref(),
        }
    }

    /// Reads the whole body, at most `limit` bytes of data.
    ///
    /// # Errors
    /// Any [`BodyError`].
    pub async fn collect(&mut self, limit: usize) -> Result<Bytes, BodyError> {
        let Some(first) = self.next().await? else {
            return Ok(Bytes::new());
        };
        let mut whole = BytesMut::new();
        let mut piece = Some(first);
        while let Some(data) = piece {
            if whole.len() + data.len() > limit {
                return Err(BodyError::TooLarge { limit });
            }
            whole.extend_from_slice(&data);
            piece = self.next().await?;
        }
        Ok(whole.freeze())
    }

    /// After an early error: reads on, undecoded, so that a client that is still sending sees the
    /// answer instead of a reset. At most `limit` bytes; the caller bounds the time.
    pub async fn drain(mut self, limit: u64) -> DrainedBody {
        let mut drained: u64 = 0;
        loop {
            match self.body.frame().await {
                None => return DrainedBody::Complete,
                Some(Err(_)) => return DrainedBody::Abandoned,
                Some(Ok(frame)) => {
                    let length = frame.data_ref().map_or(0, Bytes::len);
                    drained = drained.saturating_add(length as u64);
                }
            }
            if drained > limit {
                return DrainedBody::Abandoned;
            }
        }
    }

    fn decode(&mut self) -> Result<Option<Bytes>, BodyError> {
        if self.pending.is_empty() {
            return Ok(None);
        }
        match &mut self.stage {
            Stage::Ended(_) => Ok(None),
            Stage::Reading(Decoding::Chunked(decoder)) => Ok(decoder.next(&mut self.pending)?),
            Stage::Reading(Decoding::Plain { declared_length }) => {
                if let Some(declared) = *declared_length
                    && self.received > declared
                {
                    return Err(BodyError::WrongLength {
                        declared,
                        received: self.received,
                    });
                }
                Ok(Some(std::mem::take(&mut self.pending)))
            }
        }
    }

    fn end(&mut self) -> Result<(), BodyError> {
        let stage = std::mem::replace(&mut self.stage, Stage::Ended(None));
        let checksum = match stage {
            Stage::Ended(checksum) => checksum,
            Stage::Reading(Decoding::Chunked(decoder)) => decoder.finish()?,
            Stage::Reading(Decoding::Plain { declared_length }) => {
                let declared = declared_length.unwrap_or(self.received);
                if declared != self.received {
                    return Err(BodyError::WrongLength {
                        declared,
                        received: self.received,
                    });
                }
                None
            }
        };
        self.stage = Stage::Ended(checksum);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::compute;
    use crate::chunked::Framing;
    use bucketry_domain::ChecksumAlgorithm;
    use futures::stream;
    use http_body::Frame;
    use http_body_util::StreamBody;

    type Frames = Vec<Result<Frame<Bytes>, std::io::Error>>;

    fn reader(
        pieces: &[&'static str],
        decoding: Decoding,
    ) -> BodyReader<impl Body<Data = Bytes, Error = std::io::Error>> {
        let frames: Frames = pieces
            .iter()
            .map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))))
            .collect();
        BodyReader::new(StreamBody::new(stream::iter(frames)), decoding)
    }

    fn plain(declared_length: Option<u64>) -> Decoding {
        Decoding::Plain { declared_length }
    }

    fn chunked(length: u64) -> Decoding {
        let framing = Framing::UnsignedTrailer(Some(ChecksumAlgorithm::Crc32));
        Decoding::Chunked(Box::new(ChunkDecoder::new(framing, length)))
    }

    #[tokio::test]
    async fn plain_bodies_come_through_unchanged() {
        for declared in [Some(6), None] {
            let mut reader = reader(&["abc", "", "def"], plain(declared));
            assert_eq!(reader.next().await.unwrap().unwrap(), "abc");
            assert_eq!(reader.next().await.unwrap().unwrap(), "def");
            assert!(reader.next().await.unwrap().is_none());
            assert!(reader.next().await.unwrap().is_none());
            assert_eq!(reader.trailer(), None);
        }
    }

    #[tokio::test]
    async fn plain_bodies_must_have_the_declared_length() {
        for declared in [5, 7] {
            let outcome = reader(&["abc", "def"], plain(Some(declared)))
                .collect(100)
                .await;
            assert!(matches!(
                outcome,
                Err(BodyError::WrongLength { received: 6, .. })
            ));
        }
        let empty = reader(&[], plain(Some(1))).collect(100).await;
        assert!(matches!(
            empty,
            Err(BodyError::WrongLength {
                declared: 1,
                received: 0
            })
        ));
    }

    #[tokio::test]
    async fn chunked_bodies_are_decoded_and_their_trailer_kept() {
        let mut reader = reader(
            &[
                "5\r\n123",
                "45\r\n4\r\n6789\r\n0\r\nx-amz-check",
                "sum-crc32:y/Q5Jg==\r\n\r\n",
            ],
            chunked(9),
        );
        assert_eq!(reader.collect(9).await.unwrap(), "123456789");
        let value = compute(ChecksumAlgorithm::Crc32, b"123456789");
        assert_eq!(
            reader.trailer().map(|checksum| &checksum.value),
            Some(&value)
        );
    }

    #[tokio::test]
    async fn broken_chunked_bodies_are_refused() {
        let truncated = reader(&["5\r\n123"], chunked(5)).collect(100).await;
        assert!(matches!(
            truncated,
            Err(BodyError::Chunk(ChunkError::Truncated))
        ));
        let longer = reader(&["6\r\n123"], chunked(5)).collect(100).await;
        assert!(matches!(
            longer,
            Err(BodyError::Chunk(ChunkError::WrongLength { declared: 5 }))
        ));
    }

    #[tokio::test]
    async fn collecting_is_bounded() {
        assert_eq!(
            reader(&["abc"], plain(None)).collect(3).await.unwrap(),
            "abc"
        );
        let outcome = reader(&["abc"], plain(None)).collect(2).await;
        assert!(matches!(outcome, Err(BodyError::TooLarge { limit: 2 })));
    }

    #[tokio::test]
    async fn a_broken_connection_is_told() {
        let frames: Frames = vec![
            Ok(Frame::data(Bytes::from_static(b"abc"))),
            Err(std::io::Error::other("reset")),
        ];
        let mut reader = BodyReader::new(StreamBody::new(stream::iter(frames)), plain(None));
        assert!(matches!(
            reader.collect(100).await,
            Err(BodyError::Transport(_))
        ));
    }

    #[tokio::test]
    async fn draining_stops_at_the_limit() {
        assert_eq!(
            reader(&["abc", "def"], plain(Some(9))).drain(6).await,
            DrainedBody::Complete
        );
        assert_eq!(
            reader(&["abc", "def"], plain(Some(9))).drain(5).await,
            DrainedBody::Abandoned
        );
    }
}
