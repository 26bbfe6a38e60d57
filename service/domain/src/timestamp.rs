use std::time::{Duration, SystemTime};

/// A moment: microseconds since the Unix epoch, UTC. Formatting belongs to the protocols.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Timestamp(i64);

impl From<Timestamp> for SystemTime {
    fn from(timestamp: Timestamp) -> Self {
        // Times before the epoch are nobody's.
        let micros = u64::try_from(timestamp.as_micros()).unwrap_or_default();
        Self::UNIX_EPOCH + Duration::from_micros(micros)
    }
}

impl Timestamp {
    /// The Unix epoch.
    pub const EPOCH: Self = Self(0);
    /// Later than every other.
    pub const MAX: Self = Self(i64::MAX);

    const MICROS_PER_HOUR: i64 = 3_600_000_000;

    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From seconds since the epoch, clamped to what microseconds can say.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Microseconds beyond [`Timestamp::as_seconds`]: 0 to 999,999.
    pub const fn subsec_micros(self) -> u32 {
        self.0.rem_euclid(1_000_000) as u32
    }

    /// This much later, at most [`Timestamp::MAX`].
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// This much earlier.
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// The time that passed since `earlier`, or zero if that lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The beginning of the hour that this moment lies in.
    pub const fn hour(self) -> Self {
        Self(
            self.0
                .div_euclid(Self::MICROS_PER_HOUR)
                .saturating_mul(Self::MICROS_PER_HOUR),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_make_the_whole(micros in -4_000_000_000_000_000i64..4_000_000_000_000_000) {
            let at = Timestamp::from_micros(micros);
            prop_assert_eq!(at.as_seconds() * 1_000_000 + i64::from(at.subsec_micros()), micros);
            prop_assert!(at.hour() <= at && at.since(at.hour()) < Duration::from_secs(3600));
        }

        #[test]
        fn addition_and_subtraction_undo_each_other(micros in 0i64..4_000_000_000_000_000, step in 0u64..10_000_000_000) {
            let (at, step) = (Timestamp::from_micros(micros), Duration::from_micros(step));
            prop_assert_eq!(at.saturating_add(step).saturating_sub(step), at);
            prop_assert_eq!(at.saturating_add(step).since(at), step);
        }
    }

    #[test]
    fn the_ends_hold() {
        assert_eq!(
            Timestamp::MAX.saturating_add(Duration::from_secs(1)),
            Timestamp::MAX
        );
        assert_eq!(Timestamp::EPOCH.since(Timestamp::MAX), Duration::ZERO);
    }
}
