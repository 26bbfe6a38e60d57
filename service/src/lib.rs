//! The bucketry service.

pub mod blobs;
pub mod digest;
