use metrics::{counter, describe_counter, describe_gauge, gauge};

use crate::{refusal_pace, task};

const CONNECTIONS_ENDED: &str = "bucketry_connections_ended_total";
const REQUESTS_ENDED: &str = "bucketry_requests_ended_total";
const CONNECTIONS: &str = "bucketry_connections";
const UNAUTHENTICATED: &str = "bucketry_unauthenticated";
const UNAUTHENTICATED_BYTES: &str = "bucketry_unauthenticated_bytes";

/// Why the server ended a connection or a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum EndReason {
    /// The TLS handshake or PROXY protocol header took too long.
    Handshake = 1,
    /// A head took too long.
    Head,
    /// A head of HTTP/1 was too large.
    HeadTooLarge,
    /// No request within the idle time-out.
    Idle,
    /// The client receives the answer too slowly.
    SlowReader,
    /// The client sends the request too slowly.
    SlowWriter,
    /// One network's share of the unauthenticated budget was full.
    BudgetOfNetwork,
    /// The unauthenticated budget was full.
    Budget,
    /// All connections were in use and a new one arrived.
    MaxConnections,
}

impl EndReason {
    const ALL: [Self; 9] = [
        Self::Handshake,
        Self::Head,
        Self::HeadTooLarge,
        Self::Idle,
        Self::SlowReader,
        Self::SlowWriter,
        Self::BudgetOfNetwork,
        Self::Budget,
        Self::MaxConnections,
    ];

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| *reason as u8 == code)
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Head => "head",
            Self::HeadTooLarge => "head_too_large",
            Self::Idle => "idle",
            Self::SlowReader => "slow_reader",
            Self::SlowWriter => "slow_writer",
            Self::BudgetOfNetwork => "budget_network",
            Self::Budget => "budget_total",
            Self::MaxConnections => "max_connections",
        }
    }

    pub(crate) fn count_connection(self) {
        counter!(CONNECTIONS_ENDED, "reason" => self.label()).increment(1);
    }

    pub(crate) fn count_request(self) {
        counter!(REQUESTS_ENDED, "reason" => self.label()).increment(1);
    }
}

/// Updates the gauges.
pub(crate) fn show_use(connections: usize, (unauthenticated, bytes): (usize, usize)) {
    gauge!(CONNECTIONS).set(connections as f64);
    gauge!(UNAUTHENTICATED).set(unauthenticated as f64);
    gauge!(UNAUTHENTICATED_BYTES).set(bytes as f64);
}

/// Describes the metrics of connections and tasks to the process's recorder, and initializes each to zero.
pub fn describe_metrics() {
    task::describe_metrics();
    refusal_pace::describe_metrics();
    describe_counter!(
        CONNECTIONS_ENDED,
        "Connections that the server ended, by reason."
    );
    describe_counter!(
        REQUESTS_ENDED,
        "HTTP/2 requests that the server ended, by reason."
    );
    describe_gauge!(CONNECTIONS, "Open connections.");
    describe_gauge!(
        UNAUTHENTICATED,
        "Handshakes, heads and bodies of unauthenticated callers."
    );
    describe_gauge!(
        UNAUTHENTICATED_BYTES,
        "Bytes of heads and bodies of unauthenticated callers."
    );
    for reason in EndReason::ALL {
        counter!(CONNECTIONS_ENDED, "reason" => reason.label()).increment(0);
    }
    for reason in [
        EndReason::SlowReader,
        EndReason::SlowWriter,
        EndReason::Budget,
        EndReason::BudgetOfNetwork,
    ] {
        counter!(REQUESTS_ENDED, "reason" => reason.label()).increment(0);
    }
    show_use(0, (0, 0));
}
