//! Where connections and requests enter: listeners, TLS, the PROXY protocol, HTTP, and the addresses of clients behind
//! proxies. Used by the server and by the separate S3 adapter; what answers a request is a [`RequestHandler`] of either.

// Tests spawn unnamed tasks.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

pub mod environment;
pub mod fair;
pub mod forwarding;
pub mod health;
pub mod side_door;
pub mod task;

pub mod budget;
mod connection;
mod connection_info;
mod connection_state;
pub mod descriptors;
pub mod duration;
mod end_reason;
mod gather;
mod limits;
mod line_limit;
mod listen;
mod pace;
mod proxy_protocol;
mod refusal_pace;
mod registry;
mod request_handler;
mod request_state;
mod serve;
mod settings;
mod socket;
mod stop;
mod streams;
mod sweep;
mod tls;
mod tls_files;
mod unauthenticated;
mod web_origin;

pub use connection_info::{ClientCertificate, ConnectionInfo, Encryption};
pub use end_reason::describe_metrics;
pub use limits::{ConnectionLimits, MAX_HEAD_BYTES};
pub use line_limit::LineLimit;
pub use listen::{ListenError, Listener, ListenerRole, Preamble, listen, listen_all};
pub use pace::MinRate;
pub use proxy_protocol::{
    MAX_V1_BYTES, MAX_V2_BODY_BYTES, ProxyHeaderError, Relayed, parse_proxy_v1, parse_proxy_v2,
};
pub use request_handler::RequestHandler;
pub use request_state::{DecisionSignal, ReceivedBytes, RequestBody};
pub use serve::{Drained, serve};
pub use settings::{LimitSettings, ZeroLimit};
pub use stop::{StopSignals, stop_signals};
pub use tls::{Tls, TlsError};
pub use tls_files::TlsFiles;
pub use web_origin::{WebOrigin, WebOriginError};

#[cfg(test)]
mod tests;
