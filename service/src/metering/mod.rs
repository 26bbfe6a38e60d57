//! What every access key does, and the limits that follow from it.
//!
//! Requests, bytes and refusals are counted in memory and written to the catalog in intervals, so that no request writes
//! for its usage. What a killed process had counted since its last flush is lost: at most one interval. A flush whose
//! outcome nobody knows counts as written: usage may lack an interval after an outage of the database, but never counts
//! one twice.
//!
//! Invariant: a lock of a shard is never held across an await, and what is done under it allocates only at a key's
//! first use in an interval and at a refusal.

mod class;
mod day;
mod denials;
mod flush;
mod limits;
mod pending;
mod rate;
mod report;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

pub(crate) use class::RequestClass;
pub(crate) use limits::LimitReached;
pub(crate) use report::{denial_to_proto, last_use_to_proto, usage_to_proto};

use self::day::Day;
use self::denials::Denied;
use self::pending::Pending;
use self::rate::TokenBucket;
use crate::access::{Explanation, KeyFacts, Origin};
use crate::catalog::model::DenialCause;
use crate::domain::{AccessKeyPk, Timestamp};

/// Keys without limits that are counted at a time; about 1 KiB each. Keys with limits are always counted.
const MAX_KEYS: usize = 100_000;
/// Refused requests whose circumstances are kept at a time, over all keys; at most about 2 KiB each.
const MAX_DENIALS: usize = 10_000;
/// Shards, each with its lock.
const SHARDS: usize = 64;
/// After this without a request a key's limits are forgotten: they begin anew with what the catalog says.
const IDLE: Duration = Duration::from_secs(60);

/// Which way object data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the client.
    In,
    /// To the client.
    Out,
}

/// The counters of this node.
pub(crate) struct Metering {
    shards: Vec<Mutex<HashMap<AccessKeyPk, Meter>>>,
    max_keys: usize,
    keys: AtomicUsize,
    kept_denials: AtomicUsize,
    /// What was not counted because too many keys were.
    passed_over: AtomicU64,
    /// Held by whoever moves counters between memory and catalog.
    flushing: tokio::sync::Mutex<()>,
    /// Told when a flush should not wait for its interval.
    crowded: Notify,
}

/// One key's part.
struct Meter {
    pending: Pending,
    rate: Option<TokenBucket>,
    day: Option<Day>,
    touched: Timestamp,
}

type Shard<'a> = MutexGuard<'a, HashMap<AccessKeyPk, Meter>>;

impl Default for Metering {
    fn default() -> Self {
        Self::with_room(MAX_KEYS)
    }
}

impl Metering {
    fn with_room(max_keys: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            max_keys,
            keys: AtomicUsize::new(0),
            kept_denials: AtomicUsize::new(0),
            passed_over: AtomicU64::new(0),
            flushing: tokio::sync::Mutex::default(),
            crowded: Notify::new(),
        }
    }

    /// Counts a refused request and keeps its circumstances.
    pub(crate) fn denied(&self, key: &KeyFacts, denial: DeniedRequest<'_>, now: Timestamp) {
        let mut shard = self.shard(key.pk);
        let Some(meter) = self.meter(&mut shard, key, now) else {
            return;
        };
        let reason = denial.explanation.reason;
        meter.pending.at(now).refuse(reason);
        let crowd = self.kept_denials.load(Ordering::Relaxed) >= MAX_DENIALS;
        let denied = Denied::new(denial, now);
        if meter.pending.denials.keep(denied, crowd) {
            self.kept_denials.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The shard of a key.
    fn shard(&self, key: AccessKeyPk) -> Shard<'_> {
        // Row numbers follow one another, so they spread by themselves.
        let place = key.0.unsigned_abs() as usize % SHARDS;
        self.shards[place]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The meter of a key; none if there is no room for one more.
    fn meter<'m>(
        &self,
        shard: &'m mut Shard<'_>,
        key: &KeyFacts,
        now: Timestamp,
    ) -> Option<&'m mut Meter> {
        let limited = key.limits != Default::default();
        if !shard.contains_key(&key.pk) {
            let keys = self.keys.fetch_add(1, Ordering::Relaxed);
            if keys >= self.max_keys / 2 {
                self.crowded.notify_one();
            }
            if keys >= self.max_keys && !limited {
                self.keys.fetch_sub(1, Ordering::Relaxed);
                self.passed_over.fetch_add(1, Ordering::Relaxed);
                return None;
            }
        }
        let meter = shard.entry(key.pk).or_insert_with(|| Meter {
            pending: Pending::default(),
            rate: None,
            day: None,
            touched: now,
        });
        meter.touched = meter.touched.max(now);
        Some(meter)
    }
}

/// A refused request, for [`Metering::denied`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeniedRequest<'a> {
    /// What decided.
    pub(crate) explanation: &'a Explanation,
    /// Who could have caused it.
    pub(crate) cause: DenialCause,
    /// Where it came from.
    pub(crate) origin: &'a Origin,
    /// The bucket asked for; empty: none.
    pub(crate) bucket: &'a str,
    /// The key asked for; empty: none.
    pub(crate) key: &'a str,
}

#[cfg(test)]
mod tests;
