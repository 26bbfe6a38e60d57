use std::error::Error;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;

use crate::ConnectionInfo;
use crate::forwarding::Forwarding;

/// What answers the requests of a server's connections.
pub trait Handler: Send + Sync + 'static {
    /// The body of an answer.
    type Body: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>
        + Send
        + 'static;

    /// Answers one request.
    fn handle(
        &self,
        request: Request<Incoming>,
        connection: ConnectionInfo,
    ) -> impl Future<Output = Response<Self::Body>> + Send;

    /// Which proxies are trusted.
    fn forwarding(&self) -> &Forwarding;

    /// Called once when the server begins to stop, before it closes its listeners.
    fn stopping(&self) -> impl Future<Output = ()> + Send;
}
