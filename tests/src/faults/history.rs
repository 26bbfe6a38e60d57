//! From records to the histories of keys.

use std::collections::BTreeMap;

use crate::linearizability::{Action, Guard, Operation, State, Verdict, check};
use crate::workload::Record;

/// How many operations around a violation are shown.
const SHOWN: usize = 12;

/// Checks every key; one text for each that no order explains.
pub(super) fn violations(records: &[Record]) -> Vec<String> {
    let mut histories: BTreeMap<&str, Vec<Operation>> = BTreeMap::new();
    for record in records {
        for effect in &record.effects {
            histories.entry(&effect.key).or_default().push(Operation {
                called: record.called,
                returned: effect.certain.then_some(record.returned),
                action: effect.action,
            });
        }
    }
    histories
        .iter()
        .filter_map(|(key, history)| match check(history) {
            Verdict::Linearizable => None,
            Verdict::Undecided => Some(format!("{key}: too many operations to decide")),
            Verdict::Violation(stuck) => Some(format!(
                "{key}: no order explains this answer; possible before it: {}\n  {}\n  near it:\n{}",
                stuck.states.iter().map(|state| shown_state(*state)).collect::<Vec<_>>().join(", "),
                shown(&history[stuck.operation]),
                neighbours(history, &history[stuck.operation]),
            )),
        })
        .collect()
}

/// The last operations on the key that were called before this one returned.
fn neighbours(history: &[Operation], about: &Operation) -> String {
    let end = about.returned.unwrap_or(u64::MAX);
    let mut before: Vec<_> = history
        .iter()
        .filter(|operation| operation.called <= end)
        .collect();
    before.sort_unstable_by_key(|operation| operation.called);
    let first = before.len().saturating_sub(SHOWN);
    before[first..]
        .iter()
        .map(|operation| format!("    {}\n", shown(operation)))
        .collect()
}

fn shown(operation: &Operation) -> String {
    let guard = |guard| match guard {
        Guard::Always => String::new(),
        Guard::IfAbsent => " if absent".to_owned(),
        Guard::IfValue(value) => format!(" if {value:x}"),
    };
    let action = match operation.action {
        Action::Write {
            value: Some(value),
            guard: condition,
        } => format!("put {value:x}{}", guard(condition)),
        Action::Write {
            value: None,
            guard: condition,
        } => format!("delete{}", guard(condition)),
        Action::Read(Some(value)) => format!("read {value:x}"),
        Action::Read(None) => "read nothing".to_owned(),
        Action::Refused(condition) => format!("refused{}", guard(condition)),
    };
    let seconds = |time: u64| time as f64 / 1e6;
    let end = operation
        .returned
        .map_or("?".to_owned(), |time| format!("{:.6}", seconds(time)));
    format!("{:.6} - {end} {action}", seconds(operation.called))
}

fn shown_state(state: State) -> String {
    match state {
        State::Absent => "nothing".to_owned(),
        State::Value(value) => format!("{value:x}"),
        State::Unobserved => "a value that no one observed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Answer, Effect, Kind};

    fn record(called: u64, key: &str, action: Action) -> Record {
        Record {
            kind: Kind::Put,
            called,
            returned: called + 1,
            answer: Answer::Done,
            node: None,
            effects: vec![Effect {
                key: key.to_owned(),
                action,
                certain: true,
            }],
        }
    }

    #[test]
    fn each_key_has_a_history_of_its_own() {
        let put = |value| Action::Write {
            value: Some(value),
            guard: Guard::Always,
        };
        let mut records = vec![
            record(0, "a", put(1)),
            record(2, "b", put(2)),
            record(4, "a", Action::Read(Some(1))),
            record(6, "b", Action::Read(Some(2))),
        ];
        assert_eq!(violations(&records), [] as [&str; 0]);
        records.push(record(8, "b", Action::Read(None)));
        let found = violations(&records);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("b: no order explains this answer; possible before it: 2\n"));
        assert!(found[0].contains("read nothing"), "{found:?}");
    }
}
