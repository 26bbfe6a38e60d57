//! The front: finds whose each request is, and gives it to gRPC or to S3.
//!
//! Knows neither the services nor the adapter: it takes both fronts from its caller. Connections are the work of
//! [`bucketry_edge`].

mod console_front;
mod explain;
mod front;
mod grpc;
mod listener_router;
mod observe;
mod observed_request;

pub use crate::request::{AddressSource, EffectiveAddress, RequestId};
pub use bucketry_edge::{
    ClientCertificate, ConnectionInfo, ConnectionLimits, Drained, Encryption, ListenError,
    Listener, ListenerRole, MAX_HEAD_BYTES, MAX_V1_BYTES, MAX_V2_BODY_BYTES, Preamble, Relayed,
    RequestBody, Tls, TlsError, listen, listen_all, parse_proxy_v1, parse_proxy_v2, serve,
    stop_signals,
};
pub use console_front::ConsoleFront;
pub use front::Front;
pub(crate) use grpc::Serving;
pub use grpc::{DescriptorSets, GrpcBuilder, GrpcError, GrpcFront};
pub use listener_router::ListenerRouter;
pub use observe::ObservedOperation;

#[cfg(test)]
mod tests;
