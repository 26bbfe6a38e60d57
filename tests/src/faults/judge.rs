//! Whether a run kept all promises. Pure.

use std::collections::BTreeMap;

use super::history::violations;
use super::{Course, Fault, Span, Step, VICTIM, micros};
use crate::cluster::node_name;
use crate::linearizability::{Action, Guard};
use crate::workload::{Answer, Kind, Record};

/// How much of a report is shown.
const FSCK_LINES: usize = 6;

/// The broken promises, as text; empty if there are none.
#[must_use]
pub fn judge(course: &Course) -> Vec<String> {
    let mut broken = unused(&course.records);
    broken.extend(wrong(&course.records, &course.faults));
    broken.extend(untimely(&course.records, &course.faults));
    broken.extend(slow(&course.records, &course.faults));
    broken.extend(violations(&course.records));
    for (check, when) in course.checks.iter().zip(["beside", "after"]) {
        if !check.status.success() {
            broken.push(format!(
                "fsck {when} the nodes:\n{}",
                shortened(&check.report)
            ));
        }
    }
    broken
}

/// Kinds of operations that never succeeded, and outcomes of conditions that never came: the load has not tested them.
fn unused(records: &[Record]) -> Vec<String> {
    let seen = |matches: fn(Action) -> bool| {
        let mut effects = records.iter().flat_map(|record| &record.effects);
        effects.any(|effect| effect.certain && matches(effect.action))
    };
    let refused = |action| matches!(action, Action::Refused(_));
    let created = |action| {
        matches!(
            action,
            Action::Write {
                guard: Guard::IfAbsent,
                ..
            }
        )
    };
    let replaced = |action| {
        matches!(
            action,
            Action::Write {
                guard: Guard::IfValue(_),
                ..
            }
        )
    };
    let conditions = [
        (seen(refused), "no condition was refused"),
        (seen(created), "no If-None-Match held"),
        (seen(replaced), "no If-Match held"),
    ];
    let unmet = conditions.iter().filter(|(seen, _)| !seen);
    let kinds = Kind::ALL
        .iter()
        .filter(|kind| {
            !records
                .iter()
                .any(|record| record.kind == **kind && record.answer == Answer::Done)
        })
        .map(|kind| format!("no {kind:?} succeeded"));
    kinds
        .chain(unmet.map(|(_, text)| (*text).to_owned()))
        .collect()
}

/// Answers that are never right: wrong content, and internal errors, because an outage is a 503.
fn wrong(records: &[Record], faults: &[(Step, Span)]) -> Vec<String> {
    let wrong = records.iter().filter_map(|record| match &record.answer {
        Answer::Wrong(text) => Some((record, text)),
        Answer::Failed(text) if text.starts_with("500") => Some((record, text)),
        Answer::Failed(_) | Answer::Done => None,
    });
    counted("wrong answers", wrong, faults)
}

/// Operations that failed when nothing allowed it.
fn untimely(records: &[Record], faults: &[(Step, Span)]) -> Vec<String> {
    let allowed: Vec<Span> = faults
        .iter()
        .flat_map(|(step, span)| step.fault.may_fail(span))
        .collect();
    let untimely = records.iter().filter_map(|record| {
        let overlaps = |span: &Span| record.called < span.end && span.start < record.returned;
        match &record.answer {
            Answer::Failed(text) if !allowed.iter().any(overlaps) => Some((record, text)),
            Answer::Failed(_) | Answer::Wrong(_) | Answer::Done => None,
        }
    });
    counted("untimely failures", untimely, faults)
}

/// One text for each kind of operation and answer after each fault.
fn counted<'a>(
    what: &str,
    records: impl Iterator<Item = (&'a Record, &'a String)>,
    faults: &[(Step, Span)],
) -> Vec<String> {
    let mut counts: BTreeMap<(usize, String), (usize, u64)> = BTreeMap::new();
    for (record, text) in records {
        let began = faults.partition_point(|(_, span)| span.start <= record.returned);
        let text = format!("{:?}: {text}", record.kind);
        let (count, first) = counts.entry((began, text)).or_insert((0, record.called));
        *count += 1;
        *first = record.called.min(*first);
    }
    counts
        .into_iter()
        .map(|((began, text), (count, first))| {
            let latest = began.checked_sub(1).and_then(|latest| faults.get(latest));
            let when = match latest {
                None => format!("{} after the begin", seconds(first)),
                Some((step, span)) => format!(
                    "{} after \"{}\" began",
                    seconds(first.saturating_sub(span.start)),
                    step.name()
                ),
            };
            format!("{count} {what}, first {when}: {text}")
        })
        .collect()
}

fn shortened(report: &str) -> String {
    let lines: Vec<_> = report.lines().collect();
    let mut shown = String::new();
    for line in lines.iter().take(FSCK_LINES) {
        shown.push_str(&format!("  {line}\n"));
    }
    if lines.len() > FSCK_LINES {
        shown.push_str(&format!("  and {} lines more", lines.len() - FSCK_LINES));
    }
    shown
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
                .filter(|record| answered_by_another(step.fault, record))
                .map(|record| record.returned - record.called)
                .filter(|latency| *latency > limit)
                .collect();
            let worst = slow.iter().max()?;
            Some(format!(
                "{} operations took up to {} during \"{}\", more than {}",
                slow.len(),
                seconds(*worst),
                step.name(),
                seconds(limit)
            ))
        })
        .collect()
}

/// Whether a node answered that the fault does not stop.
fn answered_by_another(fault: Fault, record: &Record) -> bool {
    match fault {
        // Without a node's name the proxy, or the client, gave the disturbed node up.
        Fault::PauseNode | Fault::PauseCommit => record
            .node
            .as_ref()
            .is_some_and(|node| *node != node_name(VICTIM)),
        Fault::KillNode
        | Fault::SkewClock(_)
        | Fault::StopPostgres
        | Fault::KillPostgres
        | Fault::HangPostgres
        | Fault::HangStore
        | Fault::KillStore
        | Fault::RollingRestart => true,
    }
}

fn seconds(micros: u64) -> String {
    format!("{:.2} s", micros as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: u64 = 1_000_000;

    fn failed(called: u64, returned: u64) -> Record {
        Record {
            kind: Kind::Put,
            called,
            returned,
            answer: Answer::Failed("503".to_owned()),
            node: None,
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
            ["1 untimely failures, first 1.00 s after \"rolling restart\" began: Put: 503"]
        );
    }

    #[test]
    fn an_internal_error_is_wrong_at_any_time() {
        let faults = course(Fault::StopPostgres, 10 * SECOND, 15 * SECOND);
        let mut record = failed(11 * SECOND, 11 * SECOND + 1);
        assert!(wrong(std::slice::from_ref(&record), &faults).is_empty());
        record.answer = Answer::Failed("500 InternalError".to_owned());
        assert_eq!(wrong(&[record], &faults).len(), 1);
    }

    #[test]
    fn an_outage_is_answered_in_time() {
        let faults = course(Fault::HangPostgres, 10 * SECOND, 15 * SECOND);
        assert!(slow(&[failed(10 * SECOND, 12 * SECOND)], &faults).is_empty());
        assert_eq!(slow(&[failed(10 * SECOND, 14 * SECOND)], &faults).len(), 1);
    }

    #[test]
    fn a_paused_node_does_not_hold_up_the_others() {
        let faults = course(Fault::PauseCommit, 10 * SECOND, 20 * SECOND);
        let answered_by = |node: Option<&str>| Record {
            node: node.map(str::to_owned),
            ..failed(11 * SECOND, 19 * SECOND)
        };
        assert_eq!(slow(&[answered_by(Some("node1"))], &faults).len(), 1);
        assert!(slow(&[answered_by(Some("node0"))], &faults).is_empty());
        assert!(slow(&[answered_by(None)], &faults).is_empty());
    }
}
