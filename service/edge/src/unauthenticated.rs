use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::budget::{Budget, BudgetLimits, Full, HolderId, Network};
use crate::connection_state::ConnectionState;
use crate::ended::Ended;
use crate::request_state::RequestState;

/// What a holder of the budget is, and how it is ended.
#[derive(Debug)]
pub(crate) enum Holding {
    /// A handshake or a head.
    Connection(Weak<ConnectionState>),
    /// A body that is read before it is decided whether the caller may, or an answer that a caller who is not proved
    /// does not read.
    Request(Weak<RequestState>),
}

impl Holding {
    fn end(self, reason: Ended) {
        match self {
            Self::Connection(connection) => {
                if let Some(connection) = connection.upgrade() {
                    connection.end(reason);
                }
            }
            Self::Request(request) => {
                if let Some(request) = request.upgrade() {
                    request.end(reason);
                }
            }
        }
    }
}

/// HTTP/2 requests that have been read while none of their tasks has run: while there are more, no connection is read.
/// The client decides how many it sends at once, and each takes its memory before anything else bounds it.
const MAX_UNSTARTED: usize = 256;

/// The budget of callers who have not proved who they are, shared by all connections.
#[derive(Debug)]
pub(crate) struct Unauthenticated {
    budget: Mutex<Budget<Holding>>,
    /// HTTP/2 requests that have been read and not begun.
    unstarted: AtomicUsize,
}

impl Unauthenticated {
    pub(crate) fn new(limits: BudgetLimits) -> Arc<Self> {
        Arc::new(Self {
            budget: Mutex::new(Budget::new(limits)),
            unstarted: AtomicUsize::new(0),
        })
    }

    /// Adds a holder, until the returned guard is dropped. Ends the slowest if there is no room.
    pub(crate) fn enter(self: &Arc<Self>, network: Option<Network>, holding: Holding) -> Slot {
        let (id, ended) = self.lock().enter(network, holding);
        end_all(ended);
        Slot {
            id,
            of: Arc::clone(self),
        }
    }

    /// Ends the slowest, so that a connection gets free.
    pub(crate) fn end_slowest(&self, reason: Ended) -> bool {
        let slowest = self.lock().pop_slowest();
        slowest.map(|holding| holding.end(reason)).is_some()
    }

    /// A request of HTTP/2 has been read, and its task is to run.
    pub(crate) fn add_unstarted(&self) {
        self.unstarted.fetch_add(1, Ordering::Relaxed);
    }

    /// The task of such a request runs, or never will.
    pub(crate) fn remove_unstarted(&self) {
        self.unstarted.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether more requests have been read than could be begun.
    pub(crate) fn is_behind(&self) -> bool {
        self.unstarted.load(Ordering::Relaxed) >= MAX_UNSTARTED
    }

    /// Holders and their bytes.
    pub(crate) fn used(&self) -> (usize, usize) {
        let budget = self.lock();
        (budget.slots(), budget.bytes())
    }

    fn lock(&self) -> MutexGuard<'_, Budget<Holding>> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Outside of the lock: what is ended leaves the budget by itself.
fn end_all(ended: Vec<(Holding, Full)>) {
    for (holding, full) in ended {
        holding.end(match full {
            Full::Network => Ended::BudgetOfNetwork,
            Full::Total => Ended::Budget,
        });
    }
}

/// A place in the budget; given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    id: HolderId,
    of: Arc<Unauthenticated>,
}

impl Slot {
    /// Counts bytes that the server has to keep.
    pub(crate) fn grow(&self, bytes: usize) {
        let ended = self.of.lock().grow(self.id, bytes);
        end_all(ended);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let _left = self.of.lock().leave(self.id);
    }
}
