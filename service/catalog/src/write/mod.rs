//! The one way in which anything is written: load, judge, apply, commit, publish, answer.

mod commit;
mod decisive_rows;
mod load;
mod locks;
mod plan;
mod submit;
mod waiting;
mod writer;

pub use submit::Rejection;
pub(crate) use writer::Writer;

#[cfg(test)]
pub(crate) use {load::select_occupant, plan::plan};
