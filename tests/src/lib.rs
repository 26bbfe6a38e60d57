//! What the end-to-end tests stand on: a real server in a process of its own, callers by gRPC and by raw HTTP, a
//! signer that is not ours, and a runner for the scripts of real clients.

pub mod cluster;
pub mod error;
pub mod faults;
pub mod grpc;
pub mod haproxy;
pub mod http1;
pub mod linearizability;
pub mod postgres;
pub mod random;
pub mod script;
pub mod secrets;
pub mod server;
pub mod sigv4;
pub mod workload;
