//! The S3 adapter, given the services of this process.

use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response, StatusCode};
use tonic::body::Body;
use tower::util::BoxCloneSyncService;

use crate::config::{Config, PublicUrl};
use crate::grpc::Server;
use crate::server::RequestBody;
use crate::service::Service;

/// The service that takes S3 requests.
pub type S3Service = BoxCloneSyncService<Request<RequestBody>, Response<Body>, Infallible>;

pub(super) fn service(
    _service: &Arc<Service>,
    _server: Server,
    _config: &Config,
    _public_url: &PublicUrl,
) -> S3Service {
    let s3 = tower::service_fn(async |_request: Request<RequestBody>| {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
        Ok(response)
    });
    BoxCloneSyncService::new(s3)
}
