//! What the service does for itself, beside requests: settings, node leases, blob reservations, garbage, sweeping.

mod blob_batches;
mod change_log;
mod database_time;
mod forget_completed_uploads;
mod garbage;
mod heartbeat;
mod inspection;
mod orphaned_uploads;
mod ping;
mod recount;
mod referenced_blobs;
mod settings;

pub use blob_batches::Reclaim;
pub use change_log::KeepChanges;
pub use database_time::{TOLERATED_CLOCK_OFFSET, clock_offset_micros};
pub(crate) use settings::claim_setting;
