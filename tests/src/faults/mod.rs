//! Faults of a cluster under load: what happens to it, for how long, and what its clients may notice.
//!
//! A schedule is data, in two scales. The short one takes a minute and a half and is part of `tests/run`; the full one takes
//! about ten minutes with the server's default settings, and is run by hand:
//!
//! ```sh
//! BUCKETRY_TEST_FAULTS=full tests/run cluster_faults
//! ```
//!
//! The test prints a table with a row for each fault, and fails if an object was lost or wrong, if no order of the
//! operations explains all answers, if an unconditional write was refused, if an operation failed outside the time that
//! [`Fault::may_fail`] allows, if an outage was not answered in time, or if `bucketry fsck` finds anything.

mod history;
mod judge;
mod report;
mod run;

use std::time::Duration;

pub use judge::judge;
pub use report::table;
pub use run::{Course, run};

/// The variable that chooses the scale: `short` (the default) or `full`.
pub const SCALE_VARIABLE: &str = "BUCKETRY_TEST_FAULTS";

/// How long operations may still fail after a fault has ended, and after the death of a node that has others beside it.
pub const RECOVERY: Duration = Duration::from_secs(2);
/// How long operations may fail after a node stopped inside a commit: until the database has ended its transaction.
const LOCKS_HELD: Duration = Duration::from_secs(3);
/// The node that is killed and paused.
const VICTIM: usize = 0;
/// How soon an outage of the database or the store is answered.
const OUTAGE_ANSWER: Duration = Duration::from_secs(2);
/// What a slow machine may take on top of it.
const SLACK: Duration = Duration::from_millis(1500);

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A node is killed and started again at the end.
    KillNode,
    /// A node is paused.
    PauseNode,
    /// A node is paused inside a commit, holding locks of the database.
    PauseCommit,
    /// The clock of a node is that many seconds ahead.
    SkewClock(i32),
    /// The database is stopped and started again.
    StopPostgres,
    /// All processes of the database are killed, and it is started again.
    KillPostgres,
    /// All processes of the database are paused.
    HangPostgres,
    /// The store is paused.
    HangStore,
    /// The store is killed and started again.
    KillStore,
    /// One node after the other is asked to end, and started again.
    RollingRestart,
}

/// A fault and how long it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What goes wrong.
    pub fault: Fault,
    /// How long, besides the time that it takes to end it.
    pub lasts: Duration,
}

/// All that a run needs to know.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Further arguments of `bucketry serve`.
    pub node_arguments: &'static [&'static str],
    /// How long the load runs undisturbed before the first fault and after each.
    pub settle: Duration,
    /// The faults in order.
    pub steps: Vec<Step>,
}

/// A span of time in microseconds of the history's clock.
pub type Span = std::ops::Range<u64>;

impl Fault {
    /// When operations may fail if the fault lasted for `span`.
    #[must_use]
    pub fn may_fail(self, span: &Span) -> Vec<Span> {
        let after = |time: u64, allowed: Duration| time..time + micros(allowed);
        match self {
            Self::KillNode => vec![after(span.start, RECOVERY)],
            Self::PauseNode | Self::PauseCommit => vec![
                after(span.start, LOCKS_HELD + RECOVERY),
                after(span.end, RECOVERY),
            ],
            Self::SkewClock(_) | Self::RollingRestart => Vec::new(),
            Self::StopPostgres
            | Self::KillPostgres
            | Self::HangPostgres
            | Self::HangStore
            | Self::KillStore => {
                let end = after(span.end, RECOVERY).end;
                vec![Span { end, ..*span }]
            }
        }
    }

    /// The longest that an operation may take that is called during the fault, if that is promised. What the disturbed
    /// node itself answers does not count.
    #[must_use]
    pub fn answered_within(self) -> Option<Duration> {
        match self {
            Self::StopPostgres
            | Self::KillPostgres
            | Self::HangPostgres
            | Self::HangStore
            | Self::KillStore => Some(OUTAGE_ANSWER + SLACK),
            Self::PauseNode | Self::PauseCommit => Some(LOCKS_HELD + SLACK),
            Self::KillNode | Self::SkewClock(_) | Self::RollingRestart => None,
        }
    }
}

impl Step {
    /// A few words for the table.
    #[must_use]
    pub fn name(self) -> String {
        match self.fault {
            Fault::KillNode => "node killed".to_owned(),
            Fault::PauseNode => "node paused".to_owned(),
            Fault::PauseCommit => "node paused in commit".to_owned(),
            Fault::SkewClock(seconds) => format!("clock of a node {seconds:+} s"),
            Fault::StopPostgres if self.lasts.is_zero() => "database restarted".to_owned(),
            Fault::StopPostgres => "database down".to_owned(),
            Fault::KillPostgres => "database killed".to_owned(),
            Fault::HangPostgres => "database hung".to_owned(),
            Fault::HangStore => "store hung".to_owned(),
            Fault::KillStore => "store killed".to_owned(),
            Fault::RollingRestart => "rolling restart".to_owned(),
        }
    }
}

impl Schedule {
    /// The schedule that `BUCKETRY_TEST_FAULTS` names.
    ///
    /// # Panics
    /// It names neither.
    #[must_use]
    #[expect(
        clippy::panic,
        reason = "a test must not run at another scale than was asked for"
    )]
    pub fn chosen() -> Self {
        match std::env::var(SCALE_VARIABLE).as_deref() {
            Err(_) | Ok("short") => Self::short(),
            Ok("full") => Self::full(),
            Ok(other) => panic!("{SCALE_VARIABLE} is {other:?}, not `short` or `full`"),
        }
    }

    /// With leases of three seconds.
    #[must_use]
    pub fn short() -> Self {
        Self {
            node_arguments: &[
                "--collect-interval=1s",
                "--collect-grace=2s",
                "--node-lease=3s",
                "--drain-delay=1500ms",
            ],
            settle: Duration::from_millis(2500),
            steps: steps(&[
                (Fault::KillNode, 2000),
                (Fault::PauseNode, 1000),
                (Fault::PauseCommit, 5000),
                (Fault::SkewClock(120), 4000),
                (Fault::SkewClock(-120), 4000),
                (Fault::StopPostgres, 0),
                (Fault::KillPostgres, 0),
                (Fault::HangPostgres, 4000),
                (Fault::StopPostgres, 5000),
                (Fault::HangStore, 4000),
                (Fault::KillStore, 1000),
                (Fault::RollingRestart, 0),
            ]),
        }
    }

    /// With the server's default settings but for the delay of a drain, which no load balancer can do without.
    #[must_use]
    pub fn full() -> Self {
        Self {
            node_arguments: &["--drain-delay=5s"],
            settle: Duration::from_secs(5),
            steps: steps(&[
                (Fault::KillNode, 10_000),
                (Fault::PauseNode, 5_000),
                (Fault::PauseCommit, 80_000),
                (Fault::SkewClock(120), 80_000),
                (Fault::SkewClock(-120), 80_000),
                (Fault::StopPostgres, 0),
                (Fault::KillPostgres, 0),
                (Fault::HangPostgres, 30_000),
                (Fault::StopPostgres, 75_000),
                (Fault::HangStore, 30_000),
                (Fault::KillStore, 10_000),
                (Fault::RollingRestart, 0),
            ]),
        }
    }
}

fn steps(list: &[(Fault, u64)]) -> Vec<Step> {
    list.iter()
        .map(|&(fault, milliseconds)| Step {
            fault,
            lasts: Duration::from_millis(milliseconds),
        })
        .collect()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
