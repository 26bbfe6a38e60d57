//! A request from its credentials to its commit.
//!
//! In the order of a call: [`credentials`] are read from its head. [`requirement`] computes what it needs. [`identify`]
//! verifies the caller, by key, by an edge's session or by a [`local_decision`]; [`presumed`] replaces rows that may be
//! outdated by the current ones. [`admission`] finds the bucket, calls the evaluator through [`judgement`] and returns a [`grant`]. [`ledger`] counts requests and bytes and records
//! denials. [`watch`] ends transfers whose grant was withdrawn, and [`commit`] orders a change against an edit of the
//! caller's key.
//!
//! [`service`] holds what all of them use.

mod admission;
mod commit;
mod counting;
mod credentials;
mod current_read;
mod effective_address;
mod fair_share;
mod grant;
mod identify;
mod judgement;
mod key_row;
mod ledger;
mod local_decision;
mod origin;
mod presumed;
mod request_id;
mod requirement;
mod service;
mod transport;
mod watch;

pub(crate) use counting::Counting;
pub(crate) use credentials::Credentials;
pub use effective_address::{AddressSource, EffectiveAddress};
pub(crate) use fair_share::{busy, fair_caller};
pub(crate) use grant::{AccountGrant, BucketGrant, Grant};
pub(crate) use identify::session_use;
pub(crate) use judgement::{decide, judge};
pub(crate) use ledger::Ledger;
pub(crate) use local_decision::LocalDecision;
pub(crate) use origin::origin;
pub(crate) use presumed::{IdentifiedCaller, PresumedCaller};
pub use request_id::RequestId;
#[cfg(test)]
pub(crate) use requirement::evaluated;
pub(crate) use requirement::{OBJECT_SERVICE, Requirements, Resource};
pub(crate) use service::{AdapterCertificate, Service, ServiceSettings};
pub(crate) use watch::Payload;
