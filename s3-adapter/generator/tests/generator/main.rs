//! Tests of the generator against the real contract and against small ones.

#![allow(clippy::unwrap_used)]

mod contract;
mod forms;
mod golden;
mod publish;
mod refusals;
