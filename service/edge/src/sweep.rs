use std::time::Duration;

use tokio::time::Instant;

use crate::ConnectionLimits;
use crate::connection_state::ConnectionState;
use crate::end_reason::EndReason;
use crate::pace::{Pace, TransferProgress};
use crate::request_state::{RequestPace, RequestState};

/// How many bytes of an answer HTTP/2 may have buffered.
const UNDERWAY_BYTES: u64 = 64 * 1024;

/// How long an idle connection may take to close gracefully.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// The sweeper's record of a connection.
#[derive(Debug)]
pub(crate) struct Memory {
    requests: u64,
    /// Since when no request has run.
    idle_since: Instant,
    /// Since when a head has been incomplete.
    head_since: Option<Instant>,
    closed_at: Option<Instant>,
    written: u64,
    reader: Pace,
}

impl Memory {
    pub(crate) fn at(now: Instant) -> Self {
        Self {
            requests: 0,
            idle_since: now,
            head_since: None,
            closed_at: None,
            written: 0,
            reader: Pace::default(),
        }
    }

    pub(crate) fn idle_since(&self) -> Instant {
        self.idle_since
    }
}

/// The judgement of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    Keep,
    /// Close gracefully: a request that is already under way is still answered.
    Close,
    /// It has not closed in time.
    Cut,
    End(EndReason),
}

/// Judges a connection by its activity since the last sweep, `elapsed` ago.
pub(crate) fn judge(
    state: &ConnectionState,
    memory: &mut Memory,
    now: Instant,
    elapsed: Duration,
    limits: &ConnectionLimits,
) -> Judgement {
    let written = state.written();
    let step = TransferProgress {
        elapsed,
        waiting: state.is_write_blocked(),
        moved: written - memory.written,
        underway: 0,
    };
    memory.written = written;
    memory.reader = memory.reader.after(step, limits.min_rate);
    if memory.reader.is_too_slow(limits.min_rate) {
        return Judgement::End(EndReason::SlowReader);
    }
    state.each_request(|request, pace| judge_request(request, pace, elapsed, limits));
    let requests = state.requests();
    if state.running() > 0 || requests != memory.requests {
        memory.requests = requests;
        memory.idle_since = now;
        memory.head_since = None;
        return Judgement::Keep;
    }
    if requests > 0 && (state.head_bytes() == 0 || state.is_http2()) {
        memory.head_since = None;
        return idle(memory, now, limits);
    }
    // A new connection counts from its beginning.
    let since = match requests {
        0 => memory.idle_since,
        _ => *memory.head_since.get_or_insert(now),
    };
    // A handshake has a limit of its own, and a place among the connections before its end.
    if state.is_past_handshake() && now - since >= limits.head_timeout {
        return Judgement::End(EndReason::Head);
    }
    Judgement::Keep
}

fn idle(memory: &mut Memory, now: Instant, limits: &ConnectionLimits) -> Judgement {
    match memory.closed_at {
        Some(closed_at) if now - closed_at >= CLOSE_TIMEOUT => Judgement::Cut,
        Some(_) => Judgement::Keep,
        None if now - memory.idle_since >= limits.idle_timeout => {
            memory.closed_at = Some(now);
            Judgement::Close
        }
        None => Judgement::Keep,
    }
}

/// Ends a request whose client sends or receives too slowly.
fn judge_request(
    request: &RequestState,
    pace: &mut RequestPace,
    elapsed: Duration,
    limits: &ConnectionLimits,
) {
    let (received, sent) = (request.received(), request.sent());
    let writer = TransferProgress {
        elapsed,
        waiting: request.waits_for_body(),
        moved: received - pace.received,
        underway: 0,
    };
    let reader = TransferProgress {
        elapsed,
        waiting: request.waits_for_reader(),
        moved: sent - pace.sent,
        underway: UNDERWAY_BYTES,
    };
    (pace.received, pace.sent) = (received, sent);
    pace.writer = pace.writer.after(writer, limits.min_rate);
    pace.reader = pace.reader.after(reader, limits.min_rate);
    if pace.reader.is_too_slow(limits.min_rate) {
        request.end(EndReason::SlowReader);
    } else if pace.writer.is_too_slow(limits.min_rate) {
        request.end(EndReason::SlowWriter);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::unauthenticated::Unauthenticated;

    /// A connection that is looked at once a second.
    struct Watched {
        state: Arc<ConnectionState>,
        memory: Memory,
        now: Instant,
    }

    impl Watched {
        fn new() -> Self {
            let unauthenticated = Unauthenticated::new(ConnectionLimits::default().unauthenticated);
            let now = Instant::now();
            let state = ConnectionState::new(unauthenticated, Arc::default());
            state.set_past_handshake();
            Self {
                state,
                memory: Memory::at(now),
                now,
            }
        }

        fn request(&self) {
            self.state.begin_request();
            self.state.end_request();
        }

        /// The first judgement other than to keep it, and after how many seconds.
        fn judged(&mut self) -> Option<(u32, Judgement)> {
            let second = Duration::from_secs(1);
            (1..1000).find_map(|seconds| {
                self.now += second;
                let judgement = judge(
                    &self.state,
                    &mut self.memory,
                    self.now,
                    second,
                    &ConnectionLimits::default(),
                );
                (judgement != Judgement::Keep).then_some((seconds, judgement))
            })
        }
    }

    #[test]
    fn a_connection_without_a_request_is_ended_by_the_time_for_a_head() {
        let head = Some((30, Judgement::End(EndReason::Head)));
        assert_eq!(Watched::new().judged(), head);
        let mut http2 = Watched::new();
        http2.state.set_http2();
        http2.state.read(24);
        assert_eq!(http2.judged(), head);
    }

    #[test]
    fn an_idle_connection_is_closed_and_cut_if_it_stays() {
        let mut idle = Watched::new();
        idle.request();
        assert_eq!(idle.judged(), Some((91, Judgement::Close)));
        assert_eq!(idle.judged(), Some((5, Judgement::Cut)));
    }

    #[test]
    fn pings_of_http2_are_no_requests() {
        let mut pinging = Watched::new();
        pinging.state.set_http2();
        pinging.request();
        pinging.state.read(17);
        assert_eq!(pinging.judged(), Some((91, Judgement::Close)));
    }

    #[test]
    fn a_later_head_has_its_time_from_its_first_byte() {
        let mut slow = Watched::new();
        slow.request();
        for _ in 0..50 {
            slow.now += Duration::from_secs(1);
            let limits = ConnectionLimits::default();
            let second = Duration::from_secs(1);
            let kept = judge(&slow.state, &mut slow.memory, slow.now, second, &limits);
            assert_eq!(kept, Judgement::Keep);
        }
        slow.state.read(1);
        assert_eq!(slow.judged(), Some((31, Judgement::End(EndReason::Head))));
    }

    #[test]
    fn a_running_request_is_never_idle_and_a_blocked_socket_is_ended() {
        let mut running = Watched::new();
        running.state.begin_request();
        assert_eq!(running.judged(), None);
        running.state.set_write_blocked();
        let ended = Some((31, Judgement::End(EndReason::SlowReader)));
        assert_eq!(running.judged(), ended);
    }
}
