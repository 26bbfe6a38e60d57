//! End-to-end tests: a real server, real clients.

mod access;
mod clients;
mod grpc;
mod lifecycle;
mod permissions;
mod revocation;
mod tls;
mod wire;
mod durability;
