//! What the operator decides about the edge.

use std::time::Duration;

use bucketry_edge::WebOrigin;

use crate::target::BaseDomains;

/// The settings of an adapter.
#[derive(Debug, Clone)]
pub struct AdapterSettings {
    /// The base domains under which a host name carries a bucket.
    pub domains: BaseDomains,
    /// The region that answers name.
    pub region: String,
    /// The URL under which clients reach S3, without a slash at the end, as in `http://localhost:9000`.
    pub public_url: String,
    /// Host names (with port, if not the default) under which clients know the server: tried when a proxy has rewritten
    /// the host that was signed.
    pub public_hosts: Vec<String>,
    /// The origins of web consoles, whose pages may send presigned requests and read the answers.
    pub console_origins: Vec<WebOrigin>,
    /// What one request and all together may take.
    pub limits: RequestLimits,
}

/// What one request, and all of them together, may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    /// The most requests at once, counted until the last byte of the answer and divided fairly among accounts and
    /// access keys; further ones get `SlowDown`. At least 1. Unused if the authority divides requests itself.
    pub max_requests: usize,
    /// The most headers of a request.
    pub max_headers: usize,
    /// The largest head: path, query and header lines together, in bytes.
    pub max_head_bytes: usize,
    /// The longest path and query, in bytes.
    pub max_target_bytes: usize,
    /// How long a body may make no progress.
    pub body_idle: Duration,
    /// After how long a completion or copy begins to send white space, so that no proxy takes it for dead; also the
    /// pause between two of them.
    pub keep_alive: Duration,
    /// How much of a body is read after a refusal, so that a client that is still sending sees the answer, in bytes.
    pub drain_bytes: u64,
    /// For how long that is done.
    pub drain_time: Duration,
}

impl Default for RequestLimits {
    /// 1,024 requests, 100 headers, 32 KiB of head, 16 KiB of target, 60 s without progress, white space every 10 s, 1 MiB or 2 s of
    /// draining.
    fn default() -> Self {
        Self {
            max_requests: 1024,
            max_headers: 100,
            max_head_bytes: 32 * 1024,
            max_target_bytes: 16 * 1024,
            body_idle: Duration::from_secs(60),
            keep_alive: Duration::from_secs(10),
            drain_bytes: 1024 * 1024,
            drain_time: Duration::from_secs(2),
        }
    }
}

impl Default for AdapterSettings {
    /// `http://localhost:9000` in `us-east-1`, with `localhost` as a base domain.
    fn default() -> Self {
        Self {
            domains: BaseDomains::new(["localhost"]),
            region: "us-east-1".to_owned(),
            public_url: "http://localhost:9000".to_owned(),
            public_hosts: Vec::new(),
            console_origins: Vec::new(),
            limits: RequestLimits::default(),
        }
    }
}
