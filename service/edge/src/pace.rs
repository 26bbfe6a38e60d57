//! The minimum rate of transfers.

use std::time::Duration;

/// The minimum rate at which a client must send a request and receive an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinRate {
    /// At least 1.
    pub bytes_per_second: u64,
    /// How far a client may fall behind.
    pub grace: Duration,
}

impl MinRate {
    /// How long a body may stall before the server answers with a time-out. Shorter than the grace, so that the client
    /// learns the reason before the connection is ended.
    #[must_use]
    pub fn body_idle(self) -> Duration {
        self.grace * 2 / 3
    }
}

/// The progress of a transfer since the last sweep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TransferProgress {
    /// The time since then.
    pub(crate) elapsed: Duration,
    /// Whether the server waits for the client now.
    pub(crate) waiting: bool,
    /// Bytes that moved since then.
    pub(crate) moved: u64,
    /// Bytes that count as moved when they are handed to HTTP and may still be on their way.
    pub(crate) underway: u64,
}

/// By how much a client is behind the minimum rate, in seconds. Time counts only while the server waits for the client.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Pace {
    behind: f64,
}

impl Pace {
    pub(crate) fn after(self, step: TransferProgress, rate: MinRate) -> Self {
        let seconds = |bytes: u64| bytes as f64 / rate.bytes_per_second.max(1) as f64;
        let waited = if step.waiting {
            step.elapsed.as_secs_f64()
        } else {
            0.0
        };
        // A fast period earns no credit for a later stall, except for bytes that are still buffered.
        let least = -seconds(step.underway.min(step.moved));
        let behind = self.behind + waited - seconds(step.moved);
        Self {
            behind: behind.max(least.min(self.behind)),
        }
    }

    pub(crate) fn is_too_slow(self, rate: MinRate) -> bool {
        self.behind > rate.grace.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: MinRate = MinRate {
        bytes_per_second: 1024,
        grace: Duration::from_secs(30),
    };

    /// After how many seconds a client is ended that moves `bytes` in each, if ever in an hour.
    fn ended_after(waiting: bool, bytes: u64, underway: u64) -> Option<u32> {
        let mut pace = Pace::default();
        (1..3600).find(|_| {
            let elapsed = Duration::from_secs(1);
            let step = TransferProgress {
                elapsed,
                waiting,
                moved: bytes,
                underway,
            };
            pace = pace.after(step, RATE);
            pace.is_too_slow(RATE)
        })
    }

    #[test]
    fn who_stands_still_is_ended_after_the_grace() {
        assert_eq!(ended_after(true, 0, 0), Some(31));
        assert_eq!(ended_after(true, 1, 0), Some(31));
        assert_eq!(ended_after(true, 512, 0), Some(61));
        assert_eq!(ended_after(true, 1024, 0), None);
    }

    #[test]
    fn the_servers_own_time_does_not_count() {
        assert_eq!(ended_after(false, 0, 0), None);
    }

    #[test]
    fn moving_fast_buys_no_pause_but_for_what_is_on_its_way() {
        let elapsed = Duration::from_secs(1);
        let burst = |underway| TransferProgress {
            elapsed,
            waiting: true,
            moved: 1 << 30,
            underway,
        };
        let still = TransferProgress {
            elapsed: Duration::from_secs(31),
            waiting: true,
            moved: 0,
            underway: 0,
        };
        let after = |underway| {
            Pace::default()
                .after(burst(underway), RATE)
                .after(still, RATE)
        };
        assert!(after(0).is_too_slow(RATE));
        // 64 KiB at 1 KiB/s are 64 s.
        assert!(!after(64 * 1024).is_too_slow(RATE));
        let later = after(64 * 1024).after(still, RATE).after(still, RATE);
        assert!(!later.is_too_slow(RATE) && later.after(still, RATE).is_too_slow(RATE));
    }
}
