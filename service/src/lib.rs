//! The bucketry service: catalog and blobs behind the contract's services.

// An optimised build computes the layout of the futures of a request, which nest deeper than the default of 128.
#![recursion_limit = "256"]

pub mod access;
mod admission;
pub mod blobs;
mod call_gate;
pub mod catalog;
pub mod cli;
pub mod clock;
mod collector;
mod commit;
pub mod config;
mod convert;
mod decision;
pub mod digest;
pub mod domain;
mod endpoints;
mod error;
mod fair_share;
pub mod fsck;
mod gate;
mod grant;
pub mod grpc;
mod heartbeat;
mod intake;
mod judgement;
mod ledger;
mod limits;
mod metering;
pub mod node;
mod ops;
mod page_tokens;
mod placement;
mod reclaim;
mod refusal;
mod requirement;
mod rules;
mod sealing;
pub mod server;
mod service;
mod settings;
mod status;
pub mod telemetry;
mod watch;
