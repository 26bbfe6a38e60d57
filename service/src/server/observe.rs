use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bucketry_edge::ReceivedBytes;
use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use metrics::SharedString;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};

use super::{ConnectionInfo, RequestId};
use crate::access::ClientAddress;
use crate::telemetry::metrics::{
    FrontName, InFlight, RequestOutcome, RequestRecord, record_request,
};

/// The name of the operation that a front performed, as in `GetObject`; in the extensions of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObservedOperation(pub &'static str);

/// What is known of a request until it has ended; tells logs and metrics when dropped.
pub(super) struct Observation {
    front: FrontName,
    operation: SharedString,
    outcome: RequestOutcome,
    id: RequestId,
    info: ConnectionInfo,
    client: ClientAddress,
    begun: Instant,
    received: ReceivedBytes,
    sent: u64,
    _in_flight: InFlight,
}

impl Observation {
    pub(super) fn begin(
        front: FrontName,
        operation: Option<Arc<str>>,
        id: RequestId,
        info: ConnectionInfo,
        client: ClientAddress,
        received: ReceivedBytes,
    ) -> Self {
        Self {
            front,
            operation: operation.map_or(SharedString::const_str("unknown"), SharedString::from),
            // What it is if nothing is ever answered.
            outcome: RequestOutcome::Cancelled,
            id,
            info,
            client,
            begun: Instant::now(),
            received,
            sent: 0,
            _in_flight: InFlight::begin(front),
        }
    }

    /// Follows the answer to its end.
    pub(super) fn answered(mut self, response: Response<Body>) -> Response<ObservedBody> {
        if let Some(ObservedOperation(name)) = response.extensions().get() {
            self.operation = SharedString::const_str(name);
        }
        match self.front {
            FrontName::S3 | FrontName::Console => {
                self.outcome = RequestOutcome::Http(response.status())
            }
            // An answer that is refused at once has its status among the headers, others in the trailers.
            FrontName::Grpc => self.note_grpc_status(response.headers()),
        }
        response.map(|inner| ObservedBody {
            inner,
            observation: self,
        })
    }

    fn note_grpc_status(&mut self, headers: &HeaderMap) {
        if headers.contains_key("grpc-status") {
            let code =
                Status::from_header_map(headers).map_or(Code::Unknown, |status| status.code());
            self.outcome = RequestOutcome::Grpc(code);
        }
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        let record = RequestRecord {
            front: self.front,
            operation: self.operation.clone(),
            outcome: self.outcome,
            duration: self.begun.elapsed(),
            received_bytes: self.received.get(),
            sent_bytes: self.sent,
        };
        record_request(&record);
        // Neither target nor headers: a presigned URL or a bearer token in a log is a key in a log.
        macro_rules! log {
            ($level:ident) => {
                tracing::$level!(
                    target: "bucketry::request",
                    request_id = %self.id,
                    front = self.front.label(),
                    operation = %record.operation,
                    outcome = record.outcome.label(),
                    peer = self.info.peer.map(tracing::field::display),
                    client = %self.client,
                    duration_us = record.duration.as_micros() as u64,
                    received_bytes = record.received_bytes,
                    sent_bytes = record.sent_bytes,
                    "request"
                )
            };
        }
        if record.outcome.is_server_fault() {
            log!(warn);
        } else {
            log!(debug);
        }
    }
}

/// The body of an answer; the request has ended when it is dropped.
pub struct ObservedBody {
    inner: Body,
    observation: Observation,
}

impl HttpBody for ObservedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            if let Some(data) = frame.data_ref() {
                self.observation.sent += data.len() as u64;
            } else if let Some(trailers) = frame.trailers_ref()
                && self.observation.front == FrontName::Grpc
            {
                self.observation.note_grpc_status(trailers);
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
