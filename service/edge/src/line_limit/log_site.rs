//! The lines that one place in the code may write.

use std::collections::HashMap;
use std::time::Instant;

use super::LeftOut;

/// Lines of one site that are about no access key.
const STRANGERS: Allowance = Allowance {
    burst: 100.0,
    per_second: 10.0,
};

/// Lines of one site about one access key.
const ONE_KEY: Allowance = Allowance {
    burst: 20.0,
    per_second: 1.0,
};

/// Lines of one site about all access keys together.
const ALL_KEYS: Allowance = Allowance {
    burst: 500.0,
    per_second: 50.0,
};

/// The access keys of one site whose allowances are kept. [`ALL_KEYS`] bounds how many have used any of theirs.
const KEPT_KEYS: usize = 4_096;

/// A place in the code that logs.
pub(super) struct LogSite {
    strangers: LineBucket,
    all_keys: LineBucket,
    keys: HashMap<u64, LineBucket>,
    /// The lines that were not written since they were last reported.
    pub(super) left_out: Option<LeftOut>,
}

impl LogSite {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            strangers: LineBucket::full(STRANGERS, now),
            all_keys: LineBucket::full(ALL_KEYS, now),
            keys: HashMap::new(),
            left_out: None,
        }
    }

    /// Whether a line is written; `key` is a hash of the access key that it is about.
    pub(super) fn admits(&mut self, key: Option<u64>, now: Instant) -> bool {
        let Some(key) = key else {
            return self.strangers.take(STRANGERS, now);
        };
        // A key is remembered only if a line about it can be written: that bounds the keys that must be kept.
        if !self.all_keys.has_one(ALL_KEYS, now) {
            return false;
        }
        if self.keys.len() >= KEPT_KEYS {
            self.keys.retain(|_, bucket| !bucket.is_full(ONE_KEY, now));
        }
        let bucket = self
            .keys
            .entry(key)
            .or_insert_with(|| LineBucket::full(ONE_KEY, now));
        bucket.take(ONE_KEY, now) && self.all_keys.take(ALL_KEYS, now)
    }
}

/// How many lines at once, and how many per second after that.
#[derive(Clone, Copy)]
struct Allowance {
    burst: f64,
    per_second: f64,
}

/// A token bucket.
struct LineBucket {
    lines: f64,
    at: Instant,
}

impl LineBucket {
    fn full(of: Allowance, now: Instant) -> Self {
        Self {
            lines: of.burst,
            at: now,
        }
    }

    fn refill(&mut self, of: Allowance, now: Instant) {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.lines = of.burst.min(self.lines + elapsed * of.per_second);
        self.at = now;
    }

    fn has_one(&mut self, of: Allowance, now: Instant) -> bool {
        self.refill(of, now);
        self.lines >= 1.0
    }

    fn is_full(&mut self, of: Allowance, now: Instant) -> bool {
        self.refill(of, now);
        self.lines >= of.burst
    }

    fn take(&mut self, of: Allowance, now: Instant) -> bool {
        let has_one = self.has_one(of, now);
        if has_one {
            self.lines -= 1.0;
        }
        has_one
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn keys_have_allowances_apart_from_each_other_and_from_strangers() {
        let now = Instant::now();
        let mut site = LogSite::new(now);
        let mut admitted =
            |key, times: usize, now| (0..times).filter(|_| site.admits(key, now)).count();
        assert_eq!(admitted(None, 1_000, now), 100);
        assert_eq!(admitted(Some(1), 1_000, now), 20);
        assert_eq!(admitted(Some(2), 1_000, now), 20);
        let later = now + Duration::from_secs(3);
        assert_eq!(admitted(None, 1_000, later), 30);
        assert_eq!(admitted(Some(1), 1_000, later), 3);
    }

    #[test]
    fn many_keys_share_a_bounded_allowance_and_bounded_memory() {
        let start = Instant::now();
        let mut site = LogSite::new(start);
        let seconds = 300;
        let mut admitted = 0;
        for second in 0..seconds {
            let now = start + Duration::from_secs(second);
            let keys = (0..1_000).map(|key| second * 1_000 + key);
            admitted += keys.filter(|key| site.admits(Some(*key), now)).count();
        }
        assert_eq!(admitted as u64, 500 + 50 * (seconds - 1));
        assert!(site.keys.len() <= KEPT_KEYS, "{}", site.keys.len());
    }
}
