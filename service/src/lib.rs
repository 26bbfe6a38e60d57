//! The bucketry service.

pub mod access;
pub mod catalog;
pub mod domain;
