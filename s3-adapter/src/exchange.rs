//! One authorized request on its way through an operation.

use std::sync::Arc;

use bucketry_edge::fair::Slot;
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use tonic::metadata::{Ascii, MetadataValue};

use crate::authorize::slow_down;
use crate::binding::{Call, RenderContext, RequestView};
use crate::body::DrainedBody;
use crate::checksum::RequestDigests;
use crate::client_info::Client;
use crate::content::Lent;
use crate::edge::Edge;
use crate::error::S3Error;
use crate::form::Wishes;
use crate::intake::{Expectation, Intake};
use crate::keep_alive::LateError;
use crate::query::Query;
use crate::settings::RequestLimits;
use crate::target::{Addressed, Target};
use crate::xml::Element;

/// Documents up to this size are covered by the slot.
const SMALL_DOCUMENT_BYTES: usize = 16 * 1024;

/// The metadata in which the operation's call carries the decision.
const SESSION: &str = "x-bucketry-session";

/// What an operation needs besides its typed request.
pub(crate) struct Exchange {
    pub(crate) edge: Arc<Edge>,
    pub(crate) addressed: Arc<Addressed>,
    pub(crate) query: Query,
    /// With what a presigned URL carries in its query, and without the framing of the transfer.
    pub(crate) headers: HeaderMap,
    pub(crate) digests: RequestDigests,
    /// The declared length of an upload's content; absent of a form.
    pub(crate) content_length: Option<i64>,
    /// The decision of a service in another process.
    pub(crate) session: Option<MetadataValue<Ascii>>,
    /// The decision of a service in this process, until the operation's call takes it.
    pub(crate) carried: http::Extensions,
    pub(crate) client: Client,
    /// The content of an upload; of all other operations it has been read.
    pub(crate) intake: Intake,
    /// The request's slot.
    pub(crate) slot: Arc<Slot>,
    /// The XML body, if there was one.
    pub(crate) document: Option<Element>,
    /// How a form wants to be answered.
    pub(crate) form: Option<Wishes>,
}

impl Exchange {
    /// The bucket or key.
    pub(crate) fn target(&self) -> &Target {
        &self.addressed.target
    }

    /// The request as generated code looks at it.
    pub(crate) fn view(&self) -> RequestView<'_> {
        RequestView {
            target: self.target(),
            query: &self.query,
            headers: &self.headers,
        }
    }

    /// Reserves the memory of an XML body of at most `limit` bytes before it is read.
    ///
    /// # Errors
    /// `SlowDown` if the caller's share of memory is used up.
    pub(crate) async fn reserve_document(&mut self, limit: usize) -> Result<(), S3Error> {
        let announced = self.headers.get(CONTENT_LENGTH);
        let announced = announced.and_then(|value| value.to_str().ok()?.parse().ok());
        let length = announced.unwrap_or(limit).min(limit);
        if length > SMALL_DOCUMENT_BYTES {
            let lease = self.slot.reserve(length as u64).await.map_err(slow_down)?;
            self.slot.keep(Some(lease));
        }
        Ok(())
    }

    /// How an error is written once the answer has begun.
    pub(crate) fn late_error(&self) -> LateError {
        LateError {
            request_id: self.client.request_id.clone(),
            resource: self.target().resource(),
        }
    }

    /// The limits of this edge.
    pub(crate) fn limits(&self) -> RequestLimits {
        self.edge.settings.limits
    }
}

impl Call for Box<Exchange> {
    fn request<T>(&mut self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        *request.extensions_mut() = std::mem::take(&mut self.carried);
        if let Some(session) = &self.session {
            request.metadata_mut().insert(SESSION, session.clone());
        }
        request
    }

    fn context(&self) -> RenderContext<'_> {
        RenderContext {
            view: self.view(),
            public_url: &self.edge.settings.public_url,
        }
    }
}

/// A refusal, with what is left of the request's body.
#[derive(Debug)]
pub(crate) struct RequestFailure {
    pub(crate) error: S3Error,
    unread: Intake,
}

impl RequestFailure {
    /// A refusal before the body has been read.
    pub(crate) fn with_body(error: S3Error, unread: Intake) -> Self {
        Self { error, unread }
    }

    /// A refused upload. If the body itself was at fault, the client hears of that; the service only knows that the
    /// content was not whole.
    pub(crate) async fn of_upload(
        status: tonic::Status,
        lent: Lent,
        limits: &RequestLimits,
    ) -> Self {
        // A service over the network lets go of the stream a little later than it answers.
        let returned = tokio::time::timeout(limits.drain_time, lent.back()).await;
        match returned.ok().flatten() {
            Some(returned) => Self {
                error: returned.fault.unwrap_or_else(|| status.into()),
                unread: Intake::Open(returned.reader),
            },
            None => status.into(),
        }
    }

    /// Reads on for a bounded while; says whether the connection can be used again.
    pub(crate) async fn drain(
        self,
        limits: &RequestLimits,
        expectation: Expectation,
    ) -> (S3Error, DrainedBody) {
        let drained = self.unread.drain(limits, expectation).await;
        (self.error, drained)
    }
}

impl From<S3Error> for RequestFailure {
    fn from(error: S3Error) -> Self {
        Self {
            error,
            unread: Intake::Taken,
        }
    }
}

impl From<tonic::Status> for RequestFailure {
    fn from(status: tonic::Status) -> Self {
        S3Error::from(status).into()
    }
}
