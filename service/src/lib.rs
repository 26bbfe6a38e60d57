//! The bucketry service.
