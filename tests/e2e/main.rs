//! End-to-end tests: a real server, real clients.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "all of this crate is tests, their helpers too"
)]

mod access;
mod account_keys;
mod addressing;
mod adversarial;
mod attack;
mod bad_input;
mod blob_files;
mod bucket_statistics;
mod client_address;
mod clients;
mod cluster_faults;
mod console;
mod database_faults;
mod describe_caller;
mod doctor_database;
mod durability;
mod expected_owner;
mod fairness;
mod grpc;
mod haproxy;
mod health;
mod keys;
mod lifecycle;
mod limits;
mod load_compare;
mod migration;
mod node_clock;
mod operating;
mod permissions;
mod post_form;
mod presigned_urls;
mod proxy_protocol;
mod races;
mod revocation;
mod search;
mod secrets;
mod separate_adapter;
mod sign_in;
mod sync_order;
mod tls;
mod token_admin;
mod two_nodes;
mod usage;
mod wire;
