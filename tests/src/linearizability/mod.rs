//! A linearizability checker for the history of one key: a register with compare-and-set.
//!
//! The search is Lowe's just-in-time linearization, a form of Wing and Gong's: it walks through calls and returns in
//! order of time and keeps all configurations (the running operations that took effect, and the register's state) that
//! explain the answers so far. An operation that returns when none is left is a violation. Histories of several keys are
//! checked key by key, because linearizability is local.
//!
//! # Unknown outcomes
//! A write without an answer may take effect at any time after its call, or never. Every written value is unique, which
//! makes such writes cheap:
//! - if its value was observed, the write took effect before the first observation returned: it becomes a write that
//!   returned then;
//! - otherwise it matters only where some value, or none, must be there to explain an answer. All such writes of one
//!   kind (puts, deletes) are interchangeable but for their call, so the search takes the earliest, and only where an
//!   operation needs it. The guard of such a put is ignored, which accepts a few histories that are not linearizable
//!   and rejects none that is.

mod reduce;
mod search;
#[cfg(test)]
mod tests;

/// A value of the register. No two writes of one key have the same.
pub type Value = u64;

/// The condition of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Guard {
    /// None: the write is unconditional.
    Always,
    /// The key must have no value: `If-None-Match: *`.
    IfAbsent,
    /// The key must have this value: `If-Match`.
    IfValue(Value),
}

/// What an operation did, by its answer; for a write without an answer, what it may have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Put (`Some`) or deleted (`None`) the value.
    Write {
        /// The value from then on.
        value: Option<Value>,
        /// The condition, which held.
        guard: Guard,
    },
    /// Observed the value, or its absence.
    Read(Option<Value>),
    /// The key had a value, and the guard did not hold: nothing was written.
    Refused(Guard),
}

/// An operation on the key. Times are in one unit of the caller's choice, from one clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// When it was called.
    pub called: u64,
    /// When its answer came; `None` if the outcome is unknown.
    pub returned: Option<u64>,
    /// What it did.
    pub action: Action,
}

/// The state of the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// No value.
    Absent,
    /// A value.
    Value(Value),
    /// The value of a write without an answer, which no operation observed.
    Unobserved,
}

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// An order explains all answers.
    Linearizable,
    /// No order does.
    Violation(Stuck),
    /// The search reached its limit of steps.
    Undecided,
}

/// The first answer that no order explains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// The number of operations that returned before it.
    pub returned: usize,
    /// The states that are possible before it returns, in order.
    pub states: Vec<State>,
    /// The index of the operation.
    pub operation: usize,
}

/// Checks the history of one key, which begins without a value.
#[must_use]
pub fn check(history: &[Operation]) -> Verdict {
    search::search(&reduce::reduce(history))
}

impl State {
    /// The state after the action; `None` if the action is impossible in this state.
    fn after(self, action: Action) -> Option<Self> {
        match action {
            Action::Write { value, guard } => guard
                .holds(self)
                .then(|| value.map_or(Self::Absent, Self::Value)),
            Action::Read(value) => {
                let read = value.map_or(Self::Absent, Self::Value);
                (self == read).then_some(self)
            }
            Action::Refused(guard) => (self != Self::Absent && !guard.holds(self)).then_some(self),
        }
    }
}

impl Action {
    /// Whether it leaves the state as it is.
    fn only_observes(self) -> bool {
        match self {
            Self::Read(_) | Self::Refused(_) => true,
            Self::Write { .. } => false,
        }
    }
}

impl Guard {
    fn holds(self, state: State) -> bool {
        match self {
            Self::Always => true,
            Self::IfAbsent => state == State::Absent,
            Self::IfValue(value) => state == State::Value(value),
        }
    }
}
