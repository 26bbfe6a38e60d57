//! The bucketry service: catalog and blobs behind the contract's services.

// Tests spawn unnamed tasks.
#![cfg_attr(test, allow(clippy::disallowed_methods))]
// An optimised build computes the layout of the futures of a request, which nest deeper than the default of 128.
#![recursion_limit = "256"]

pub use bucketry_access as access;
pub use bucketry_blobs as blobs;
pub use bucketry_catalog as catalog;
pub use bucketry_domain as domain;

mod call_gate;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
mod content;
mod convert;
pub mod digest;
mod endpoints;
mod error;
pub mod fsck;
pub mod grpc;
mod limits;
mod metering;
#[cfg(test)]
mod module_cycles;
pub mod node;
mod ops;
mod page_tokens;
pub mod program;
mod request;
mod rules;
mod sealing;
pub mod server;
mod settings;
pub mod telemetry;
mod upkeep;
