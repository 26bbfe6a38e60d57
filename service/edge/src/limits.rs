use std::time::Duration;

use crate::budget::BudgetLimits;
use crate::descriptors::DEFAULT_MAX_CONNECTIONS;
use crate::pace::MinRate;

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

/// How much is read of an HTTP/1 head that does not end.
pub(crate) const MAX_UNREAD_HTTP1_HEAD_BYTES: u64 = 2 * MAX_HEAD_BYTES as u64;

/// How much is read of a connection at a time while no caller on it is proved. Otherwise one poll would read hundreds of
/// requests of a stranger before anyone else's.
pub(crate) const STRANGER_TURN_BYTES: usize = 16 * 1024;

/// From how much of an answer on its next steps wait for turns, while several accounts are active: the callers of many
/// large objects must not have all of them sent before the next request of another account is read.
pub(crate) const LARGE_ANSWER_BYTES: u64 = 64 * 1024;

/// How much is written in one turn while several accounts are active.
pub(crate) const TURN_WRITE_BYTES: u64 = 256 * 1024;

/// The most requests at once on one HTTP/2 connection.
pub(crate) const MAX_CONCURRENT_STREAMS: u32 = 256;

/// The flow-control window of an HTTP/2 stream, in bytes. It bounds the bytes per round trip, which matters on links
/// with a high latency.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 4 * 1024 * 1024;

/// The flow-control window of an HTTP/2 connection, in bytes.
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;

/// The interval of keep-alive pings on a silent HTTP/2 connection.
pub(crate) const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);

/// The time limit for the answer to a ping.
pub(crate) const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// How many streams of an HTTP/2 connection the server may reset before it closes the connection, with all calls on it,
/// as an attack. A well-behaved client with many refused uploads reaches h2's default of 1,024.
pub(crate) const MAX_LOCAL_RESETS: usize = 16 * 1024;

/// Limits and time-outs of a server's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// The most connections at once. For a further one the connection that has been without a request the longest is
    /// ended; if there is none it waits. At least 1.
    pub max_connections: u32,
    /// How long a TLS handshake may take, and a PROXY protocol header before it.
    pub handshake_timeout: Duration,
    /// How long a head may take, from the beginning of a new connection or from the first byte of a later head; also
    /// what HTTP/2 begins with.
    pub head_timeout: Duration,
    /// How long a connection may be without a request. HTTP/2 pings do not count.
    pub idle_timeout: Duration,
    /// The minimum rate of clients that send a body or receive an answer.
    pub min_rate: MinRate,
    /// The budget of unauthenticated callers.
    pub unauthenticated: BudgetLimits,
    /// How many refusals a second one network gets without a delay while its callers prove no credentials; at least 1.
    pub refusals_per_network: u32,
    /// How long running requests may take to end after the signal to stop.
    pub drain_deadline: Duration,
}

impl ConnectionLimits {
    /// How often connections are looked at: often enough that no limit is exceeded by more than a quarter.
    pub(crate) fn sweep_interval(&self) -> Duration {
        const SHORTEST: Duration = Duration::from_millis(10);
        const LONGEST: Duration = Duration::from_secs(1);
        let shortest = self
            .head_timeout
            .min(self.idle_timeout)
            .min(self.min_rate.grace);
        (shortest / 4).clamp(SHORTEST, LONGEST)
    }
}

impl Default for ConnectionLimits {
    /// 10,000 connections; 10 s for a handshake, 30 s for a head, 90 s without a request (common proxies close after
    /// 75 s, so that a request of theirs never meets a connection that is just being closed); 1 KiB/s after 30 s;
    /// 2,048 unauthenticated callers and 1,024 from one network, 64 and 32 MiB; 500 refusals a second; 30 s to drain.
    fn default() -> Self {
        Self {
            max_connections: DEFAULT_MAX_CONNECTIONS,
            handshake_timeout: Duration::from_secs(10),
            head_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(90),
            min_rate: MinRate {
                bytes_per_second: 1024,
                grace: Duration::from_secs(30),
            },
            unauthenticated: BudgetLimits {
                slots: 2048,
                slots_per_network: 1024,
                bytes: 64 * 1024 * 1024,
                bytes_per_network: 32 * 1024 * 1024,
            },
            refusals_per_network: 500,
            drain_deadline: Duration::from_secs(30),
        }
    }
}
