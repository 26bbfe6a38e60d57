//! S3 REST over the contract.

pub mod body;
pub mod checksum;
pub mod chunked;
pub mod copy_source;
pub mod error;
pub mod headers;
pub mod inproc;
pub mod length;
pub mod query;
pub mod range;
pub mod response;
pub mod sigv4;
pub mod target;
pub mod xml;
