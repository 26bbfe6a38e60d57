use bucketry_edge::RequestHandler;
use bucketry_edge::forwarding::Forwarding;
use http::{Request, Response};
use http_body_util::Either;
use tonic::body::Body;

use super::observe::ObservedBody;
use super::{ConnectionInfo, ConsoleFront, ListenerRole, RequestBody};

/// All that the listeners of a server answer. They share one budget of connections.
#[derive(Debug, Clone)]
pub struct Doors<F> {
    data: F,
    console: ConsoleFront,
}

impl<F> Doors<F> {
    /// `data` answers what arrives for gRPC and S3.
    #[must_use]
    pub fn new(data: F, console: ConsoleFront) -> Self {
        Self { data, console }
    }
}

impl<F: RequestHandler<Body = ObservedBody>> RequestHandler for Doors<F> {
    type Body = Either<ObservedBody, Body>;

    async fn handle(
        &self,
        request: Request<RequestBody>,
        connection: ConnectionInfo,
    ) -> Response<Self::Body> {
        let by_console = match connection.role {
            ListenerRole::Data => self.console.takes(&request),
            ListenerRole::Console => true,
        };
        if !by_console {
            return self
                .data
                .handle(request, connection)
                .await
                .map(Either::Left);
        }
        // Apart, so that the futures of other requests stay small.
        let answered = Box::pin(self.console.respond(request, connection));
        answered.await.map(Either::Right)
    }

    fn forwarding(&self) -> &Forwarding {
        self.data.forwarding()
    }

    async fn stopping(&self) {
        self.data.stopping().await;
    }
}
