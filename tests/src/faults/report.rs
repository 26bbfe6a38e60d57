//! A table of faults and what clients noticed of them.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Course, Span};
use crate::workload::{Answer, Kind, Record};

/// One row for each fault. Operations belong to the last fault that began before they were called; errors are during
/// it if they were called before its end.
#[must_use]
pub fn table(course: &Course) -> String {
    let mut table = format!(
        "{:<24} {:>7} {:>7} {:>8} {:>7} {:>12} {:>12} {:>8}\n",
        "fault", "lasted", "called", "errors", "errors", "last error", "1st success", "worst"
    );
    writeln!(
        table,
        "{:<24} {:>7} {:>7} {:>8} {:>7} {:>12} {:>12} {:>8}",
        "", "s", "", "during", "after", "s after end", "s after end", "s"
    )
    .ok();
    for (number, (step, span)) in course.faults.iter().enumerate() {
        let next = course
            .faults
            .get(number + 1)
            .map_or(u64::MAX, |(_, next)| next.start);
        let called: Vec<_> = course
            .records
            .iter()
            .filter(|record| (span.start..next).contains(&record.called))
            .collect();
        writeln!(table, "{}", row(&step.name(), span, next, &called)).ok();
    }
    table.push_str("operations, failed, took at most:\n");
    for kind in Kind::ALL {
        let of_kind = || {
            course
                .records
                .iter()
                .filter(move |record| record.kind == kind)
        };
        let failed = of_kind().filter(|record| record.answer != Answer::Done);
        let longest = of_kind()
            .map(|record| record.returned - record.called)
            .max();
        writeln!(
            table,
            "  {:<16} {:>6} {:>6} {:>6.2} s",
            format!("{kind:?}"),
            of_kind().count(),
            failed.count(),
            longest.unwrap_or_default() as f64 / 1e6
        )
        .ok();
    }
    table.push_str("failures:\n");
    for (text, count) in failures(&course.records) {
        writeln!(table, "  {count:>6} {text}").ok();
    }
    table
}

fn failures(records: &[Record]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for record in records {
        if let Answer::Failed(text) | Answer::Wrong(text) = &record.answer {
            *counts.entry(text.as_str()).or_default() += 1;
        }
    }
    counts
}

fn row(name: &str, span: &Span, next: u64, records: &[&Record]) -> String {
    let failed = |record: &&&Record| matches!(record.answer, Answer::Failed(_));
    let during = records
        .iter()
        .filter(failed)
        .filter(|record| record.called < span.end)
        .count();
    let errors = records.iter().filter(failed).count();
    let last_error = records
        .iter()
        .filter(failed)
        .map(|record| record.returned)
        // What ends later may have failed by the next fault.
        .filter(|time| *time < next)
        .max()
        .filter(|time| *time > span.end);
    let first_success = records
        .iter()
        .filter(|record| record.answer == Answer::Done && record.called >= span.end)
        .map(|record| record.returned)
        .min();
    let worst = records
        .iter()
        .map(|record| record.returned - record.called)
        .max()
        .unwrap_or_default();
    let since_end = |time: Option<u64>| {
        time.map_or("-".to_owned(), |time| {
            format!("{:.3}", (time - span.end) as f64 / 1e6)
        })
    };
    format!(
        "{name:<24} {:>7.1} {:>7} {during:>8} {:>7} {:>12} {:>12} {:>8.2}",
        (span.end - span.start) as f64 / 1e6,
        records.len(),
        errors - during,
        since_end(last_error),
        since_end(first_success),
        worst as f64 / 1e6
    )
}
