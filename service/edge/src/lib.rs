//! Where connections and requests enter a bucketry process: the client's address, listeners, and limits on callers.
//!
//! Used by the server and by the separate S3 adapter alike. Knows neither the contract nor S3.

pub mod environment;
pub mod forwarding;
