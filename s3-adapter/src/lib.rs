//! S3 REST over the contract.

// Tests spawn unnamed tasks.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

mod answer;
mod authorize;
pub mod binding;
pub mod body;
#[cfg(feature = "program")]
pub mod channels;
pub mod checksum;
pub mod chunked;
mod client_info;
mod console_cors;
mod content;
pub mod copy_source;
mod cors;
pub mod dates;
mod edge;
mod effective_headers;
mod encoded_word;
pub mod error;
mod exchange;
mod fault;
#[cfg(test)]
mod fixture;
pub mod form;
pub mod generated;
mod head_checks;
mod header_names;
pub mod headers;
mod hooks;
mod host;
pub mod inproc;
mod intake;
mod keep_alive;
pub mod length;
mod pipeline;
#[cfg(feature = "program")]
pub mod program;
pub mod query;
pub mod range;
#[cfg(feature = "program")]
pub mod remote;
pub mod response;
mod said;
mod service;
mod settings;
pub mod sigv4;
pub mod target;
mod write_condition;
pub mod xml;

pub use answer::{AnswerBody, BodyBroken};
pub use client_info::ClientInfo;
pub use edge::{Authority, Objects, TimeSource};
pub use pipeline::OperationName;
pub use service::S3Adapter;
pub use settings::{AdapterSettings, RequestLimits};
