//! The bucketry service.

pub mod cli;
pub mod config;
pub mod node;
pub mod server;
pub mod telemetry;
