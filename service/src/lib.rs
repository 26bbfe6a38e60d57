//! The bucketry service: catalog and blobs behind the contract's services.

pub mod access;
pub mod blobs;
pub mod catalog;
pub mod cli;
pub mod clock;
mod collector;
pub mod config;
mod convert;
pub mod digest;
pub mod domain;
mod error;
pub mod fsck;
mod gate;
pub mod grpc;
mod intake;
mod limits;
pub mod node;
mod ops;
mod page_tokens;
mod placement;
mod refusal;
mod rules;
pub mod server;
mod service;
mod status;
pub mod telemetry;
mod watch;
