//! The front: accepts connections, ends TLS, finds whose each request is, and gives it to gRPC or to S3.
//!
//! Knows neither the services nor the adapter: it takes listeners, both fronts and the signal to stop from its caller.

mod connection;
mod connection_info;
mod effective_address;
mod explain;
mod front;
mod grpc;
mod limits;
mod listen;
mod observe;
mod proxy_protocol;
mod request_id;
mod serve;
mod stop;
mod tls;

pub use connection_info::{ConnectionInfo, Encryption};
pub use effective_address::{AddressSource, EffectiveAddress};
pub use front::Front;
pub use grpc::{DescriptorSets, GrpcBuilder, GrpcError, GrpcFront};
pub use limits::{Limits, MAX_HEAD_BYTES};
pub use listen::{ListenError, Listener, Preamble, listen, listen_all};
pub use observe::{Operation, RequestBody};
pub use proxy_protocol::{
    MAX_V1_BYTES, MAX_V2_BODY_BYTES, ProxyHeaderError, Relayed, parse_proxy_v1, parse_proxy_v2,
};
pub use request_id::RequestId;
pub use serve::{Drained, serve};
pub use stop::{StopSignals, stop_signals};
pub use tls::{Tls, TlsError};

#[cfg(test)]
mod tests;
