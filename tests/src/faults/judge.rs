//! Whether a course kept all promises. Pure.

use std::collections::BTreeMap;

use super::history::violations;
use super::{Course, Span, Step, micros};
use crate::workload::{Answer, Record};

/// The broken promises, as text; empty if there are none.
#[must_use]
pub fn judge(course: &Course) -> Vec<String> {
    let mut broken = wrong(&course.records);
    broken.extend(untimely(&course.records, &course.faults));
    broken.extend(slow(&course.records, &course.faults));
    broken.extend(violations(&course.records));
    for (check, when) in course.checks.iter().zip(["beside", "after"]) {
        if !check.status.success() {
            let report: Vec<_> = check.report.lines().take(20).collect();
            broken.push(format!("fsck {when} the nodes: {}", report.join("\n  ")));
        }
    }
    broken
}

/// Answers that are never right, by text.
fn wrong(records: &[Record]) -> Vec<String> {
    let mut counts: BTreeMap<String, (usize, u64)> = BTreeMap::new();
    for record in records {
        if let Answer::Wrong(text) = &record.answer {
            let text = format!("{:?}: {text}", record.kind);
            let entry = counts.entry(text).or_insert((0, record.called));
            entry.0 += 1;
        }
    }
    counts
        .into_iter()
        .map(|(text, (count, first))| {
            format!("{count} wrong answers, first at {}: {text}", seconds(first))
        })
        .collect()
}

/// Operations that failed when nothing allowed it, by the fault before.
fn untimely(records: &[Record], faults: &[(Step, Span)]) -> Vec<String> {
    let allowed: Vec<Span> = faults
        .iter()
        .flat_map(|(step, span)| step.fault.may_fail(span))
        .collect();
    let mut counts: BTreeMap<(usize, String), (usize, u64)> = BTreeMap::new();
    for record in records {
        let Answer::Failed(text) = &record.answer else {
            continue;
        };
        let overlaps = |span: &Span| record.called < span.end && span.start < record.returned;
        if !allowed.iter().any(overlaps) {
            let fault = faults.partition_point(|(_, span)| span.start <= record.returned);
            let text = format!("{:?}: {text}", record.kind);
            let entry = counts.entry((fault, text)).or_insert((0, record.called));
            entry.0 += 1;
        }
    }
    counts
        .into_iter()
        .map(|((fault, text), (count, first))| {
            let after = fault.checked_sub(1).and_then(|fault| faults.get(fault));
            let (name, since) = match after {
                None => ("before any fault".to_owned(), first),
                Some((step, span)) => (
                    format!("since \"{}\" began", step.fault.name()),
                    first.saturating_sub(span.start),
                ),
            };
            format!(
                "{count} untimely failures, first {} {name}: {text}",
                seconds(since)
            )
        })
        .collect()
}

/// Operations during an outage that waited for too long.
fn slow(records: &[Record], faults: &[(Step, Span)]) -> Vec<String> {
    faults
        .iter()
        .filter_map(|(step, span)| {
            let limit = micros(step.fault.answered_within()?);
            let slow: Vec<u64> = records
                .iter()
                .filter(|record| span.contains(&record.called))
                .map(|record| record.returned - record.called)
                .filter(|latency| *latency > limit)
                .collect();
            let worst = slow.iter().max()?;
            Some(format!(
                "{} operations took up to {} during \"{}\", more than {}",
                slow.len(),
                seconds(*worst),
                step.fault.name(),
                seconds(limit)
            ))
        })
        .collect()
}

fn seconds(micros: u64) -> String {
    format!("{:.2} s", micros as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Fault;
    use super::*;
    use crate::workload::Kind;

    const SECOND: u64 = 1_000_000;

    fn failed(called: u64, returned: u64) -> Record {
        Record {
            kind: Kind::Put,
            called,
            returned,
            answer: Answer::Failed("503".to_owned()),
            effects: Vec::new(),
        }
    }

    fn course(fault: Fault, start: u64, end: u64) -> [(Step, Span); 1] {
        let lasts = Duration::from_micros(end - start);
        [(Step { fault, lasts }, start..end)]
    }

    #[test]
    fn failures_are_allowed_until_shortly_after_an_outage() {
        let faults = course(Fault::StopPostgres, 10 * SECOND, 15 * SECOND);
        let untimely = |at: u64| untimely(&[failed(at, at + 1)], &faults).len();
        assert_eq!(untimely(9 * SECOND), 1);
        assert_eq!(untimely(10 * SECOND), 0);
        assert_eq!(untimely(17 * SECOND - 1), 0);
        assert_eq!(untimely(17 * SECOND), 1);
    }

    #[test]
    fn the_others_answer_while_a_node_is_down() {
        let faults = course(Fault::KillNode, 10 * SECOND, 15 * SECOND);
        let untimely = |at: u64| untimely(&[failed(at, at + 1)], &faults).len();
        assert_eq!(untimely(11 * SECOND), 0);
        assert_eq!(untimely(13 * SECOND), 1);
    }

    #[test]
    fn a_rolling_restart_excuses_nothing() {
        let faults = course(Fault::RollingRestart, 10 * SECOND, 15 * SECOND);
        let found = untimely(&[failed(11 * SECOND, 11 * SECOND + 1)], &faults);
        assert_eq!(
            found,
            ["1 untimely failures, first 1.00 s since \"rolling restart\" began: Put: 503"]
        );
    }

    #[test]
    fn an_outage_is_answered_in_time() {
        let faults = course(Fault::HangPostgres, 10 * SECOND, 15 * SECOND);
        assert!(slow(&[failed(10 * SECOND, 12 * SECOND)], &faults).is_empty());
        assert_eq!(slow(&[failed(10 * SECOND, 14 * SECOND)], &faults).len(), 1);
    }
}
