//! The body of an upload as the messages of a client stream.

use std::time::Duration;

use bucketry_contract::errors;
use bucketry_contract::v1::{self, ContentDigests, ErrorReason, ObjectChunk};
use bytes::Bytes;
use futures::{Stream, stream};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tonic::Status;

use crate::binding::decode::contract_algorithm;
use crate::body::BodyReader;
use crate::checksum::{ChecksumLocation, ClientChecksum, RequestDigests};
use crate::error::S3Error;
use crate::intake::{EdgeBody, request_timeout};

/// What a chunk message may carry. Bodies come in smaller pieces, which are handed on as they are.
const MAX_CHUNK_BYTES: usize = 2 * 1024 * 1024;

/// How the messages of one RPC are made.
pub(crate) struct Wrap<M> {
    pub(crate) chunk: fn(ObjectChunk) -> M,
    pub(crate) digests: fn(ContentDigests) -> M,
}

/// A body that was lent to a stream of messages.
pub(crate) struct Lent {
    returned: oneshot::Receiver<Returned>,
}

/// What comes back when the stream is dropped: at its end, or by a service that refuses the rest.
pub(crate) struct Returned {
    pub(crate) reader: BodyReader<EdgeBody>,
    /// Why the body could not be read, in S3's words: the status in the stream is only a stand-in for it.
    pub(crate) fault: Option<S3Error>,
}

impl Lent {
    /// Waits until the service lets go of the stream.
    pub(crate) async fn back(self) -> Option<Returned> {
        self.returned.await.ok()
    }
}

/// The messages of an upload: `first`, then the data, then the digests if the body had a trailer.
pub(crate) fn content_messages<M: Send + 'static>(
    first: M,
    reader: BodyReader<EdgeBody>,
    wrap: Wrap<M>,
    idle: Duration,
) -> (impl Stream<Item = Result<M, Status>> + Send + 'static, Lent) {
    let (back, returned) = oneshot::channel();
    let source = Source {
        first: Some(first),
        wrap,
        idle,
        offset: 0,
        pending: Bytes::new(),
        stage: Stage::Data,
        loan: Loan {
            reader: Some(reader),
            fault: None,
            back: Some(back),
        },
    };
    let messages = stream::unfold(source, |mut source| async move {
        let message = source.next().await?;
        Some((message, source))
    });
    (messages, Lent { returned })
}

struct Source<M> {
    first: Option<M>,
    wrap: Wrap<M>,
    idle: Duration,
    offset: i64,
    pending: Bytes,
    stage: Stage,
    loan: Loan,
}

enum Stage {
    Data,
    Ended,
}

impl<M> Source<M> {
    async fn next(&mut self) -> Option<Result<M, Status>> {
        if let Some(first) = self.first.take() {
            return Some(Ok(first));
        }
        if let Stage::Ended = self.stage {
            return None;
        }
        if self.pending.is_empty() {
            let reader = self.loan.reader.as_mut()?;
            let read = timeout(self.idle, reader.next()).await;
            let fault = match read {
                Ok(Ok(Some(data))) => {
                    self.pending = data;
                    return Some(Ok(self.chunk()));
                }
                Ok(Ok(None)) => {
                    self.stage = Stage::Ended;
                    let trailer = reader.trailer().map(checksum_message);
                    return trailer.map(|checksum| Ok(self.digests(checksum)));
                }
                Ok(Err(fault)) => fault.into(),
                Err(_) => request_timeout(),
            };
            self.stage = Stage::Ended;
            let status = stand_in(&fault);
            self.loan.fault = Some(fault);
            return Some(Err(status));
        }
        Some(Ok(self.chunk()))
    }

    fn chunk(&mut self) -> M {
        let length = self.pending.len().min(MAX_CHUNK_BYTES);
        let data = self.pending.split_to(length);
        let offset = self.offset;
        self.offset = offset.saturating_add_unsigned(length as u64);
        (self.wrap.chunk)(ObjectChunk {
            offset,
            data,
            crc32c: None,
        })
    }

    fn digests(&self, checksum: v1::Checksum) -> M {
        (self.wrap.digests)(ContentDigests {
            checksum: Some(checksum),
            ..ContentDigests::default()
        })
    }
}

/// The client hears of the fault itself; the service only has to know that the content is not whole.
fn stand_in(fault: &S3Error) -> Status {
    errors::status(
        ErrorReason::IncompleteBody,
        format!("the body could not be read: {}", fault.code()),
        std::collections::HashMap::new(),
    )
}

/// Gives the reader back however the stream ends.
struct Loan {
    reader: Option<BodyReader<EdgeBody>>,
    fault: Option<S3Error>,
    back: Option<oneshot::Sender<Returned>>,
}

impl Drop for Loan {
    fn drop(&mut self) {
        if let (Some(reader), Some(back)) = (self.reader.take(), self.back.take()) {
            let fault = self.fault.take();
            // Nobody waits for it any more if the request itself was given up.
            let _ = back.send(Returned { reader, fault });
        }
    }
}

/// What is declared of the content before it comes.
pub(crate) fn declared_message(digests: &RequestDigests) -> Option<ContentDigests> {
    let checksum = match &digests.checksum {
        ChecksumLocation::Header(checksum) => Some(checksum_message(checksum)),
        ChecksumLocation::None | ChecksumLocation::Trailer(_) => None,
    };
    let bytes = |digest: &[u8]| Bytes::copy_from_slice(digest);
    let message = ContentDigests {
        md5: digests
            .content_md5
            .map(|md5| bytes(&md5))
            .unwrap_or_default(),
        sha256: digests
            .content_sha256
            .map(|hash| bytes(&hash))
            .unwrap_or_default(),
        checksum,
    };
    (message != ContentDigests::default()).then_some(message)
}

fn checksum_message(checksum: &ClientChecksum) -> v1::Checksum {
    v1::Checksum {
        algorithm: contract_algorithm(checksum.algorithm).into(),
        value: Bytes::copy_from_slice(&checksum.value),
        ..v1::Checksum::default()
    }
}
