//! Joins what the configuration names into one running node.

use std::convert::Infallible;

use http::{Request, Response, StatusCode};
use tonic::body::Body;
use tower::util::BoxCloneSyncService;

use crate::config::{Config, KeyPair, PublicUrl};
use crate::server::{Front, GrpcBuilder, GrpcError, RequestBody};

/// The service that takes S3 requests.
pub type S3Service = BoxCloneSyncService<Request<RequestBody>, Response<Body>, Infallible>;

/// Why a node cannot be opened. The operator reads it.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The gRPC services cannot be joined.
    #[error(transparent)]
    Grpc(#[from] GrpcError),
}

/// All that serves requests.
#[derive(Debug)]
pub struct Node {
    /// Both fronts.
    pub front: Front<S3Service>,
    /// The operator's key if this start made it; to be shown once.
    pub first_start: Option<KeyPair>,
}

/// Opens a node: health and reflection over gRPC; S3 has no operations yet and says so.
///
/// # Errors
/// [`NodeError`].
pub async fn open(_config: &Config, _public_url: &PublicUrl) -> Result<Node, NodeError> {
    let grpc = GrpcBuilder::default()
        .build(bucketry_contract::DESCRIPTOR_SET)
        .await?;
    let s3 = tower::service_fn(async |_request: Request<RequestBody>| {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
        Ok(response)
    });
    Ok(Node {
        front: Front::new(grpc, BoxCloneSyncService::new(s3)),
        first_start: None,
    })
}
