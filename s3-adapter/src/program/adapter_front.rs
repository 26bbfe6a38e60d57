//! The front of the adapter's own process: requests of its connections to the adapter.

use std::convert::Infallible;

use bucketry_edge::forwarding::{Forwarding, client_address_of};
use bucketry_edge::health::Health;
use bucketry_edge::{ConnectionInfo, Encryption, Relayed, RequestBody, RequestHandler};
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, Version};
use tower::Service;
use uuid::Uuid;

use crate::sigv4::Scheme;
use crate::{AnswerBody, ClientInfo, S3Adapter};

/// Passes each request to the adapter, with the facts of its client.
#[derive(Debug)]
pub(crate) struct AdapterFront {
    pub(crate) adapter: S3Adapter,
    pub(crate) forwarding: Forwarding,
    pub(crate) health: Health,
}

impl RequestHandler for AdapterFront {
    type Body = AnswerBody;

    async fn handle(
        &self,
        mut request: Request<RequestBody>,
        connection: ConnectionInfo,
    ) -> Response<AnswerBody> {
        let peer = match connection.relayed {
            None | Some(Relayed::Local) => connection.peer.map(|peer| peer.ip()),
            Some(Relayed::Unknown) => None,
            Some(Relayed::From(client)) => Some(client),
        };
        // Of the request, not of the connection: a proxy sends those of many clients over one.
        let client = client_address_of(peer, &self.forwarding, request.headers());
        request.body().set_client(client.address);
        request.extensions_mut().insert(ClientInfo {
            address: client.address,
            scheme: match connection.encryption {
                Encryption::Tls => Scheme::Https,
                Encryption::Plaintext => Scheme::Http,
            },
            request_id: Uuid::now_v7().simple().to_string().into(),
        });
        let version = request.version();
        let answered: Result<_, Infallible> = self.adapter.clone().call(request).await;
        let mut response = answered.unwrap_or_else(|never| match never {});
        // Lets clients with persistent connections move to another adapter before this one stops.
        if version < Version::HTTP_2 && self.health.is_draining() {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        response
    }

    fn forwarding(&self) -> &Forwarding {
        &self.forwarding
    }

    async fn stopping(&self) {}
}
