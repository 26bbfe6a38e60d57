//! Rules of S3 that are pure functions of what the caller sent: ACLs, checksums, tags, CORS, conditions on reads.

pub(crate) mod checksums;
pub(crate) mod cors;
pub(crate) mod read_conditions;
pub(crate) mod tags;
