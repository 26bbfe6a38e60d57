//! The search for an order: calls and returns in order of time, with the set of all configurations that explain them so
//! far. A write is ordered as late as possible: when it, or another operation that must come after it, returns. What only
//! observes is ordered as early as possible, since it changes nothing.

use std::collections::HashMap;

use super::reduce::{Certain, Reduced};
use super::{Action, Guard, State, Stuck, Verdict};

/// Bounds the time of a check to some ten seconds.
const STEP_LIMIT: u64 = 50_000_000;
/// How many operations may run at once.
const SLOTS: u32 = u128::BITS;

/// How many unobserved writes took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Used {
    puts: usize,
    deletes: usize,
}

/// One way to explain all answers so far.
#[derive(Debug, Clone, Copy)]
struct Configuration {
    /// The running operations that took effect, by slot.
    ordered: u128,
    state: State,
    used: Used,
}

/// Configurations, without those that differ from another only by having used more.
#[derive(Default)]
struct Configurations(HashMap<(u128, State), Vec<Used>>);

/// An operation that was called and has not returned.
struct Running {
    operation: usize,
    /// Its bit in `Configuration::ordered`.
    slot: u128,
}

struct Search<'a> {
    history: &'a Reduced,
    running: Vec<Running>,
    configurations: Configurations,
    steps: u64,
}

pub(super) fn search(history: &Reduced) -> Verdict {
    let mut search = Search {
        history,
        running: Vec::new(),
        configurations: Configurations::default(),
        steps: 0,
    };
    search.configurations.insert(Configuration {
        ordered: 0,
        state: State::Absent,
        used: Used {
            puts: 0,
            deletes: 0,
        },
    });
    let mut returned = 0;
    for (_, is_return, operation) in events(&history.certain) {
        if !is_return {
            match free_slot(&search.running) {
                Some(slot) => search.call(operation, slot),
                None => return Verdict::Undecided,
            }
            continue;
        }
        let next = search.after_return(operation);
        if search.steps > STEP_LIMIT {
            return Verdict::Undecided;
        }
        if next.0.is_empty() {
            return Verdict::Violation(Stuck {
                returned,
                states: search.configurations.states(),
                operation: history.certain[operation].index,
            });
        }
        returned += 1;
        search.configurations = next;
        search
            .running
            .retain(|running| running.operation != operation);
    }
    Verdict::Linearizable
}

impl Search<'_> {
    fn call(&mut self, operation: usize, slot: u128) {
        self.running.push(Running { operation, slot });
        if self.history.certain[operation].action.only_observes() {
            let mut next = Configurations::default();
            for configuration in self.configurations.iter() {
                next.insert(self.settled(configuration));
            }
            self.configurations = next;
        }
    }

    /// With everything ordered that only observes, and observes this state.
    fn settled(&self, configuration: Configuration) -> Configuration {
        let ordered = self
            .running
            .iter()
            .filter(|running| {
                let action = self.history.certain[running.operation].action;
                action.only_observes() && configuration.state.after(action).is_some()
            })
            .fold(configuration.ordered, |all, running| all | running.slot);
        Configuration {
            ordered,
            ..configuration
        }
    }

    /// The configurations in which the operation took effect, and in which its slot is free again.
    fn after_return(&mut self, operation: usize) -> Configurations {
        let mut next = Configurations::default();
        // A value was observed before its write was called.
        let Some(slot) = self.slot(operation) else {
            return next;
        };
        let mut explored = Configurations::default();
        let mut open = Vec::new();
        for configuration in self.configurations.iter() {
            if configuration.ordered & slot == 0 {
                open.push(configuration);
            } else {
                next.insert(configuration.without(slot));
            }
        }
        while let Some(configuration) = open.pop() {
            for running in &self.running {
                self.steps += 1;
                if configuration.ordered & running.slot != 0 {
                    continue;
                }
                let Some(after) = self.step(configuration, running, operation) else {
                    continue;
                };
                let after = self.settled(after);
                if after.ordered & slot != 0 {
                    next.insert(after.without(slot));
                } else if explored.insert(after) {
                    open.push(after);
                }
            }
            if self.steps > STEP_LIMIT {
                break;
            }
        }
        next
    }

    fn slot(&self, operation: usize) -> Option<u128> {
        self.running
            .iter()
            .find(|running| running.operation == operation)
            .map(|running| running.slot)
    }

    /// Lets a running operation take effect before `returning` returns, if need be with an unobserved write just before
    /// it. Where it is not needed such a write can as well come later.
    fn step(
        &self,
        configuration: Configuration,
        running: &Running,
        returning: usize,
    ) -> Option<Configuration> {
        let action = self.history.certain[running.operation].action;
        let ordered = configuration.ordered | running.slot;
        if let Some(state) = configuration.state.after(action) {
            return Some(Configuration {
                ordered,
                state,
                ..configuration
            });
        }
        let mut used = configuration.used;
        let (state, call) = match action {
            Action::Read(None)
            | Action::Write {
                guard: Guard::IfAbsent,
                ..
            } => {
                used.deletes += 1;
                let call = self.history.loose_deletes.get(used.deletes - 1);
                (State::Absent, call)
            }
            Action::Refused(_) => {
                used.puts += 1;
                let call = self.history.loose_puts.get(used.puts - 1);
                (State::Unobserved, call)
            }
            Action::Read(Some(_))
            | Action::Write {
                guard: Guard::Always | Guard::IfValue(_),
                ..
            } => return None,
        };
        if *call? > self.history.certain[returning].returned {
            return None;
        }
        Some(Configuration {
            ordered,
            state: state.after(action)?,
            used,
        })
    }
}

/// Time, whether it is a return, and operation.
fn events(operations: &[Certain]) -> Vec<(u64, bool, usize)> {
    let mut events: Vec<_> = operations
        .iter()
        .enumerate()
        .flat_map(|(index, operation)| {
            [
                (operation.called, false, index),
                (operation.returned, true, index),
            ]
        })
        .collect();
    // At the same time the call is first: the operations are concurrent.
    events.sort_unstable();
    events
}

fn free_slot(running: &[Running]) -> Option<u128> {
    let taken = running.iter().fold(0, |all, running| all | running.slot);
    let number = u128::trailing_ones(taken);
    (number < SLOTS).then(|| 1 << number)
}

impl Configuration {
    fn without(self, slot: u128) -> Self {
        Self {
            ordered: self.ordered & !slot,
            ..self
        }
    }
}

impl Configurations {
    /// Whether it is new and no other makes it superfluous.
    fn insert(&mut self, new: Configuration) -> bool {
        let known = self.0.entry((new.ordered, new.state)).or_default();
        if known.iter().any(|used| used.within(new.used)) {
            return false;
        }
        known.retain(|used| !new.used.within(*used));
        known.push(new.used);
        true
    }

    fn iter(&self) -> impl Iterator<Item = Configuration> {
        self.0.iter().flat_map(|(&(ordered, state), used)| {
            used.iter().map(move |&used| Configuration {
                ordered,
                state,
                used,
            })
        })
    }

    fn states(&self) -> Vec<State> {
        let mut states: Vec<_> = self.0.keys().map(|(_, state)| *state).collect();
        states.sort_unstable();
        states.dedup();
        states
    }
}

impl Used {
    fn within(self, other: Self) -> bool {
        self.puts <= other.puts && self.deletes <= other.deletes
    }
}
