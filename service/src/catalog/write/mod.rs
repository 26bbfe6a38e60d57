//! The one way in which anything is written: load, judge, apply, commit, publish, answer.

mod apply;
mod commit;
mod load;
mod submit;
mod writer;

pub(crate) use writer::Writers;
