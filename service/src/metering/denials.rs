//! The circumstances of refused requests, the latest of each cause.

use std::collections::VecDeque;

use super::DeniedRequest;
use crate::access::{DecisionReason, Origin};
use crate::catalog::model::{DenialCause, DenialRow};
use crate::domain::{AccessKeyPk, Timestamp};

/// The longest bucket name that is kept of a request that was refused before its name was read.
const MAX_BUCKET: usize = 63;
/// The longest key that is kept, which is the longest that there is.
const MAX_KEY: usize = 1024;

/// A refused request.
#[derive(Debug, Clone)]
pub(super) struct Denied {
    at: Timestamp,
    reason: DecisionReason,
    cause: DenialCause,
    rule: Box<str>,
    origin: Origin,
    bucket: Box<str>,
    key: Box<str>,
}

impl Denied {
    pub(super) fn new(denial: DeniedRequest<'_>, at: Timestamp) -> Self {
        Self {
            at,
            reason: denial.explanation.reason,
            cause: denial.cause,
            rule: denial.explanation.rule.as_str().into(),
            origin: denial.origin.clone(),
            bucket: cut(denial.bucket, MAX_BUCKET).into(),
            key: cut(denial.key, MAX_KEY).into(),
        }
    }

    fn row(&self, access_key: AccessKeyPk) -> DenialRow {
        DenialRow {
            access_key,
            at: self.at,
            reason: self.reason.number(),
            cause: self.cause,
            rule: self.rule.to_string(),
            address: self.origin.address.ip().map(|ip| ip.to_string()),
            operation: self.origin.operation.to_string(),
            bucket: self.bucket.to_string(),
            key: self.key.to_string(),
            user_agent: self.origin.user_agent.as_deref().map(str::to_owned),
            request_id: self.origin.request_id.to_string(),
        }
    }
}

/// The beginning of a text, of at most `most` bytes, cut between two characters.
fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

/// The latest refused requests of a key, each cause with the room that the catalog has for it, oldest first.
#[derive(Debug, Default)]
pub(super) struct Denials {
    holder: VecDeque<Denied>,
    anybody: VecDeque<Denied>,
}

impl Denials {
    /// Keeps a denial; the oldest of its cause gives way when there is no room. `crowd`: other keys have taken all the
    /// room that there is for more. Answers whether there is one more now.
    pub(super) fn keep(&mut self, denied: Denied, crowd: bool) -> bool {
        let most = denied.cause.kept();
        let kept = self.of(denied.cause);
        if kept.len() < most && !crowd {
            kept.push_back(denied);
            return true;
        }
        if kept.pop_front().is_some() {
            kept.push_back(denied);
        }
        false
    }

    /// Takes back what could not be written, as far as there is room beside what came since.
    pub(super) fn restore(&mut self, earlier: Self) {
        for mut older in [earlier.holder, earlier.anybody] {
            while let Some(denied) = older.pop_back() {
                let most = denied.cause.kept();
                let kept = self.of(denied.cause);
                if kept.len() < most {
                    kept.push_front(denied);
                }
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.holder.len() + self.anybody.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows for the catalog.
    pub(super) fn rows(&self, key: AccessKeyPk) -> impl Iterator<Item = DenialRow> {
        let all = self.holder.iter().chain(&self.anybody);
        all.map(move |denied| denied.row(key))
    }

    fn of(&mut self, cause: DenialCause) -> &mut VecDeque<Denied> {
        match cause {
            DenialCause::Holder => &mut self.holder,
            DenialCause::Anybody => &mut self.anybody,
        }
    }
}
