use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::connection_state::ConnectionState;
use crate::fair::{Caller, FairQueue};

/// The number of sweeps with requests of only one account after which several no longer count as active.
const QUIET_LOOKS: u32 = 10;

/// Lets the connections of several accounts begin their requests in turn.
///
/// The executor polls connections in the order in which they have become readable. A thousand connections of one account
/// would have their requests parsed and verified before the next request of another account is even read. So, while
/// several accounts are active, a connection whose latest caller is known waits for a turn before it reads a head, round
/// robin by account, and holds it until it has been polled.
#[derive(Debug)]
pub(crate) struct HeadTurns {
    /// Several accounts are active.
    contended: AtomicBool,
    latest: AtomicU64,
    changes: AtomicU32,
    quiet: AtomicU32,
    queue: Mutex<Queue>,
}

#[derive(Debug)]
struct Queue {
    free: usize,
    waiting: FairQueue<Arc<ConnectionState>>,
}

/// A connection's part in the order of heads.
#[derive(Debug, Default)]
pub(crate) struct HeadTurn {
    stage: AtomicU8,
    account: AtomicU64,
    key: AtomicU64,
}

const NONE: u8 = 0;
const WAITS: u8 = 1;
const HELD: u8 = 2;

impl HeadTurn {
    /// Whether the connection is polled in its turn.
    pub(crate) fn is_held(&self) -> bool {
        self.stage.load(Ordering::Relaxed) == HELD
    }

    /// The latest caller, unless none is known or it was anonymous.
    fn caller(&self) -> Option<Caller> {
        let caller = Caller {
            account: self.account.load(Ordering::Relaxed),
            key: self.key.load(Ordering::Relaxed),
        };
        (caller != Caller::ANONYMOUS).then_some(caller)
    }

    pub(crate) fn set_caller(&self, caller: Caller) {
        self.account.store(caller.account, Ordering::Relaxed);
        self.key.store(caller.key, Ordering::Relaxed);
    }
}

impl Default for HeadTurns {
    fn default() -> Self {
        Self {
            contended: AtomicBool::new(false),
            latest: AtomicU64::new(0),
            changes: AtomicU32::new(0),
            quiet: AtomicU32::new(QUIET_LOOKS),
            queue: Mutex::new(Queue {
                free: std::thread::available_parallelism().map_or(2, usize::from),
                waiting: FairQueue::default(),
            }),
        }
    }
}

impl HeadTurns {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the caller of a request that has begun.
    pub(crate) fn note(&self, caller: Caller) {
        if self.latest.load(Ordering::Relaxed) != caller.account {
            self.latest.store(caller.account, Ordering::Relaxed);
            self.changes.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Decides whether several accounts are active. Called at each sweep.
    pub(crate) fn look(&self) {
        let quiet = match self.changes.swap(0, Ordering::Relaxed) {
            0 => self.quiet.load(Ordering::Relaxed).saturating_add(1),
            _ => 0,
        };
        self.quiet.store(quiet, Ordering::Relaxed);
        self.contended.store(quiet < QUIET_LOOKS, Ordering::Relaxed);
    }

    /// Whether a connection may be polled now. If not, it is woken when it may.
    pub(crate) fn admit(&self, connection: &Arc<ConnectionState>) -> bool {
        let turn = connection.head_turn();
        match turn.stage.load(Ordering::Acquire) {
            HELD => return true,
            WAITS => return false,
            _ => {}
        }
        if !self.contended.load(Ordering::Relaxed)
            || connection.running() > 0
            || connection.is_http2()
        {
            return true;
        }
        let Some(caller) = turn.caller() else {
            return true;
        };
        let mut queue = self.queue();
        if queue.free > 0 {
            queue.free -= 1;
            turn.stage.store(HELD, Ordering::Release);
            drop(queue);
            // Yields once, so that other ready connections ask for turns too.
            connection.waker().wake();
        } else {
            turn.stage.store(WAITS, Ordering::Release);
            queue.waiting.push(caller, Arc::clone(connection));
        }
        false
    }

    /// Ends the turn of a connection that has been polled or has ended, and grants the next.
    pub(crate) fn finish(&self, connection: &ConnectionState) {
        let stage = &connection.head_turn().stage;
        if stage.load(Ordering::Relaxed) == NONE || stage.swap(NONE, Ordering::AcqRel) != HELD {
            return;
        }
        let mut queue = self.queue();
        while let Some((_, next)) = queue.waiting.pop(|_, _| true) {
            let stage = &next.head_turn().stage;
            let granted = stage.compare_exchange(WAITS, HELD, Ordering::AcqRel, Ordering::Relaxed);
            // Otherwise the connection ended while it waited.
            if granted.is_ok() {
                drop(queue);
                next.waker().wake();
                return;
            }
        }
        queue.free += 1;
    }
}
