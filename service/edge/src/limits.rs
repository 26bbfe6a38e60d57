use std::time::Duration;

/// The largest request head (HTTP/1) or header list (HTTP/2), in bytes: metadata is 2 KiB and a key 1 KiB (3 KiB when
/// percent-encoded), and a presigned URL carries a signature beside it.
pub const MAX_HEAD_BYTES: u32 = 32 * 1024;

/// The largest header list that is read of an HTTP/2 request: above [`MAX_HEAD_BYTES`], so that a head that exceeds that
/// is refused with the error of its protocol; one that exceeds this gets a bare 431 from the HTTP library.
pub(crate) const MAX_HTTP2_HEAD_BYTES: u32 = 2 * MAX_HEAD_BYTES;

/// The most headers that are read of an HTTP/1 request; for the same reason above what S3 takes.
pub(crate) const MAX_HTTP1_HEADERS: usize = 128;

/// The read and write buffer of an HTTP/1 connection. Not [`MAX_HEAD_BYTES`]: the buffer is also what a body is read
/// through, and 256 KiB is the chunk at which the transfer of large bodies is cheapest. The size of the head is judged
/// when it has been read.
pub(crate) const HTTP1_BUFFER_BYTES: usize = 256 * 1024;

/// How long an HTTP/1 client may take for a head, and how long it may keep the connection idle.
pub(crate) const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The most requests at once on one HTTP/2 connection.
pub(crate) const MAX_CONCURRENT_STREAMS: u32 = 256;

/// How much of one HTTP/2 body may be under way. Means nothing on loopback and is everything over a distance: it bounds
/// the bytes per round trip.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 4 * 1024 * 1024;

/// How much of all bodies of an HTTP/2 connection may be under way.
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;

/// How often a silent HTTP/2 connection is asked whether it lives.
pub(crate) const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);

/// How long it may take to say so.
pub(crate) const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// How many streams of an HTTP/2 connection the server may reset before it takes the client for an attacker and closes
/// the connection, with all calls on it. h2's default of 1,024 is reached by an honest client of many refused uploads.
pub(crate) const MAX_LOCAL_RESETS: usize = 16 * 1024;

/// What a server bears and how long it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most connections at once; further ones wait in the kernel's queue. At least 1.
    pub max_connections: u32,
    /// How long a TLS handshake may take, and a PROXY protocol header before it.
    pub handshake_timeout: Duration,
    /// How long a new connection may take until its first request has arrived; it bounds what HTTP's own timeouts do
    /// not see: a part of the HTTP/2 preface, or the preface and nothing after it.
    pub first_request_timeout: Duration,
    /// How long running requests may take to end once the server is told to stop.
    pub drain_deadline: Duration,
}

impl Default for Limits {
    /// 10,000 connections, 10 s for a handshake, 30 s for a first request, 30 s to drain.
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            handshake_timeout: Duration::from_secs(10),
            first_request_timeout: Duration::from_secs(30),
            drain_deadline: Duration::from_secs(30),
        }
    }
}
