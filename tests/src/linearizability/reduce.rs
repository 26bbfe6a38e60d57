//! Removes unknown outcomes as far as observations decide them.

use std::collections::HashMap;

use super::{Action, Guard, Operation, Value};

/// An operation that took effect between two known times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Certain {
    pub(super) called: u64,
    pub(super) returned: u64,
    pub(super) action: Action,
    /// The place in the caller's history.
    pub(super) index: usize,
}

/// A history without unknown outcomes, but for writes that no one observed.
#[derive(Debug, Default)]
pub(super) struct Reduced {
    pub(super) certain: Vec<Certain>,
    /// Calls of puts that may have taken effect, in ascending order.
    pub(super) loose_puts: Vec<u64>,
    /// Calls of deletes that may have taken effect, in ascending order.
    pub(super) loose_deletes: Vec<u64>,
}

pub(super) fn reduce(history: &[Operation]) -> Reduced {
    let mut reduced = Reduced::default();
    let mut unknown = Vec::new();
    let mut observed = HashMap::new();
    for (index, operation) in history.iter().enumerate() {
        match operation.returned {
            Some(returned) => reduced.add(&mut observed, operation, returned, index),
            None => unknown.push((index, operation)),
        }
    }
    // An unknown write that is found to have happened may itself have observed another's value.
    loop {
        let before = unknown.len();
        unknown.retain(|(index, operation)| {
            let seen = written(operation.action).and_then(|value| observed.get(&value).copied());
            if let Some(returned) = seen {
                reduced.add(&mut observed, operation, returned, *index);
            }
            seen.is_none()
        });
        if unknown.len() == before {
            break;
        }
    }
    for (_, operation) in unknown {
        match operation.action {
            Action::Write { value: Some(_), .. } => reduced.loose_puts.push(operation.called),
            Action::Write { value: None, .. } => reduced.loose_deletes.push(operation.called),
            // Without an answer they say nothing.
            Action::Read(_) | Action::Refused(_) => {}
        }
    }
    reduced.loose_puts.sort_unstable();
    reduced.loose_deletes.sort_unstable();
    reduced
}

impl Reduced {
    fn add(
        &mut self,
        observed: &mut HashMap<Value, u64>,
        operation: &Operation,
        returned: u64,
        index: usize,
    ) {
        if let Some(value) = seen(operation.action) {
            let first = observed.entry(value).or_insert(returned);
            *first = returned.min(*first);
        }
        self.certain.push(Certain {
            called: operation.called,
            returned,
            action: operation.action,
            index,
        });
    }
}

/// The value that the action proves to have been there.
fn seen(action: Action) -> Option<Value> {
    match action {
        Action::Read(value) => value,
        Action::Write {
            guard: Guard::IfValue(value),
            ..
        } => Some(value),
        Action::Write {
            guard: Guard::Always | Guard::IfAbsent,
            ..
        }
        | Action::Refused(_) => None,
    }
}

fn written(action: Action) -> Option<Value> {
    match action {
        Action::Write { value, .. } => value,
        Action::Read(_) | Action::Refused(_) => None,
    }
}
