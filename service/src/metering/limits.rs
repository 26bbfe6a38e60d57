//! Counts what is let in and what passes, and refuses what a key's limits do not allow.

use std::num::{NonZeroU32, NonZeroU64};

use super::day::{Day, day_of};
use super::rate::{Taken, TokenBucket};
use super::{Direction, Metering, RequestClass};
use crate::access::{Explanation, KeyFacts, Origin, explain_byte_limit, explain_request_limit};
use crate::catalog::{Catalog, CatalogError};
use crate::domain::Timestamp;
use crate::error::Error;

/// The limit that a request or transfer met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LimitReached {
    /// Requests per second.
    Requests(NonZeroU32),
    /// Bytes of the day.
    Bytes(NonZeroU64),
}

impl LimitReached {
    /// What the caller reads.
    pub(crate) fn to_error(self) -> Error {
        match self {
            Self::Requests(limit) => Error::RequestLimitExceeded { limit: limit.get() },
            Self::Bytes(limit) => Error::ByteLimitExceeded { limit: limit.get() },
        }
    }

    /// In words.
    pub(crate) fn explanation(self) -> Explanation {
        match self {
            Self::Requests(limit) => explain_request_limit(limit.get()),
            Self::Bytes(limit) => explain_byte_limit(limit.get()),
        }
    }
}

/// Whether a request is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LetIn {
    /// It is, and it is counted.
    Yes,
    /// A limit is reached.
    No(LimitReached),
    /// What the key used today must be read first.
    DayUnknown,
}

impl Metering {
    /// Lets a request in that is permitted, and counts it; or says which limit is reached.
    ///
    /// # Errors
    /// What the catalog says when the day's usage of a limited key must be read.
    pub(crate) async fn request(
        &self,
        catalog: &Catalog,
        key: &KeyFacts,
        class: RequestClass,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Result<(), LimitReached>, CatalogError> {
        loop {
            match self.let_in(key, class, origin, now) {
                LetIn::Yes => return Ok(Ok(())),
                LetIn::No(limit) => return Ok(Err(limit)),
                // Rare: it would make the future of every request larger.
                LetIn::DayUnknown => Box::pin(self.learn_day(catalog, key, now)).await?,
            }
        }
    }

    pub(super) fn let_in(
        &self,
        key: &KeyFacts,
        class: RequestClass,
        origin: &Origin,
        now: Timestamp,
    ) -> LetIn {
        let mut shard = self.shard(key.pk);
        let Some(meter) = self.meter(&mut shard, key, now) else {
            return LetIn::Yes;
        };
        if let Some(limit) = key.limits.bytes_per_day {
            match &meter.day {
                Some(day) if !day.is_stale(now) => {
                    if day.is_used_up(limit) {
                        return LetIn::No(LimitReached::Bytes(limit));
                    }
                }
                Some(_) | None => return LetIn::DayUnknown,
            }
        }
        if let Some(limit) = key.limits.requests_per_second {
            let full = || TokenBucket::full(limit, now);
            let bucket = meter.rate.get_or_insert_with(full);
            if bucket.take(limit, now) == Taken::No {
                return LetIn::No(LimitReached::Requests(limit));
            }
        }
        meter.pending.use_at(now, class, origin);
        LetIn::Yes
    }

    /// Counts bytes of object data that passed, or are about to. Those from the client have come, so they are counted
    /// whether they are within the limit or not; those to the client are counted only if they may go.
    ///
    /// # Errors
    /// The limit, when these bytes are more than are left of the day.
    pub(crate) fn transfer(
        &self,
        key: &KeyFacts,
        class: RequestClass,
        direction: Direction,
        bytes: u64,
        now: Timestamp,
    ) -> Result<(), LimitReached> {
        let mut shard = self.shard(key.pk);
        let Some(meter) = self.meter(&mut shard, key, now) else {
            return Ok(());
        };
        let mut passes = None;
        if let Some(limit) = key.limits.bytes_per_day {
            let day = meter.day.get_or_insert_with(|| Day::unknown(now));
            day.turn(now);
            passes = day.would_pass(bytes, limit).then_some(limit);
            if passes.is_none() || direction == Direction::In {
                day.add(bytes);
            }
        }
        if passes.is_none() || direction == Direction::In {
            meter.pending.at(now).pass(class, direction, bytes);
        }
        passes.map_or(Ok(()), |limit| Err(LimitReached::Bytes(limit)))
    }

    /// Reads what a key used today again, if that is unknown or old. A transfer that stands still for long is forgotten
    /// by a flush; it must not begin anew with the whole day's bytes.
    ///
    /// # Errors
    /// What the catalog says.
    pub(crate) async fn renew_day(
        &self,
        catalog: &Catalog,
        key: &KeyFacts,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        if key.limits.bytes_per_day.is_some() && self.is_day_stale(key, now) {
            self.learn_day(catalog, key, now).await?;
        }
        Ok(())
    }

    /// Reads what a key used today. No flush runs meanwhile, so that what is in memory and what is in the catalog are the
    /// whole, and nothing is in both.
    async fn learn_day(
        &self,
        catalog: &Catalog,
        key: &KeyFacts,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        let _no_flush = self.flushing.lock().await;
        if !self.is_day_stale(key, now) {
            // Another request of the key has asked meanwhile.
            return Ok(());
        }
        let (start, end) = day_of(now);
        let written = catalog.bytes_used(key.pk, start, end).await?;
        let mut shard = self.shard(key.pk);
        if let Some(meter) = self.meter(&mut shard, key, now) {
            let used = written.saturating_add(meter.pending.bytes_of_day(now));
            meter.day = Some(Day::known(now, used));
        }
        Ok(())
    }

    fn is_day_stale(&self, key: &KeyFacts, now: Timestamp) -> bool {
        let shard = self.shard(key.pk);
        let day = shard.get(&key.pk).and_then(|meter| meter.day);
        day.is_none_or(|day| day.is_stale(now))
    }
}
