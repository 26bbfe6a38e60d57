//! The adapter as a service over HTTP requests.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use bucketry_edge::fair::{Fair, FairLimits};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body::Body;

use crate::answer::AnswerBody;
use crate::edge::{Authority, Edge, Objects, TimeSource};
use crate::intake::edge_body;
use crate::pipeline::handle;
use crate::settings::AdapterSettings;

/// S3 REST over the contract's services. Cheap to clone: all clones share their limits.
///
/// Takes any request that is not gRPC. What it knows of the caller comes in the extension [`crate::ClientInfo`]. The
/// extensions of an authorization are handed on with the operation's call. Answers carry [`crate::OperationName`] in
/// theirs.
#[derive(Clone)]
pub struct S3Adapter {
    edge: Arc<Edge>,
}

impl S3Adapter {
    /// An adapter over the services themselves, or over what forwards to them ([`crate::remote`]), with the clock of this
    /// machine.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the clock that a process of its own has"
    )]
    pub fn new(
        objects: Arc<Objects>,
        authority: Arc<Authority>,
        settings: AdapterSettings,
    ) -> Self {
        Self::with_clock(objects, authority, settings, Arc::new(SystemTime::now))
    }

    /// As [`S3Adapter::new`], with another clock: that by which the authority judges.
    #[must_use]
    pub fn with_clock(
        objects: Arc<Objects>,
        authority: Arc<Authority>,
        settings: AdapterSettings,
        clock: Arc<TimeSource>,
    ) -> Self {
        let fair = Fair::new(FairLimits {
            requests: settings.limits.max_requests,
            ..FairLimits::default()
        });
        let edge = Edge {
            objects,
            authority,
            settings,
            clock,
            fair,
        };
        Self {
            edge: Arc::new(edge),
        }
    }
}

impl std::fmt::Debug for S3Adapter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("S3Adapter")
            .field("settings", &self.edge.settings)
            .finish_non_exhaustive()
    }
}

impl<B> tower::Service<Request<B>> for S3Adapter
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Too many requests are refused; a queue would only make all of them slow.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // An async block would hold the request twice.
        let answer = handle(Arc::clone(&self.edge), request.map(edge_body));
        Box::pin(answer.map(Ok))
    }
}
