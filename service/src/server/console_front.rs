use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bucketry_contract::errors::{ErrorReason, status_of};
use bucketry_edge::fair::on_behalf;
use bucketry_edge::forwarding::Forwarding;
use bucketry_edge::task;
use futures::FutureExt;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use tonic::body::Body;
use tonic_web::GrpcWebLayer;
use tower::{Layer, ServiceExt};

use super::begun::{BegunRequest, refused_head};
use super::explain::explained;
use super::{ConnectionInfo, GrpcFront, RequestBody};
use crate::console::{ConsoleFiles, Origins};
use crate::telemetry::metrics::FrontName;

/// What the console's listener answers: the files of the console, and the published services by gRPC-Web, for browsers
/// cannot speak gRPC. It serves no objects: a page that somebody uploaded must never have the console's origin.
#[derive(Debug, Clone)]
pub struct ConsoleFront {
    grpc: GrpcFront,
    files: Arc<ConsoleFiles>,
    origins: Arc<Origins>,
    forwarding: Arc<Forwarding>,
}

impl ConsoleFront {
    /// Serves `files`, and calls of `grpc` from pages of `origins`.
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
        }
    }

    /// Answers one request.
    pub(super) async fn respond(
        &self,
        mut request: Request<RequestBody>,
        info: ConnectionInfo,
    ) -> Response<Body> {
        let path = request.uri().path();
        let (front, operation) = match is_grpc_web(&request) {
            true => (FrontName::Grpc, self.grpc.operation(path)),
            false => (FrontName::Console, None),
        };
        let begun = BegunRequest::begin(&mut request, info, &self.forwarding, (front, operation));
        let refused = match front {
            FrontName::Grpc if !self.origins.allow(&request, info) => Some(StatusCode::FORBIDDEN),
            FrontName::Grpc | FrontName::S3 | FrontName::Console => refused_head(&request),
        };
        match (front, refused) {
            (_, Some(status)) => begun.answered(empty(status)).map(Body::new),
            (FrontName::Grpc, None) => self.call(request, begun).await,
            (FrontName::S3 | FrontName::Console, None) => {
                let file = self.files.answer(&request);
                begun
                    .answered(file.map(|content| Body::new(Full::new(content))))
                    .map(Body::new)
            }
        }
    }

    /// Translates a call of gRPC-Web into one of gRPC, and its answer back. What is observed is gRPC's answer, which has
    /// its status in trailers.
    async fn call(&self, request: Request<RequestBody>, begun: BegunRequest) -> Response<Body> {
        let grpc = self.grpc.clone();
        let address = begun.address;
        let mut begun = Some(begun);
        let translated = tower::service_fn(move |request: Request<Body>| {
            let grpc = grpc.clone();
            let begun = begun.take();
            async move {
                let begun = begun.ok_or(CalledTwice)?;
                let called = AssertUnwindSafe(grpc.call(request)).catch_unwind().await;
                let response = called.map_or_else(
                    |_panic| {
                        task::count_panic("request");
                        tracing::error!(request_id = %begun.id, "a request panicked");
                        status_of(ErrorReason::Internal).into_http()
                    },
                    explained,
                );
                Ok::<_, CalledTwice>(begun.answered(response))
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

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
