//! Conditions on reads and copy sources, in the order of RFC 9110 section 13.2.2.

use crate::domain::{Generation, Timestamp};

/// What a reader demands of the version that it is about to read. ETags are without quotes; `*` is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ReadConditions {
    /// The ETag is one of these.
    pub(crate) if_match: Vec<String>,
    /// The ETag is none of these.
    pub(crate) if_none_match: Vec<String>,
    /// Written after this.
    pub(crate) if_modified_since: Option<Timestamp>,
    /// Not written after this.
    pub(crate) if_unmodified_since: Option<Timestamp>,
    /// The generation is this.
    pub(crate) if_generation: Option<Generation>,
    /// The generation is not this.
    pub(crate) if_generation_not: Option<Generation>,
}

/// What the conditions say of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConditionResult {
    /// They hold.
    Holds,
    /// 304.
    NotModified,
    /// 412, with the name of the condition.
    Failed(&'static str),
}

/// The facts that conditions are judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    /// ETag without quotes.
    pub(crate) etag: &'a str,
    /// When it was written.
    pub(crate) modified: Timestamp,
    /// Its generation.
    pub(crate) generation: Generation,
}

impl ReadConditions {
    /// Judges a version.
    pub(crate) fn judge(&self, facts: Facts<'_>) -> ConditionResult {
        if self
            .if_generation
            .is_some_and(|wanted| wanted != facts.generation)
        {
            return ConditionResult::Failed("if_generation_match");
        }
        if self.if_generation_not == Some(facts.generation) {
            return ConditionResult::NotModified;
        }
        if !self.if_match.is_empty() {
            if !names(&self.if_match, facts.etag) {
                return ConditionResult::Failed("If-Match");
            }
        } else if self
            .if_unmodified_since
            .is_some_and(|since| whole_seconds(facts.modified) > whole_seconds(since))
        {
            return ConditionResult::Failed("If-Unmodified-Since");
        }
        if !self.if_none_match.is_empty() {
            if names(&self.if_none_match, facts.etag) {
                return ConditionResult::NotModified;
            }
        } else if self
            .if_modified_since
            .is_some_and(|since| whole_seconds(facts.modified) <= whole_seconds(since))
        {
            return ConditionResult::NotModified;
        }
        ConditionResult::Holds
    }

    /// Judges a copy source, where every refusal is 412.
    pub(crate) fn judge_source(&self, facts: Facts<'_>) -> ConditionResult {
        match self.judge(facts) {
            ConditionResult::NotModified => ConditionResult::Failed("copy source condition"),
            other => other,
        }
    }
}

fn names(tags: &[String], etag: &str) -> bool {
    tags.iter().any(|tag| tag == "*" || tag == etag)
}

/// HTTP dates have whole seconds, and Last-Modified is shown so: the finer time must not count.
fn whole_seconds(time: Timestamp) -> i64 {
    time.as_micros().div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(conditions: &ReadConditions) -> ConditionResult {
        conditions.judge(Facts {
            etag: "e",
            modified: Timestamp::from_micros(10_500_000),
            generation: Generation(7),
        })
    }

    fn seconds(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp::from_micros(seconds * 1_000_000))
    }

    #[test]
    fn the_order_is_that_of_rfc_9110() {
        let base = ReadConditions::default();
        assert_eq!(judge(&base), ConditionResult::Holds);
        let matched = ReadConditions {
            if_match: vec!["x".into(), "e".into()],
            if_unmodified_since: seconds(5),
            ..base.clone()
        };
        assert_eq!(
            judge(&matched),
            ConditionResult::Holds,
            "If-Match hides If-Unmodified-Since"
        );
        let unmodified = ReadConditions {
            if_unmodified_since: seconds(5),
            ..base.clone()
        };
        assert_eq!(
            judge(&unmodified),
            ConditionResult::Failed("If-Unmodified-Since")
        );
        let none = ReadConditions {
            if_none_match: vec!["x".into()],
            if_modified_since: seconds(20),
            ..base.clone()
        };
        assert_eq!(
            judge(&none),
            ConditionResult::Holds,
            "If-None-Match hides If-Modified-Since"
        );
        let both = ReadConditions {
            if_match: vec!["x".into()],
            if_none_match: vec!["e".into()],
            ..base.clone()
        };
        assert_eq!(
            judge(&both),
            ConditionResult::Failed("If-Match"),
            "412 before 304"
        );
    }

    #[test]
    fn times_count_in_whole_seconds() {
        let same = ReadConditions {
            if_modified_since: seconds(10),
            ..ReadConditions::default()
        };
        assert_eq!(judge(&same), ConditionResult::NotModified);
        let unmodified = ReadConditions {
            if_unmodified_since: seconds(10),
            ..ReadConditions::default()
        };
        assert_eq!(judge(&unmodified), ConditionResult::Holds);
    }

    #[test]
    fn generations_are_exact() {
        let other = ReadConditions {
            if_generation: Some(Generation(6)),
            ..ReadConditions::default()
        };
        assert_eq!(
            judge(&other),
            ConditionResult::Failed("if_generation_match")
        );
        let same = ReadConditions {
            if_generation_not: Some(Generation(7)),
            ..ReadConditions::default()
        };
        assert_eq!(judge(&same), ConditionResult::NotModified);
    }
}
