//! End-to-end tests: a real server, real clients.

mod access;
mod clients;
mod grpc;
mod wire;
mod durability;
