use std::num::NonZeroU32;

use crate::domain::Timestamp;

/// A second in microseconds; also the parts of a request that a bucket counts in.
const WHOLE: u64 = 1_000_000;

/// A token bucket: `limit` requests per second, in bursts of as many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TokenBucket {
    /// Millionths of requests that may be made at `at`.
    parts: u64,
    at: Timestamp,
}

impl TokenBucket {
    /// Full.
    pub(super) fn full(limit: NonZeroU32, now: Timestamp) -> Self {
        Self {
            parts: u64::from(limit.get()) * WHOLE,
            at: now,
        }
    }

    /// Takes one request, if there is one. The limit may be another than last time. A clock that goes back gives
    /// nothing, and takes nothing away.
    pub(super) fn take(&mut self, limit: NonZeroU32, now: Timestamp) -> Taken {
        let limit = u64::from(limit.get());
        // Within a second it is full again, whatever came before.
        let micros = u64::try_from(now.since(self.at).as_micros()).unwrap_or(WHOLE);
        let gained = micros.min(WHOLE) * limit;
        self.parts = self.parts.saturating_add(gained).min(limit * WHOLE);
        self.at = self.at.max(now);
        match self.parts.checked_sub(WHOLE) {
            Some(left) => {
                self.parts = left;
                Taken::Yes
            }
            None => Taken::No,
        }
    }
}

/// Whether there was one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is taken.
    Yes,
    /// There is none yet.
    No,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn limit(requests: u32) -> NonZeroU32 {
        NonZeroU32::new(requests).unwrap()
    }

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn a_burst_then_the_rate() {
        let mut bucket = TokenBucket::full(limit(4), at(0));
        let mut take = |micros| bucket.take(limit(4), at(micros)) == Taken::Yes;
        assert_eq!([(); 5].map(|()| take(0)), [true, true, true, true, false]);
        assert!(!take(249_999));
        assert!(take(250_000) && !take(250_001));
        // After a long pause no more than a burst.
        assert_eq!((0..9).filter(|_| take(90_000_000)).count(), 4);
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_twice() {
        let mut bucket = TokenBucket::full(limit(1), at(5_000_000));
        assert_eq!(bucket.take(limit(1), at(5_000_000)), Taken::Yes);
        assert_eq!(bucket.take(limit(1), at(0)), Taken::No);
        assert_eq!(bucket.take(limit(1), at(5_000_000)), Taken::No);
        assert_eq!(bucket.take(limit(1), at(6_000_000)), Taken::Yes);
    }

    #[test]
    fn a_lowered_limit_holds_at_once() {
        let mut bucket = TokenBucket::full(limit(1000), at(0));
        let taken = (0..1000).filter(|_| bucket.take(limit(2), at(0)) == Taken::Yes);
        assert_eq!(taken.count(), 2);
    }

    proptest! {
        /// In any window of time no more than a burst and what the rate gives.
        #[test]
        fn never_more_than_burst_and_rate(
            requests in 1u32..1_000_000,
            gaps in proptest::collection::vec(0i64..400_000, 1..200),
        ) {
            let mut bucket = TokenBucket::full(limit(requests), at(0));
            let (mut now, mut taken) = (0, 0u64);
            for gap in gaps {
                now += gap;
                taken += u64::from(bucket.take(limit(requests), at(now)) == Taken::Yes);
                let most = u64::from(requests) + u64::from(requests) * now.unsigned_abs() / WHOLE;
                prop_assert!(taken <= most);
            }
        }
    }
}
