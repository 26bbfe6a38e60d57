use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Response};
use metrics::{counter, describe_counter};
use tokio::time::Instant;

use crate::budget::Network;

/// How many refusals a network may have at once before the rate is enforced, as the time in which they become due.
const BURST: Duration = Duration::from_secs(1);
/// The longest delay: shorter than the time-outs of clients.
const MAX_DELAY: Duration = Duration::from_secs(5);
/// Networks that are remembered. Beyond that, new ones share one record.
const MAX_NETWORKS: usize = 64 * 1024;

const DELAYED: &str = "bucketry_refusals_delayed_total";
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// Delays refusals of callers without proved credentials when their network gets more of them than a rate allows: each
/// costs a decision, and a client that tries keys or signatures sends the next one as soon as it is refused.
///
/// This is the generic cell rate algorithm: a network's record is the time at which its refusals so far are due.
#[derive(Debug)]
pub(crate) struct RefusalPace {
    /// The time of one refusal.
    interval: Duration,
    due: Mutex<Due>,
}

#[derive(Debug, Default)]
struct Due {
    /// `None` stands for all that came when there was no room.
    by_network: HashMap<Option<Network>, Instant>,
    /// When past ones were last removed.
    swept: Option<Instant>,
}

impl RefusalPace {
    /// At most `per_second` refusals of a network without a delay, at least 1.
    pub(crate) fn new(per_second: u32) -> Self {
        Self {
            interval: Duration::from_secs(1) / per_second.max(1),
            due: Mutex::default(),
        }
    }

    /// Counts a refusal, and returns how long it waits.
    pub(crate) fn delay(&self, network: Network, now: Instant) -> Option<Duration> {
        let delay = self.due().count(network, now, self.interval);
        if delay.is_some() {
            counter!(DELAYED).increment(1);
        }
        delay
    }

    fn due(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Due {
    fn count(&mut self, network: Network, now: Instant, interval: Duration) -> Option<Duration> {
        self.sweep(now);
        let is_known =
            self.by_network.len() < MAX_NETWORKS || self.by_network.contains_key(&Some(network));
        let record = Some(network).filter(|_| is_known);
        let due = self.by_network.entry(record).or_insert(now);
        let next = (*due).max(now) + interval;
        *due = next.min(now + BURST + MAX_DELAY);
        let delay = due.duration_since(now).saturating_sub(BURST);
        Some(delay).filter(|delay| !delay.is_zero())
    }

    /// Makes room when there is none, at most once a second: it looks at all records.
    fn sweep(&mut self, now: Instant) {
        let is_due = self.swept.is_none_or(|swept| now >= swept + BURST);
        if self.by_network.len() >= MAX_NETWORKS && is_due {
            self.by_network.retain(|_, due| *due > now);
            self.swept = Some(now);
        }
    }
}

/// Whether an answer refuses its request for a cause that is the caller's: a status of 4xx, or an error of gRPC of that
/// kind, without a message before it.
pub(crate) fn is_refusal<B>(response: &Response<B>) -> bool {
    let grpc = response.headers().get(GRPC_STATUS);
    response.status().is_client_error() || grpc.is_some_and(blames_caller)
}

/// Whether a gRPC status is none of `OK`, `CANCELLED`, `UNKNOWN`, `DEADLINE_EXCEEDED`, `RESOURCE_EXHAUSTED`, `INTERNAL`,
/// `UNAVAILABLE` and `DATA_LOSS`.
fn blames_caller(status: &HeaderValue) -> bool {
    !matches!(
        status.as_bytes(),
        b"0" | b"1" | b"2" | b"4" | b"8" | b"13" | b"14" | b"15"
    )
}

/// Describes the metric, and initializes it to zero.
pub(crate) fn describe_metrics() {
    describe_counter!(
        DELAYED,
        "Refusals that were delayed, since their client address got too many."
    );
    counter!(DELAYED).increment(0);
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn network(text: &str) -> Network {
        Network::of(text.parse::<IpAddr>().unwrap())
    }

    /// The delays of refusals that come at the same moment.
    fn at_once(pace: &RefusalPace, network: Network, now: Instant, count: usize) -> Vec<Duration> {
        let delays = (0..count).map(|_| pace.delay(network, now).unwrap_or_default());
        delays.collect()
    }

    #[test]
    fn a_burst_is_not_delayed_and_what_follows_comes_at_the_rate() {
        let pace = RefusalPace::new(10);
        let now = Instant::now();
        let delays = at_once(&pace, network("192.0.2.1"), now, 12);
        assert_eq!(delays[..10], [Duration::ZERO; 10]);
        assert_eq!(delays[10], Duration::from_millis(100));
        assert_eq!(delays[11], Duration::from_millis(200));
    }

    #[test]
    fn a_delay_has_a_longest_time_and_ends_with_the_burst() {
        let pace = RefusalPace::new(10);
        let now = Instant::now();
        let delays = at_once(&pace, network("192.0.2.1"), now, 200);
        assert_eq!(delays.last(), Some(&MAX_DELAY));
        let later = now + BURST + MAX_DELAY;
        assert_eq!(pace.delay(network("192.0.2.1"), later), None);
    }

    #[test]
    fn networks_do_not_delay_each_other() {
        let pace = RefusalPace::new(1);
        let now = Instant::now();
        at_once(&pace, network("2001:db8::1"), now, 9);
        assert!(pace.delay(network("2001:db8::2"), now).is_some());
        assert_eq!(pace.delay(network("2001:db8:0:1::1"), now), None);
    }

    #[test]
    fn the_number_of_remembered_networks_is_bounded() {
        let pace = RefusalPace::new(10);
        let now = Instant::now();
        let networks = (0..2 * MAX_NETWORKS as u32).map(|bits| IpAddr::from(bits.to_be_bytes()));
        for address in networks {
            pace.delay(Network::of(address), now);
        }
        assert_eq!(pace.due().by_network.len(), MAX_NETWORKS + 1);
        pace.delay(network("198.51.100.1"), now + BURST + MAX_DELAY);
        assert_eq!(pace.due().by_network.len(), 1);
    }

    #[test]
    fn refusals_are_known_by_their_status() {
        let answer = |status: u16, grpc: Option<&str>| {
            let response = Response::builder().status(status);
            let response = grpc.into_iter().fold(response, |response, status| {
                response.header("grpc-status", status)
            });
            is_refusal(&response.body(()).unwrap())
        };
        assert!(answer(403, None) && answer(400, None) && answer(200, Some("16")));
        assert!(!answer(200, None) && !answer(200, Some("0")));
        // Faults of the server are answered at once.
        assert!(!answer(503, None) && !answer(200, Some("14")));
    }
}
