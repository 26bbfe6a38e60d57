//! End-to-end tests: a real server, real clients.

mod clients;
mod grpc;
