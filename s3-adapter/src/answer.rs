//! An answer on its way out.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bucketry_edge::fair::Slot;
use bytes::Bytes;
use futures::Stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::{Body, Frame, SizeHint};

use crate::binding::Rendered;
use crate::error::S3Error;
use crate::response::AmzRequestId;

/// Pieces of an answer's body. A failure breaks the connection: the client must not take what it has for the whole.
pub(crate) type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, BodyBroken>> + Send>>;

/// The content of an answer could not be read to its end.
#[derive(Debug, thiserror::Error)]
#[error("the content ended early: {reason}")]
pub struct BodyBroken {
    /// For the operator's log.
    pub(crate) reason: String,
}

/// Status, headers and content.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Content,
}

/// The content of an answer.
pub(crate) enum Content {
    Whole(Bytes),
    Stream {
        pieces: Pieces,
        /// Bytes that will come, if known.
        length: Option<u64>,
    },
}

impl std::fmt::Debug for Content {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(bytes) => write!(formatter, "Whole({} bytes)", bytes.len()),
            Self::Stream { length, .. } => write!(formatter, "Stream({length:?} bytes)"),
        }
    }
}

impl Answer {
    /// An answer without content.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            content: Content::Whole(Bytes::new()),
        }
    }

    /// An XML document.
    pub(crate) fn xml(status: StatusCode, document: Bytes) -> Self {
        let mut answer = Self::empty(status);
        let xml = HeaderValue::from_static("application/xml");
        answer.headers.insert(header::CONTENT_TYPE, xml);
        answer.content = Content::Whole(document);
        answer
    }

    /// S3's error document.
    pub(crate) fn of_error(error: &S3Error, request_id: &AmzRequestId) -> Self {
        let mut answer = if error.has_body() {
            Self::xml(error.status(), error.to_xml(request_id))
        } else {
            Self::empty(error.status())
        };
        for (name, value) in error.headers() {
            answer.headers.insert(name, value.clone());
        }
        answer
    }

    /// The answer to HEAD: the same headers, no content.
    pub(crate) fn without_content(mut self) -> Self {
        self.content = Content::Whole(Bytes::new());
        self
    }
}

impl From<Rendered> for Answer {
    fn from(rendered: Rendered) -> Self {
        Self {
            status: rendered.status,
            headers: rendered.headers,
            content: Content::Whole(rendered.body),
        }
    }
}

/// The body of an answer. Until its last byte it counts as a running request.
pub struct AnswerBody {
    content: Content,
    _slot: Option<Arc<Slot>>,
}

impl AnswerBody {
    /// `slot` is given back when the body has been sent or given up.
    pub(crate) fn new(content: Content, slot: Option<Arc<Slot>>) -> Self {
        Self {
            content,
            _slot: slot,
        }
    }
}

impl std::fmt::Debug for AnswerBody {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.content.fmt(formatter)
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyBroken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyBroken>>> {
        match &mut self.content {
            Content::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Content::Stream { pieces, length } => {
                let piece = std::task::ready!(pieces.as_mut().poll_next(context));
                if let (Some(Ok(piece)), Some(left)) = (&piece, length) {
                    *left = left.saturating_sub(piece.len() as u64);
                }
                Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.is_empty(),
            Content::Stream { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Stream { length, .. } => {
                length.map_or_else(SizeHint::default, SizeHint::with_exact)
            }
        }
    }
}
