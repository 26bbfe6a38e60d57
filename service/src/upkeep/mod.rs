//! The background work of a node: [`Collector`] deletes unreferenced blobs and old changes, [`Heartbeat`] renews the
//! node's lease, [`sequence_changes`] appends to the change log.

mod change_log;
mod collector;
mod heartbeat;

pub(crate) use change_log::sequence_changes;
pub(crate) use collector::{CollectError, Collector, collect_all, shared_time};
pub(crate) use heartbeat::Heartbeat;
