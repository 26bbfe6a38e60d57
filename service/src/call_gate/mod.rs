//! Judges gRPC calls by their heads, before any message is read: authenticates the caller and takes a slot for the call.
//! The result is in the request's extensions; the operation does not authenticate again.

mod body;
mod frames;
mod strangers;
mod streams;

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bucketry_contract::access_table::{self, AccessClass, RpcAccess};
use bucketry_edge::fair::{FairCaller, FairLimits, Slot, on_behalf};
use bucketry_edge::{ConnectionInfo, DecisionSignal};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use prost::Message;
use tonic::Status;
use tonic::body::Body;
use tonic::service::Routes;
use tower::ServiceExt;

use self::body::{BoxError, CallBody, MessageLimits};
use self::strangers::Strangers;
use self::streams::{OpenStreams, StreamBody};
use crate::error::{Error, about_the_edge, to_status};
use crate::request::{Credentials, Service, fair_caller};

/// The longest message, in bytes: a chunk of 2 MiB and its envelope.
pub(crate) const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// The longest message of an unauthenticated caller, in bytes.
const MAX_PUBLIC_MESSAGE_BYTES: u32 = 64 * 1024;

/// The time limit for such a message: sign-ins must not wait for callers who send nothing.
const PUBLIC_MESSAGE_TIMEOUT: Duration = Duration::from_secs(5);

/// The streams that need no credentials, with what the client sends on each.
const STREAMS: [(&str, Kind); 3] = [
    ("/grpc.health.v1.Health/Watch", Kind::Message),
    (
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        Kind::Stream,
    ),
    (
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        Kind::Stream,
    ),
];

/// The content of a call: of a connection, or translated from gRPC-Web.
pub(crate) trait CallContent:
    HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static
{
}

impl<B> CallContent for B where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static
{
}

/// One RPC of the contract.
#[derive(Debug, Clone, Copy)]
struct Rpc {
    access: &'static RpcAccess,
    kind: Kind,
}

/// What the client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One message.
    Message,
    /// A stream of messages.
    Stream,
}

/// Judges calls before they reach the gRPC services.
#[derive(Clone)]
pub(crate) struct CallGate {
    service: Arc<Service>,
    rpcs: Arc<HashMap<String, Rpc>>,
    strangers: Arc<Strangers>,
    streams: Arc<OpenStreams>,
}

impl std::fmt::Debug for CallGate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("CallGate").finish_non_exhaustive()
    }
}

impl CallGate {
    /// Judges for `service`, whose requests are divided by `shares`; `descriptor_set` has all services of the contract.
    ///
    /// # Errors
    /// If the descriptor set cannot be read.
    pub(crate) fn new(
        service: Arc<Service>,
        shares: FairLimits,
        descriptor_set: &[u8],
    ) -> Result<Self, prost::DecodeError> {
        let set = prost_types::FileDescriptorSet::decode(descriptor_set)?;
        let mut rpcs = HashMap::new();
        for file in &set.file {
            for service in &file.service {
                let name = format!("{}.{}", file.package(), service.name());
                for method in &service.method {
                    let Some(access) = access_table::of(&name, method.name()) else {
                        continue;
                    };
                    let kind = match method.client_streaming() {
                        true => Kind::Stream,
                        false => Kind::Message,
                    };
                    rpcs.insert(format!("/{name}/{}", method.name()), Rpc { access, kind });
                }
            }
        }
        Ok(Self {
            service,
            rpcs: Arc::new(rpcs),
            strangers: Arc::new(Strangers::new(shares)),
            streams: OpenStreams::new(),
        })
    }

    /// Answers a call: with a refusal, or by the services.
    pub(crate) async fn call<B: CallContent>(
        &self,
        mut request: Request<B>,
        routes: Routes,
    ) -> Response<Body> {
        let rpc = match self.rpcs.get(request.uri().path()).copied() {
            Some(rpc) if rpc.access.class != AccessClass::Public => rpc,
            // Apart, so that the futures of most calls stay small.
            Some(_) => return Box::pin(self.call_of_stranger(request, routes)).await,
            None => return Box::pin(self.call_beside(request, routes)).await,
        };
        let Admitted { slot, limits } = match self.admit(&mut request, rpc).await {
            Ok(admitted) => admitted,
            Err(error) => {
                let status = match rpc.access.class == AccessClass::Edge {
                    true => about_the_edge(&error),
                    false => to_status(&error),
                };
                return status.into_http();
            }
        };
        let request = request.map(|body| Body::new(CallBody::new(body, limits, slot.clone())));
        let answered = routes.oneshot(request).await;
        let Some(slot) = slot else {
            return answered.unwrap_or_else(|never| match never {});
        };
        match answered {
            Ok(response) => response.map(|inner| Body::new(HeldBody { inner, _slot: slot })),
            Err(never) => match never {},
        }
    }

    /// Authenticates the caller and stores the result in the request's extensions.
    async fn admit<B>(&self, request: &mut Request<B>, rpc: Rpc) -> Result<Admitted, Error> {
        let service = &self.service;
        if rpc.access.class == AccessClass::Edge {
            let connection = request.extensions().get::<ConnectionInfo>().copied();
            service.check_edge_connection(connection)?;
        }
        let credentials = service
            .read_credentials(request.headers(), request.extensions(), rpc.access.rpc)
            .await?;
        let sharer = match credentials.known() {
            Some(known) if known.key().is_none() => return Err(Error::CredentialsRequired),
            Some(known) => {
                let sharer = fair_caller(known);
                if let Some(decision) = request.extensions().get::<DecisionSignal>() {
                    decision.decided_for(sharer);
                }
                sharer
            }
            None => self.of_session(&credentials)?,
        };
        on_behalf::set(sharer);
        // An adapter in its own process divides its calls among its own callers.
        let slot = match rpc.access.class {
            AccessClass::Edge => None,
            _ => Some(Arc::new(service.slot(sharer).await?)),
        };
        request.extensions_mut().insert(credentials);
        Ok(Admitted {
            slot,
            limits: self.message_limits(u32::MAX, rpc.kind),
        })
    }

    /// Callers with an edge's session share by the session's key. The account is not looked up, so that a
    /// call does not read the key twice: the edge has divided by accounts already.
    fn of_session(&self, credentials: &Credentials) -> Result<FairCaller, Error> {
        let pk = self.service.session_key(credentials)?;
        Ok(match pk {
            None => FairCaller::ANONYMOUS,
            Some(pk) => FairCaller {
                account: pk.0.cast_unsigned() | SESSION_ACCOUNT,
                key: pk.0.cast_unsigned(),
            },
        })
    }

    /// Answers a call of the contract that needs no credentials. It takes its places when its message is complete, and
    /// gives them back when its answer is ready: no client can hold one.
    async fn call_of_stranger<B: CallContent>(
        &self,
        request: Request<B>,
        routes: Routes,
    ) -> Response<Body> {
        let caller = self.strangers.caller(request.extensions());
        let request =
            match strangers::whole(request, self.public_message_limits(Kind::Message)).await {
                Ok(request) => request,
                Err(status) => return status.into_http(),
            };
        let places = async {
            let of_network = self.strangers.place(caller).await?;
            let among_all = self.service.slot(FairCaller::ANONYMOUS);
            Ok::<_, Error>((of_network, among_all.await?))
        };
        let _places = match places.await {
            Ok(places) => places,
            Err(error) => return to_status(&error).into_http(),
        };
        let answered = routes.oneshot(request).await;
        answered.unwrap_or_else(|never| match never {})
    }

    /// Answers what is not of the contract: health, reflection, and what does not exist. None of it takes a slot: load
    /// balancers must learn of health whatever strangers do.
    async fn call_beside<B: CallContent>(
        &self,
        request: Request<B>,
        routes: Routes,
    ) -> Response<Body> {
        let path = request.uri().path();
        let stream = STREAMS.iter().find(|(stream, _)| *stream == path);
        let kind = stream.map_or(Kind::Message, |(_, kind)| *kind);
        let place = stream.map(|_| (self.streams).enter(streams::connection(request.extensions())));
        let limits = self.public_message_limits(kind);
        let request = request.map(|body| {
            let body = CallBody::new(body, limits, None);
            match &place {
                Some(place) => Body::new(place.request(body)),
                None => Body::new(body),
            }
        });
        let response = routes.oneshot(request).await;
        let response = response.unwrap_or_else(|never| match never {});
        match place {
            Some(place) => response.map(|inner| Body::new(StreamBody::new(inner, place))),
            None => response,
        }
    }

    /// Ends the streams of health and reflection, once what they have to say has been sent.
    pub(crate) fn end_streams(&self) {
        self.streams.stop();
    }

    fn public_message_limits(&self, kind: Kind) -> MessageLimits {
        let limits = self.message_limits(MAX_PUBLIC_MESSAGE_BYTES, kind);
        MessageLimits {
            within: limits.within.map(|limit| limit.min(PUBLIC_MESSAGE_TIMEOUT)),
            ..limits
        }
    }

    fn message_limits(&self, longest: u32, kind: Kind) -> MessageLimits {
        let timeout = self.service.settings.message_timeout;
        MessageLimits {
            longest,
            within: (kind == Kind::Message).then_some(timeout),
        }
    }
}

/// Sets the accounts of sessions apart from those of the catalog.
const SESSION_ACCOUNT: u64 = 1 << 62;

/// A call that may go on.
struct Admitted {
    slot: Option<Arc<Slot>>,
    limits: MessageLimits,
}

/// The answer to a call. Its slot is returned when the answer has been sent or cancelled.
struct HeldBody {
    inner: Body,
    _slot: Arc<Slot>,
}

impl HttpBody for HeldBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
