//! The bucketry service.

pub mod config;
pub mod server;
pub mod telemetry;
