//! What a key did since the last flush.

use super::class::RequestClass;
use super::day::day_of;
use super::denials::Denials;
use super::{Direction, Timestamp};
use crate::access::{DecisionReason, Origin};
use crate::catalog::model::{LastUse, UsageRow};
use crate::domain::AccessKeyPk;

/// Hours counted separately while nothing can be written; later ones are added to the last.
const MAX_HOURS: usize = 48;
const CLASSES: usize = RequestClass::ALL.len();
const REASONS: usize = DecisionReason::ALL.len();
/// What the classes of denials begin with in the catalog.
pub(super) const DENIED: &str = "denied.";

/// Not yet written.
#[derive(Debug, Default)]
pub(super) struct Pending {
    hours: Vec<Hour>,
    last_use: Option<(Timestamp, Origin)>,
    requests: u64,
    pub(super) denials: Denials,
}

/// The counters of an hour.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hour {
    start: Timestamp,
    counts: [Count; CLASSES],
    denials: [u64; REASONS],
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    requests: u64,
    bytes_in: u64,
    bytes_out: u64,
}

impl Pending {
    /// The counters of the hour of `now`.
    pub(super) fn at(&mut self, now: Timestamp) -> &mut Hour {
        let start = now.hour();
        let known = self.hours.iter().rposition(|hour| hour.start == start);
        let place = known.unwrap_or_else(|| {
            if self.hours.len() < MAX_HOURS {
                self.hours.push(Hour::new(start));
            }
            self.hours.len() - 1
        });
        &mut self.hours[place]
    }

    /// Notes a request that was let in.
    pub(super) fn use_at(&mut self, now: Timestamp, class: RequestClass, origin: &Origin) {
        self.at(now).counts[class as usize].requests += 1;
        self.requests += 1;
        if self.last_use.as_ref().is_none_or(|(at, _)| *at <= now) {
            self.last_use = Some((now, origin.clone()));
        }
    }

    /// The bytes in and out on the day of `now`.
    pub(super) fn bytes_of_day(&self, now: Timestamp) -> u64 {
        let (start, end) = day_of(now);
        let hours = self.hours.iter();
        let today = hours.filter(|hour| (start..end).contains(&hour.start));
        let counts = today.flat_map(|hour| hour.counts);
        counts.fold(0, |sum: u64, count| {
            sum.saturating_add(count.bytes_in)
                .saturating_add(count.bytes_out)
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.hours.is_empty() && self.last_use.is_none() && self.denials.is_empty()
    }

    /// Takes back what could not be written.
    pub(super) fn restore(&mut self, earlier: Self) {
        for hour in earlier.hours {
            self.at(hour.start).add(&hour);
        }
        self.requests += earlier.requests;
        if let Some((at, origin)) = earlier.last_use
            && self.last_use.as_ref().is_none_or(|(known, _)| *known < at)
        {
            self.last_use = Some((at, origin));
        }
        self.denials.restore(earlier.denials);
    }

    /// Rows for the catalog, only those that say something.
    pub(super) fn rows(&self, key: AccessKeyPk) -> Vec<UsageRow> {
        let of_hour = |hour: &Hour| {
            let zero = UsageRow {
                access_key: key,
                hour: hour.start,
                class: String::new(),
                requests: 0,
                bytes_in: 0,
                bytes_out: 0,
                denials: 0,
            };
            let counts = RequestClass::ALL.into_iter().zip(hour.counts);
            let counted = counts.filter(|(_, count)| *count != Count::default());
            let denials = DecisionReason::ALL.into_iter().zip(hour.denials);
            let denied = denials.filter(|(_, count)| *count > 0);
            let mut rows = Vec::new();
            rows.extend(counted.map(|(class, count)| UsageRow {
                class: class.name().to_owned(),
                requests: count.requests,
                bytes_in: count.bytes_in,
                bytes_out: count.bytes_out,
                ..zero.clone()
            }));
            rows.extend(denied.map(|(reason, denials)| UsageRow {
                class: format!("{DENIED}{}", reason.name()),
                denials,
                ..zero.clone()
            }));
            rows
        };
        self.hours.iter().flat_map(of_hour).collect()
    }

    /// The latest use for the catalog, with the requests of all.
    pub(super) fn last_use(&self, key: AccessKeyPk) -> Option<LastUse> {
        let (at, origin) = self.last_use.as_ref()?;
        Some(LastUse {
            access_key: key,
            at: *at,
            address: origin.address.ip().map(|ip| ip.to_string()),
            user_agent: origin.user_agent.as_deref().map(str::to_owned),
            operation: origin.operation.to_string(),
            requests: self.requests,
        })
    }
}

impl Hour {
    fn new(start: Timestamp) -> Self {
        Self {
            start,
            counts: [Count::default(); CLASSES],
            denials: [0; REASONS],
        }
    }

    /// Counts a refused request.
    pub(super) fn refuse(&mut self, reason: DecisionReason) {
        self.denials[reason as usize] += 1;
    }

    /// Counts bytes of object data.
    pub(super) fn pass(&mut self, class: RequestClass, direction: Direction, bytes: u64) {
        let count = &mut self.counts[class as usize];
        let sum = match direction {
            Direction::In => &mut count.bytes_in,
            Direction::Out => &mut count.bytes_out,
        };
        *sum = sum.saturating_add(bytes);
    }

    fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            count.requests += more.requests;
            count.bytes_in = count.bytes_in.saturating_add(more.bytes_in);
            count.bytes_out = count.bytes_out.saturating_add(more.bytes_out);
        }
        for (count, more) in self.denials.iter_mut().zip(other.denials) {
            *count += more;
        }
    }
}
