//! What the operator sees: log lines and metrics. Neither ever holds a header, a query or a secret.

pub mod logs;
pub mod metrics;
