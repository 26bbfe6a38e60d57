//! The background work of a node: [`Collector`] deletes unreferenced blobs, [`Heartbeat`] renews the node's lease.

mod collector;
mod heartbeat;

pub(crate) use collector::{CollectError, Collector, collect_all, shared_time};
pub(crate) use heartbeat::Heartbeat;
