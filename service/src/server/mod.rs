//! The front: accepts connections, ends TLS, and gives each request to gRPC or to S3.
//!
//! Knows neither the services nor the adapter: it takes listeners, both fronts and the signal to stop from its caller.

mod connection;
mod connection_info;
mod explain;
mod front;
mod grpc;
mod limits;
mod listen;
mod observe;
mod request_id;
mod serve;
mod stop;
mod tls;

pub use connection_info::{ConnectionInfo, Encryption};
pub use front::Front;
pub use grpc::{DescriptorSets, GrpcBuilder, GrpcError, GrpcFront};
pub use limits::{Limits, MAX_HEAD_BYTES};
pub use listen::{ListenError, listen};
pub use observe::{Operation, RequestBody};
pub use request_id::RequestId;
pub use serve::{Drained, serve};
pub use stop::{StopSignals, stop_signals};
pub use tls::{Tls, TlsError};

#[cfg(test)]
mod tests;
