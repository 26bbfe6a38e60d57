//! Where connections and requests enter: listeners, TLS, the PROXY protocol, HTTP, and the addresses of clients behind
//! proxies. Used by the server and by the separate S3 adapter; what answers a request is a [`Handler`] of either.

pub mod environment;
pub mod fair;
pub mod forwarding;

mod connection;
mod connection_info;
pub mod duration;
mod handler;
mod limits;
mod listen;
mod proxy_protocol;
mod serve;
mod stop;
mod tls;

pub use connection_info::{ClientCertificate, ConnectionInfo, Encryption};
pub use handler::Handler;
pub use limits::{Limits, MAX_HEAD_BYTES};
pub use listen::{ListenError, Listener, Preamble, listen, listen_all};
pub use proxy_protocol::{
    MAX_V1_BYTES, MAX_V2_BODY_BYTES, ProxyHeaderError, Relayed, parse_proxy_v1, parse_proxy_v2,
};
pub use serve::{Drained, serve};
pub use stop::{StopSignals, stop_signals};
pub use tls::{Tls, TlsError};
