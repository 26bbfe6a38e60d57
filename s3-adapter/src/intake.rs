//! The body of a request between its arrival and the operation.

use std::time::Duration;

use bucketry_contract::v1::ErrorReason;
use bytes::Bytes;
use http::HeaderMap;
use http::header::EXPECT;
use http_body::Body;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::time::timeout;

use crate::body::{BodyReader, Decoding, DrainedBody};
use crate::checksum::{ChecksumLocation, RequestDigests};
use crate::chunked::{ChunkDecoder, ChunkSigner, ChunkSigningKey, Framing};
use crate::error::S3Error;
use crate::fault::of_reason;
use crate::generated::Operation;
use crate::length::LengthError;
use crate::settings::RequestLimits;
use crate::sigv4::{Authentication, PayloadHash};

/// XML documents of requests; S3's own limit for the largest of them, the batch delete, is 2 MiB.
pub(crate) const MAX_DOCUMENT_BYTES: usize = 2 * 1024 * 1024;

/// S3's own limit for a CORS configuration.
const MAX_CORS_DOCUMENT_BYTES: usize = 64 * 1024;

/// The most bytes of the XML document of an operation.
pub(crate) fn max_document_bytes(operation: Operation) -> usize {
    if operation == Operation::PutBucketCors {
        MAX_CORS_DOCUMENT_BYTES
    } else {
        MAX_DOCUMENT_BYTES
    }
}

/// A body whatever the server it comes from.
pub(crate) type EdgeBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// Forgets the type of a body.
pub(crate) fn edge_body<B>(body: B) -> EdgeBody
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    body.map_err(Into::into).boxed_unsync()
}

/// Where the body is.
#[derive(Debug)]
pub(crate) enum Intake {
    /// Not polled yet, so that no `100 Continue` has been sent.
    Untouched(EdgeBody),
    /// In reading, or about to be.
    Open(BodyReader<EdgeBody>),
    /// At its end, or with whoever reads it.
    Taken,
}

impl Intake {
    /// Whether the request has no body.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Untouched(body) => body.is_end_stream(),
            Self::Open(_) | Self::Taken => false,
        }
    }

    /// Says how the body is framed. It is still not polled.
    pub(crate) fn open(&mut self, decoding: Decoding) {
        if let Self::Untouched(body) = std::mem::replace(self, Self::Taken) {
            *self = Self::Open(BodyReader::new(body, decoding));
        }
    }

    /// Hands the reader out.
    ///
    /// # Errors
    /// `InternalError` if it was handed out before.
    pub(crate) fn take(&mut self) -> Result<BodyReader<EdgeBody>, S3Error> {
        match std::mem::replace(self, Self::Taken) {
            Self::Open(reader) => Ok(reader),
            Self::Untouched(_) | Self::Taken => Err(S3Error::internal()),
        }
    }

    /// The reader, which stays here: what it leaves can be drained.
    ///
    /// # Errors
    /// `InternalError` if it was handed out before, or not opened.
    pub(crate) fn reader(&mut self) -> Result<&mut BodyReader<EdgeBody>, S3Error> {
        match self {
            Self::Open(reader) => Ok(reader),
            Self::Untouched(_) | Self::Taken => Err(S3Error::internal()),
        }
    }

    /// Reads the whole of a small body, of at most `limit` bytes, and checks it against what was declared.
    ///
    /// # Errors
    /// The body's faults, `MaxMessageLengthExceeded`, `RequestTimeout` and mismatches.
    pub(crate) async fn document(
        &mut self,
        digests: &RequestDigests,
        limit: usize,
        idle: Duration,
    ) -> Result<Bytes, S3Error> {
        let Self::Open(reader) = self else {
            return Err(S3Error::internal());
        };
        let document = timeout(idle, reader.collect(limit))
            .await
            .map_err(|_| request_timeout())??;
        digests.verify(&document, reader.trailer())?;
        *self = Self::Taken;
        Ok(document)
    }

    /// After a refusal: reads on for a bounded while, so that a client that is still sending sees the answer instead of
    /// a reset. Never begins to read a body that the client holds back until it is told to continue.
    pub(crate) async fn drain(
        self,
        limits: &RequestLimits,
        expectation: Expectation,
    ) -> DrainedBody {
        let reader = match (self, expectation) {
            (Self::Taken, _) => return DrainedBody::Complete,
            (Self::Untouched(body), _) if body.is_end_stream() => return DrainedBody::Complete,
            (Self::Untouched(_), Expectation::Continue) => return DrainedBody::Abandoned,
            (Self::Untouched(body), Expectation::None) => {
                let declared_length = None;
                BodyReader::new(body, Decoding::Plain { declared_length })
            }
            (Self::Open(reader), Expectation::Continue) if !reader.is_begun() => {
                return DrainedBody::Abandoned;
            }
            (Self::Open(reader), _) => reader,
        };
        timeout(limits.drain_time, reader.drain(limits.drain_bytes))
            .await
            .unwrap_or(DrainedBody::Abandoned)
    }
}

/// Whether the client waits for `100 Continue` before it sends the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expectation {
    None,
    Continue,
}

impl Expectation {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let expects = headers
            .get(EXPECT)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
        if expects { Self::Continue } else { Self::None }
    }
}

/// How a request's body becomes data, of which `length` is declared. `chunk_signing_key` is what Authorize gave: 32 bytes
/// if the chunks are signed.
///
/// # Errors
/// `MissingContentLength` if the body is framed and its length is not declared; `InternalError` without a key for signed
/// chunks.
pub(crate) fn decoding(
    authentication: &Authentication,
    digests: &RequestDigests,
    length: Option<u64>,
    chunk_signing_key: &[u8],
) -> Result<Decoding, S3Error> {
    let announced = match &digests.checksum {
        ChecksumLocation::Trailer(algorithm) => Some(*algorithm),
        ChecksumLocation::None | ChecksumLocation::Header(_) => None,
    };
    let signer = || chunk_signer(authentication, chunk_signing_key);
    let framing = match authentication.payload() {
        PayloadHash::Hex(_) | PayloadHash::Unsigned => {
            return Ok(Decoding::Plain {
                declared_length: length,
            });
        }
        PayloadHash::StreamingSigned => Framing::Signed(signer()?),
        PayloadHash::StreamingSignedTrailer => Framing::SignedTrailer(signer()?, announced),
        PayloadHash::StreamingUnsignedTrailer => Framing::UnsignedTrailer(announced),
    };
    let length = length.ok_or(LengthError::Missing)?;
    Ok(Decoding::Chunked(Box::new(ChunkDecoder::new(
        framing, length,
    ))))
}

/// The length of an upload's content, which is `length` if the client declares it.
///
/// # Errors
/// `MissingContentLength`: an object is not stored from a body of unknown length, as in S3. `EntityTooLarge` if it does
/// not fit the contract.
pub(crate) fn content_length(length: Option<u64>) -> Result<i64, S3Error> {
    let length = length.ok_or(LengthError::Missing)?;
    i64::try_from(length).map_err(|_| of_reason(ErrorReason::EntityTooLarge, ""))
}

fn chunk_signer(authentication: &Authentication, key: &[u8]) -> Result<ChunkSigner, S3Error> {
    let Authentication::SigV4(claim) = authentication else {
        return Err(S3Error::internal());
    };
    let key = <[u8; 32]>::try_from(key).map_err(|_| S3Error::internal())?;
    Ok(ChunkSigner::new(
        ChunkSigningKey::new(key),
        claim.signed_at.as_str().to_owned(),
        claim.scope.to_string(),
        claim.signature,
    ))
}

/// The client has sent nothing for too long.
pub(crate) fn request_timeout() -> S3Error {
    of_reason(
        ErrorReason::RequestTimeout,
        "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.",
    )
}
