//! The adversarial checklist over real sockets: one test a line, named after its letter and number. A line that is
//! covered elsewhere, or does not apply, has a comment that says where or why.

mod by_hand;
mod exposure;
mod lost_commit;
mod protocol;
mod raw;
mod scope;
mod signature;
mod state;
mod streaming;
