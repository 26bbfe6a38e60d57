use std::error::Error;

use bytes::Bytes;
use http::{Request, Response};

use crate::forwarding::Forwarding;
use crate::{ConnectionInfo, RequestBody};

/// Answers the requests of a server's connections.
pub trait RequestHandler: Send + Sync + 'static {
    /// The body of an answer.
    type Body: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>
        + Send
        + Unpin
        + 'static;

    /// Answers one request. Its extensions hold a [`crate::DecisionSignal`], which must be sent as soon as it is decided
    /// whether the caller may go on; where the client has another address than the connection's,
    /// [`RequestBody::set_client`] comes before that.
    fn handle(
        &self,
        request: Request<RequestBody>,
        connection: ConnectionInfo,
    ) -> impl Future<Output = Response<Self::Body>> + Send;

    /// Which proxies are trusted.
    fn forwarding(&self) -> &Forwarding;

    /// Called once when the server begins to stop, before it closes its listeners.
    fn stopping(&self) -> impl Future<Output = ()> + Send;
}
