use bucketry_edge::RequestHandler;
use bucketry_edge::forwarding::Forwarding;
use http::{Request, Response};
use http_body_util::Either;
use tonic::body::Body;

use super::observe::ObservedBody;
use super::{ConnectionInfo, ConsoleFront, ListenerRole, RequestBody};

/// Routes the requests of all listeners, which share one budget of connections.
#[derive(Debug, Clone)]
pub struct ListenerRouter<F> {
    data: F,
    console: ConsoleFront,
}

impl<F> ListenerRouter<F> {
    /// `data` answers what arrives for gRPC and S3.
    #[must_use]
    pub fn new(data: F, console: ConsoleFront) -> Self {
        Self { data, console }
    }
}

impl<F: RequestHandler<Body = ObservedBody>> RequestHandler for ListenerRouter<F> {
    type Body = Either<ObservedBody, Body>;

    async fn handle(
        &self,
        request: Request<RequestBody>,
        connection: ConnectionInfo,
    ) -> Response<Self::Body> {
        let by_console = match connection.role {
            ListenerRole::Data => self.console.accepts(&request),
            ListenerRole::Console => true,
        };
        if !by_console {
            return self
                .data
                .handle(request, connection)
                .await
                .map(Either::Left);
        }
        // Boxed, to keep the futures of other requests small.
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
