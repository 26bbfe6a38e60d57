//! Attacks over real sockets. Each module says which attacks of its kind are tested elsewhere, and which do not apply.

mod by_hand;
mod exposure;
mod lost_commit;
mod protocol;
mod raw;
mod scope;
mod signature;
mod state;
mod streaming;
