//! Fair shares of a server among authenticated callers.
//!
//! Every request holds a [`Slot`] from its authentication to the end of its answer. Slots are
//! divided by account and, within an account, by access key: see [`Shares`]. A request beyond its share waits for a
//! bounded time, in a queue that is served round robin by account, then by key, and is then refused.
//!
//! While several callers are active, a request also waits for a *turn* before it is read, so that the requests of a
//! caller with many connections wait here, in a fair queue, instead of in the executor's.

mod limiter;
pub mod on_behalf;
mod permits;
mod queue;
mod shares;
mod turns;

pub use limiter::{Fair, FairLimits, Load, MemoryReservation, Slot};
pub use permits::{Permit, Permits, TooManyWait};
pub use queue::FairQueue;
pub use shares::{FairCaller, ShareExceeded, Shares};
pub(crate) use turns::{Entry, Turns};
