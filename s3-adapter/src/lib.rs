//! S3 REST over the contract.

mod answer;
pub mod body;
pub mod checksum;
pub mod chunked;
mod client_info;
mod content;
pub mod copy_source;
mod cors;
mod edge;
mod effective_headers;
pub mod error;
mod fault;
pub mod headers;
pub mod inproc;
mod intake;
mod keep_alive;
pub mod length;
pub mod query;
pub mod range;
pub mod remote;
pub mod response;
mod settings;
pub mod sigv4;
pub mod target;
pub mod xml;

pub use answer::{AnswerBody, BodyBroken};
pub use client_info::ClientInfo;
pub use edge::{Authority, GetObjectStream, Objects};
pub use settings::{Limits, Settings};
