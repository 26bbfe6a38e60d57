//! The bucketry service.

pub mod catalog;
pub mod domain;
