use std::num::NonZeroU64;
use std::time::Duration;

use crate::domain::Timestamp;

/// How long what the catalog said about a day is believed: what other nodes count becomes known with it.
const FRESH: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The bytes that a key used on one day (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    start: Timestamp,
    used: u64,
    /// When the catalog was asked; none: what was used before is not known.
    asked: Option<Timestamp>,
}

/// The first moment of the day that `now` lies in, and of the next.
pub(super) fn day_of(now: Timestamp) -> (Timestamp, Timestamp) {
    let seconds = now.as_seconds();
    let start = Timestamp::from_seconds(seconds - seconds.rem_euclid(24 * 3600));
    (start, start.saturating_add(DAY))
}

impl Day {
    /// The day of `now`, of which nothing is known.
    pub(super) fn unknown(now: Timestamp) -> Self {
        Self {
            start: day_of(now).0,
            used: 0,
            asked: None,
        }
    }

    /// The day of `now` with what was used of it.
    pub(super) fn known(now: Timestamp, used: u64) -> Self {
        Self {
            used,
            asked: Some(now),
            ..Self::unknown(now)
        }
    }

    /// Whether the catalog must be asked before this day is judged.
    pub(super) fn is_stale(&self, now: Timestamp) -> bool {
        self.start < day_of(now).0 || self.asked.is_none_or(|asked| now.since(asked) >= FRESH)
    }

    /// Begins another day when `now` lies in one. A clock that goes back does not.
    pub(super) fn turn(&mut self, now: Timestamp) {
        if self.start < day_of(now).0 {
            *self = Self::unknown(now);
        }
    }

    /// Adds bytes.
    pub(super) fn add(&mut self, bytes: u64) {
        self.used = self.used.saturating_add(bytes);
    }

    /// Whether `bytes` more would be more than the limit.
    pub(super) fn would_pass(&self, bytes: u64, limit: NonZeroU64) -> bool {
        self.used.saturating_add(bytes) > limit.get()
    }

    /// Whether nothing is left.
    pub(super) fn is_used_up(&self, limit: NonZeroU64) -> bool {
        self.used >= limit.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp =
        Timestamp::from_seconds(1_800_014_400 - 1_800_014_400 % 86_400 + 43_200);

    #[test]
    fn days_begin_at_midnight_utc() {
        let (start, end) = day_of(NOON);
        assert_eq!(start.as_seconds() % 86_400, 0);
        assert_eq!(end.since(start), DAY);
        assert_eq!(
            day_of(Timestamp::from_micros(end.as_micros() - 1)),
            (start, end)
        );
        assert_eq!(day_of(end).0, end);
        assert_eq!(day_of(Timestamp::from_seconds(-1)).1, Timestamp::EPOCH);
    }

    #[test]
    fn another_day_begins_with_nothing_used() {
        let limit = NonZeroU64::new(10).unwrap();
        let mut day = Day::known(NOON, 10);
        assert!(day.is_used_up(limit) && !day.is_stale(NOON));
        let tomorrow = NOON.saturating_add(DAY);
        assert!(day.is_stale(tomorrow));
        day.turn(tomorrow);
        assert!(!day.is_used_up(limit) && day.is_stale(tomorrow));
        // Back before midnight the new day stays.
        day.add(10);
        day.turn(NOON);
        assert!(day.is_used_up(limit));
    }

    #[test]
    fn the_limit_itself_may_be_used() {
        let limit = NonZeroU64::new(10).unwrap();
        let mut day = Day::known(NOON, 4);
        assert!(!day.would_pass(6, limit) && day.would_pass(7, limit));
        day.add(u64::MAX);
        assert!(day.is_used_up(limit) && day.would_pass(1, limit));
    }

    #[test]
    fn what_the_catalog_said_grows_old() {
        let day = Day::known(NOON, 0);
        assert!(!day.is_stale(NOON.saturating_add(FRESH - Duration::from_micros(1))));
        assert!(day.is_stale(NOON.saturating_add(FRESH)));
    }
}
