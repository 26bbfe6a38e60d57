use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use bucketry_contract::errors::{ErrorReason, status_of};
use bucketry_edge::RequestHandler;
use bucketry_edge::fair::on_behalf;
use bucketry_edge::forwarding::Forwarding;
use bucketry_edge::health::Health;
use bucketry_edge::task;
use bytes::Bytes;
use futures::FutureExt;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use tonic::body::Body;
use tower::{Service, ServiceExt};

use super::explain::explained;
use super::observe::ObservedBody;
use super::observed_request::{ObservedRequest, refused_head};
use super::{ConnectionInfo, GrpcFront, RequestBody, RequestId, Serving};
use crate::telemetry::metrics::FrontName;

/// Both fronts behind one port.
#[derive(Debug, Clone)]
pub struct Front<S> {
    grpc: GrpcFront,
    s3: S,
    forwarding: Arc<Forwarding>,
    health: Option<Health>,
}

impl<S, B> Front<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible> + Clone,
    B: http_body::Body<Data = Bytes, Error: Into<tonic::codegen::StdError>> + Send + 'static,
{
    /// Joins the gRPC services with the service that takes all other requests.
    ///
    /// Every request of either carries [`ConnectionInfo`], [`EffectiveAddress`] and [`RequestId`] in its extensions. The
    /// answers of `s3` may carry an [`super::ObservedOperation`] for metrics and logs.
    #[must_use]
    pub fn new(grpc: GrpcFront, s3: S, forwarding: Forwarding) -> Self {
        Self {
            grpc,
            s3,
            forwarding: Arc::new(forwarding),
            health: None,
        }
    }

    /// While `health` says that the server is draining, answers over HTTP/1 close their connection, so that clients
    /// that keep connections open move to another server before this one goes.
    #[must_use]
    pub fn with_health(self, health: Health) -> Self {
        Self {
            health: Some(health),
            ..self
        }
    }

    fn closes(&self, version: Version) -> bool {
        version < Version::HTTP_2 && self.health.as_ref().is_some_and(Health::is_draining)
    }

    async fn respond(
        &self,
        mut request: Request<RequestBody>,
        info: ConnectionInfo,
    ) -> Response<ObservedBody> {
        let version = request.version();
        let front = self.front_of(&request);
        let operation = match front {
            FrontName::Grpc => self.grpc.operation(request.uri().path()),
            FrontName::S3 | FrontName::Console => None,
        };
        // The adapter refuses a head that is too large, with S3's error.
        let refused = (front == FrontName::Grpc)
            .then(|| refused_head(&request))
            .flatten();
        let observed =
            ObservedRequest::begin(&mut request, info, &self.forwarding, (front, operation));
        let mut response = match refused {
            Some(status) => empty(status),
            None => {
                let answer = pin!(self.answer(front, request, &observed.id));
                on_behalf::scope(observed.address, answer).await
            }
        };
        if self.closes(version) {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        observed.answered(response)
    }

    /// gRPC is a POST over HTTP/2 of its content type to a path without a query; all else is S3. S3's own POST requests
    /// have a query, but for HTML forms, whose content type is another. So a service that does not exist gets gRPC's
    /// answer.
    fn front_of(&self, request: &Request<RequestBody>) -> FrontName {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let grpc = request.version() == Version::HTTP_2
            && request.method() == Method::POST
            && content_type.is_some_and(|value| is_grpc(value.as_bytes()))
            && request.uri().query().is_none();
        if grpc { FrontName::Grpc } else { FrontName::S3 }
    }

    /// Calls a front. A panic in it is one request's failure, not that of the others on its connection.
    async fn answer(
        &self,
        front: FrontName,
        request: Request<RequestBody>,
        id: &RequestId,
    ) -> Response<Body> {
        let answered = match front {
            FrontName::Grpc => AssertUnwindSafe(self.grpc.call(request))
                .catch_unwind()
                .await
                .map(Ok),
            FrontName::S3 | FrontName::Console => {
                AssertUnwindSafe(self.s3.clone().oneshot(request))
                    .catch_unwind()
                    .await
                    .map(|answer| answer.map(|response| response.map(Body::new)))
            }
        };
        match answered {
            Ok(Ok(response)) => match front {
                FrontName::Grpc => explained(response),
                FrontName::S3 | FrontName::Console => response,
            },
            Ok(Err(never)) => match never {},
            Err(_panic) => {
                task::count_panic("request");
                tracing::error!(request_id = %id, "a request panicked");
                match front {
                    FrontName::Grpc => status_of(ErrorReason::Internal).into_http(),
                    FrontName::S3 | FrontName::Console => empty(StatusCode::INTERNAL_SERVER_ERROR),
                }
            }
        }
    }
}

impl<S, B> RequestHandler for Front<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes, Error: Into<tonic::codegen::StdError>> + Send + 'static,
{
    type Body = ObservedBody;

    async fn handle(
        &self,
        request: Request<RequestBody>,
        connection: ConnectionInfo,
    ) -> Response<ObservedBody> {
        self.respond(request, connection).await
    }

    fn forwarding(&self) -> &Forwarding {
        &self.forwarding
    }

    async fn stopping(&self) {
        self.grpc.publish(Serving::No).await;
        self.grpc.end_streams();
    }
}

/// `application/grpc`, with `+` and the coding of messages, or with parameters; also gRPC-Web, which gets gRPC's refusal.
fn is_grpc(content_type: &[u8]) -> bool {
    let rest = content_type.strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';' | b'-')))
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
