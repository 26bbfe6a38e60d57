//! Tests of the generator against the real contract and against small faulty ones.

#![allow(clippy::unwrap_used)]

mod contract;
mod golden;
mod publish;
mod refusals;
