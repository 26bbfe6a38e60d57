//! The only place that asks what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::Timestamp;

/// Where the time comes from. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The clock of this machine.
    System,
    /// The clock of a database that several nodes share.
    Database(Arc<DatabaseClock>),
    /// A clock that stands still.
    Fixed(Timestamp),
}

impl Clock {
    /// The clock of a database that was asked for its time between `asked` and `answered`.
    #[must_use]
    pub fn of_database(asked: Instant, answered: Instant, database: Timestamp) -> Self {
        let reading = Reading {
            asked,
            answered,
            database,
        };
        Self::Database(Arc::new(DatabaseClock::new(&reading)))
    }

    /// The time now, in microseconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                #[expect(clippy::disallowed_methods, reason = "the clock itself")]
                let now = SystemTime::now();
                let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
            }
            Self::Database(clock) => clock.at(Instant::now()),
            Self::Fixed(at) => *at,
        }
    }

    /// Corrects a clock of [`Clock::Database`] by another reading; the other clocks do not change.
    pub fn correct(&self, asked: Instant, answered: Instant, database: Timestamp) {
        match self {
            Self::Database(clock) => clock.correct(&Reading {
                asked,
                answered,
                database,
            }),
            Self::System | Self::Fixed(_) => {}
        }
    }
}

/// The time of a database, read at some moment from `asked` to `answered`.
#[derive(Debug, Clone, Copy)]
struct Reading {
    asked: Instant,
    answered: Instant,
    database: Timestamp,
}

/// A database's clock as this process knows it. Between two readings it goes by the monotonic clock, so that setting
/// the clock of this machine does not change it.
#[derive(Debug)]
pub struct DatabaseClock {
    origin: Instant,
    /// The database's time at `origin`, in microseconds.
    at_origin: AtomicI64,
}

impl DatabaseClock {
    fn new(reading: &Reading) -> Self {
        let half = reading.answered.saturating_duration_since(reading.asked) / 2;
        Self {
            origin: reading.asked + half,
            at_origin: AtomicI64::new(reading.database.as_micros()),
        }
    }

    fn at(&self, instant: Instant) -> Timestamp {
        let at_origin = self.at_origin.load(Ordering::Relaxed);
        Timestamp::from_micros(at_origin.saturating_add(self.since_origin(instant)))
    }

    /// Goes no further than the reading demands, so that the time does not move to and fro with the delay of answers,
    /// and a slow answer changes nothing.
    fn correct(&self, reading: &Reading) {
        let database = reading.database.as_micros();
        let least = database.saturating_sub(self.since_origin(reading.answered));
        let most = database.saturating_sub(self.since_origin(reading.asked));
        let known = self.at_origin.load(Ordering::Relaxed);
        self.at_origin
            .store(known.min(most).max(least), Ordering::Relaxed);
    }

    /// In microseconds; negative for moments before.
    fn since_origin(&self, instant: Instant) -> i64 {
        let micros = |from: Instant, to: Instant| {
            i64::try_from(to.saturating_duration_since(from).as_micros()).unwrap_or(i64::MAX)
        };
        micros(self.origin, instant) - micros(instant, self.origin)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn seconds(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn reading(asked: Instant, took: Duration, database: Timestamp) -> Reading {
        Reading {
            asked,
            answered: asked + took,
            database,
        }
    }

    #[test]
    fn the_first_answer_is_dated_halfway() {
        let start = Instant::now();
        let clock = DatabaseClock::new(&reading(start, 4 * SECOND, seconds(1000)));
        assert_eq!(clock.at(start), seconds(998));
        assert_eq!(clock.at(start + 2 * SECOND), seconds(1000));
        assert_eq!(clock.at(start + 60 * SECOND), seconds(1058));
    }

    #[test]
    fn a_reading_corrects_as_little_as_it_must() {
        let start = Instant::now();
        let first = reading(start, Duration::ZERO, seconds(1000));
        let later = start + 100 * SECOND;
        for (took, database, expected) in [
            // The clock agrees, though nobody knows when exactly the answer was given.
            (4 * SECOND, 1101, 1100),
            (4 * SECOND, 1104, 1100),
            // The database is ahead, or behind, by at least that much.
            (4 * SECOND, 1110, 1106),
            (4 * SECOND, 1090, 1090),
            // Set, as by a failover.
            (Duration::ZERO, 4700, 4700),
            (Duration::ZERO, 10, 10),
        ] {
            let clock = DatabaseClock::new(&first);
            clock.correct(&reading(later, took, seconds(database)));
            assert_eq!(clock.at(later), seconds(expected), "{took:?} {database}");
        }
    }

    #[test]
    fn all_clones_of_a_clock_are_corrected() {
        let start = Instant::now();
        let clock = Clock::of_database(start, start, seconds(1000));
        let clone = clock.clone();
        clock.correct(start, start, seconds(5000));
        let now = clone.now();
        assert!(seconds(5000) <= now && now < seconds(5600), "{now:?}");
        let fixed = Clock::Fixed(seconds(7));
        fixed.correct(start, start, seconds(5000));
        assert_eq!(fixed.now(), seconds(7));
    }
}
