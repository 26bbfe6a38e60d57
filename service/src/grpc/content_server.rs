use std::convert::Infallible;
use std::future::ready;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bucketry_contract::v1::object_service_server::ObjectServiceServer;
use bucketry_contract::v1::{GetObjectRequest, GetSmallObjectRequest};
use futures::future::BoxFuture;
use futures::{FutureExt, Stream, TryStreamExt, stream};
use http::{HeaderMap, Response, header};
use prost::Message;
use tonic::body::Body;
use tonic::codec::{Codec, Streaming};
use tonic::metadata::{GRPC_CONTENT_TYPE, MetadataMap};
use tonic::server::NamedService;
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

use super::Server;
use super::content_body::ContentBody;
use super::content_frames::EncodeFrames;
use crate::error::to_status;
use crate::ops;
use crate::request::Service;

const GET_OBJECT: &str = "/bucketry.v1.ObjectService/GetObject";
const GET_SMALL_OBJECT: &str = "/bucketry.v1.ObjectService/GetSmallObject";

/// The generated server of objects, but the answers of the two RPCs that return content are sent without a copy of it.
#[derive(Debug, Clone)]
pub(crate) struct ObjectServer {
    generated: ObjectServiceServer<Server>,
    service: Arc<Service>,
    max_message: usize,
}

impl ObjectServer {
    /// Serves `server`; requests are at most `max_message` bytes long.
    pub(crate) fn new(server: Server, max_message: usize) -> Self {
        Self {
            service: Arc::clone(&server.service),
            generated: ObjectServiceServer::new(server).max_decoding_message_size(max_message),
            max_message,
        }
    }
}

impl NamedService for ObjectServer {
    const NAME: &'static str = <ObjectServiceServer<Server> as NamedService>::NAME;
}

impl tower::Service<http::Request<Body>> for ObjectServer {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        // The generated server refuses what is compressed.
        let is_plain = !request.headers().contains_key("grpc-encoding");
        let (service, max) = (Arc::clone(&self.service), self.max_message);
        match request.uri().path() {
            GET_OBJECT if is_plain => get_object(service, request, max).boxed(),
            GET_SMALL_OBJECT if is_plain => get_small_object(service, request, max).boxed(),
            _ => tower::Service::call(&mut self.generated, request),
        }
    }
}

async fn get_object(
    service: Arc<Service>,
    request: http::Request<Body>,
    max_message: usize,
) -> Result<Response<Body>, Infallible> {
    let answer = async {
        let request: Request<GetObjectRequest> = read_request(request, max_message).await?;
        let stream = ops::get_object(&service, request).await;
        stream.map_err(|error| to_status(&error))
    };
    Ok(respond(answer.await))
}

async fn get_small_object(
    service: Arc<Service>,
    request: http::Request<Body>,
    max_message: usize,
) -> Result<Response<Body>, Infallible> {
    let answer = async {
        let request: Request<GetSmallObjectRequest> = read_request(request, max_message).await?;
        let object = ops::read_small_object(&service, request).await;
        object.map_err(|error| to_status(&error))
    };
    let object = answer.await;
    Ok(respond(
        object.map(|object| stream::once(ready(Ok(object)))),
    ))
}

/// Reads the only message of a call, as the generated server does.
async fn read_request<T: Message + Default + 'static>(
    request: http::Request<Body>,
    max_message: usize,
) -> Result<Request<T>, Status> {
    let (head, body) = request.into_parts();
    let decoder = ProstCodec::<T, T>::default().decoder();
    let mut messages = pin!(Streaming::new_request(
        decoder,
        body,
        None,
        Some(max_message)
    ));
    let message = messages.try_next().await?;
    let message = message.ok_or_else(|| Status::internal("Missing request message."))?;
    let mut headers = head.headers;
    if let Some(trailers) = messages.trailers().await? {
        headers.extend(trailers.into_headers());
    }
    let metadata = MetadataMap::from_headers(headers);
    Ok(Request::from_parts(metadata, head.extensions, message))
}

fn respond<S, M>(answer: Result<S, Status>) -> Response<Body>
where
    S: Stream<Item = Result<M, Status>> + Send + Unpin + 'static,
    M: EncodeFrames + 'static,
{
    match answer {
        Ok(messages) => {
            let mut response = Response::new(Body::new(ContentBody::new(messages)));
            let headers: &mut HeaderMap = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, GRPC_CONTENT_TYPE);
            response
        }
        Err(status) => status.into_http(),
    }
}
