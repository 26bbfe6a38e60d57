use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bucketry_contract::errors::{ErrorReason, status_of};
use bucketry_edge::fair::on_behalf;
use bucketry_edge::forwarding::Forwarding;
use bucketry_edge::health::Health;
use bucketry_edge::task;
use futures::FutureExt;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body_util::Full;
use tonic::body::Body;
use tonic_web::GrpcWebLayer;
use tower::{Layer, ServiceExt};

use super::explain::explained;
use super::observed_request::{ObservedRequest, refused_head};
use super::{ConnectionInfo, GrpcFront, RequestBody};
use crate::console::{CallingPage, ConsoleFiles, Origins};
use crate::telemetry::metrics::FrontName;

/// What the console's listener answers: the files of the console, and the published services by gRPC-Web, because
/// browsers cannot speak gRPC. It serves no objects: an uploaded page must never have the console's origin.
#[derive(Debug, Clone)]
pub struct ConsoleFront {
    grpc: GrpcFront,
    files: Arc<ConsoleFiles>,
    origins: Arc<Origins>,
    forwarding: Arc<Forwarding>,
    health: Option<Health>,
}

impl ConsoleFront {
    /// Serves `files`, and calls of `grpc` from pages of this host and of `origins`, the latter on the data listener too.
    #[must_use]
    pub fn new(
        grpc: GrpcFront,
        files: ConsoleFiles,
        origins: Origins,
        forwarding: Forwarding,
    ) -> Self {
        Self {
            grpc,
            files: Arc::new(files),
            origins: Arc::new(origins),
            forwarding: Arc::new(forwarding),
            health: None,
        }
    }

    /// While `health` says that the server is draining, answers over HTTP/1 close their connection.
    #[must_use]
    pub fn with_health(self, health: Health) -> Self {
        Self {
            health: Some(health),
            ..self
        }
    }

    pub(super) async fn respond(
        &self,
        request: Request<RequestBody>,
        info: ConnectionInfo,
    ) -> Response<Body> {
        let is_http1 = request.version() < Version::HTTP_2;
        let mut answer = self.answer(request, info).await;
        if is_http1 && self.health.as_ref().is_some_and(Health::is_draining) {
            let close = HeaderValue::from_static("close");
            answer.headers_mut().insert(header::CONNECTION, close);
        }
        answer
    }

    async fn answer(
        &self,
        mut request: Request<RequestBody>,
        info: ConnectionInfo,
    ) -> Response<Body> {
        let page = self.origins.page_of(&request, info);
        let path = request.uri().path();
        let is_call = is_grpc_web(&request);
        let operation = self.grpc.operation(path);
        let is_preflight = request.method() == Method::OPTIONS && operation.is_some();
        let (front, operation) = match is_call {
            true => (FrontName::Grpc, operation),
            false => (FrontName::Console, None),
        };
        let observed =
            ObservedRequest::begin(&mut request, info, &self.forwarding, (front, operation));
        let refused = match page {
            CallingPage::Foreign if is_call || is_preflight => Some(StatusCode::FORBIDDEN),
            CallingPage::None
            | CallingPage::OwnHost
            | CallingPage::Known(_)
            | CallingPage::Foreign => refused_head(&request),
        };
        let answer = match refused {
            Some(status) => observed.answered(empty(status)).map(Body::new),
            None if is_call => self.call(request, observed).await,
            None if is_preflight => observed.answered(preflight()).map(Body::new),
            None => {
                let file = self.files.answer(&request);
                let file = file.map(|content| Body::new(Full::new(content)));
                return observed.answered(file).map(Body::new);
            }
        };
        match page {
            CallingPage::Known(origin) => readable_by(origin, answer),
            CallingPage::None | CallingPage::OwnHost | CallingPage::Foreign => answer,
        }
    }

    /// Whether this is a call, or its preflight, that a page sends to the data listener.
    pub(super) fn accepts<B>(&self, request: &Request<B>) -> bool {
        self.origins.are_configured_for(request)
            && (is_grpc_web(request)
                || request.method() == Method::OPTIONS
                    && self.grpc.operation(request.uri().path()).is_some())
    }

    /// Translates a call of gRPC-Web into one of gRPC, and its answer back. What is observed is gRPC's answer, which has
    /// its status in trailers.
    async fn call(
        &self,
        request: Request<RequestBody>,
        observed: ObservedRequest,
    ) -> Response<Body> {
        let grpc = self.grpc.clone();
        let address = observed.address;
        let mut observed = Some(observed);
        let translated = tower::service_fn(move |request: Request<Body>| {
            let grpc = grpc.clone();
            let observed = observed.take();
            async move {
                let observed = observed.ok_or(CalledTwice)?;
                let called = AssertUnwindSafe(grpc.call(request)).catch_unwind().await;
                let response = called.map_or_else(
                    |_panic| {
                        task::count_panic("request");
                        tracing::error!(request_id = %observed.id, "a request panicked");
                        status_of(ErrorReason::Internal).into_http()
                    },
                    explained,
                );
                Ok::<_, CalledTwice>(observed.answered(response))
            }
        });
        let answer = Box::pin(GrpcWebLayer::new().layer(translated).oneshot(request));
        let answered = on_behalf::scope(address, answer).await;
        answered.unwrap_or_else(|CalledTwice| empty(StatusCode::INTERNAL_SERVER_ERROR))
    }
}

/// The translation called its service a second time for one request, which it never does.
#[derive(Debug)]
struct CalledTwice;

/// Whether a request is a call by gRPC-Web in its binary form. The text form, in base64, is for browsers without
/// `fetch`.
fn is_grpc_web<B>(request: &Request<B>) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    request.method() == Method::POST
        && content_type.is_some_and(|value| {
            matches!(
                value.as_bytes(),
                b"application/grpc-web" | b"application/grpc-web+proto"
            )
        })
}

/// The answer to the preflight of a call: which headers a page may send. The origin is added like that of any answer.
fn preflight() -> Response<Body> {
    let mut response = empty(StatusCode::NO_CONTENT);
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, content-type, grpc-timeout, x-grpc-web, x-user-agent",
        ),
        // Short, because the operator may remove the origin.
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Lets a page of another host read an answer, its status and its request id.
fn readable_by(origin: HeaderValue, mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(
            "grpc-status, grpc-message, grpc-status-details-bin, x-request-id",
        ),
    );
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    response
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
