use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::budget::{Budget, BudgetLimits, Full, HolderId, Network, WaitsFor};
use crate::connection_state::ConnectionState;
use crate::end_reason::EndReason;
use crate::request_state::RequestState;

/// A holder of the budget, and how to end it.
#[derive(Debug)]
pub(crate) enum Holding {
    /// A handshake or a head.
    Connection(Weak<ConnectionState>),
    /// A body that is read before its caller is authorized, or an answer that an unauthenticated caller does not read.
    Request(Weak<RequestState>),
}

impl Holding {
    fn end(self, reason: EndReason) {
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

/// HTTP/2 requests whose callers are being judged: while there are more, connections without a proved caller are not
/// read. The client decides how many it sends at once, and each takes its memory before anything else bounds it.
const MAX_UNDECIDED: usize = 512;

/// The budget of unauthenticated callers, shared by all connections.
#[derive(Debug)]
pub(crate) struct Unauthenticated {
    budget: Mutex<Budget<Holding>>,
    /// HTTP/2 requests whose callers are being judged.
    undecided: AtomicUsize,
    /// Connections that wait to be read, in their order, and how many they are.
    unread: Mutex<VecDeque<Weak<ConnectionState>>>,
    unread_count: AtomicUsize,
}

impl Unauthenticated {
    pub(crate) fn new(limits: BudgetLimits) -> Arc<Self> {
        Arc::new(Self {
            budget: Mutex::new(Budget::new(limits)),
            undecided: AtomicUsize::new(0),
            unread: Mutex::default(),
            unread_count: AtomicUsize::new(0),
        })
    }

    /// Adds a holder, until the returned guard is dropped. Ends the slowest if there is no room.
    pub(crate) fn enter(
        self: &Arc<Self>,
        network: Option<Network>,
        waits_for: WaitsFor,
        holding: Holding,
    ) -> BudgetSlot {
        let (id, ended) = self.lock().enter(network, waits_for, holding);
        end_all(ended);
        BudgetSlot {
            id,
            of: Arc::clone(self),
        }
    }

    /// Ends the slowest, to free a connection.
    pub(crate) fn end_slowest(&self, reason: EndReason) -> bool {
        let slowest = self.lock().pop_slowest();
        slowest.map(|holding| holding.end(reason)).is_some()
    }

    /// A request of HTTP/2 has been read.
    pub(crate) fn add_undecided(&self) {
        self.undecided.fetch_add(1, Ordering::SeqCst);
    }

    /// Its caller is known, or it is refused, or it is in the budget.
    pub(crate) fn remove_undecided(&self) {
        self.undecided.fetch_sub(1, Ordering::SeqCst);
        if !self.is_full() {
            self.wake_next();
        }
    }

    /// Wakes the next connection that waits to be read.
    fn wake_next(&self) {
        while self.unread_count.load(Ordering::SeqCst) > 0 {
            let Some(next) = self.unread().pop_front() else {
                return;
            };
            self.unread_count.fetch_sub(1, Ordering::SeqCst);
            if let Some(connection) = next.upgrade() {
                connection.waker().wake();
                return;
            }
        }
    }

    /// Wakes one in any case. Called at each look of the sweeper, for one that was woken may have had nothing to read.
    pub(crate) fn wake_if_free(&self) {
        if !self.is_full() {
            self.wake_next();
        }
    }

    fn is_full(&self) -> bool {
        self.undecided.load(Ordering::SeqCst) >= MAX_UNDECIDED
    }

    /// Whether a connection may be read now. If not, it is woken when it may.
    pub(crate) fn may_read(&self, connection: &Arc<ConnectionState>) -> bool {
        if !self.is_full() {
            // What this one reads may end in no further request, which would wake the next.
            self.wake_next();
            return true;
        }
        self.unread().push_back(Arc::downgrade(connection));
        self.unread_count.fetch_add(1, Ordering::SeqCst);
        // The last of them may have been decided in between, and have found nobody to wake.
        !self.is_full()
    }

    fn unread(&self) -> MutexGuard<'_, VecDeque<Weak<ConnectionState>>> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Must run outside the lock: a holder that is ended removes itself from the budget.
fn end_all(ended: Vec<(Holding, Full)>) {
    for (holding, full) in ended {
        holding.end(match full {
            Full::Network => EndReason::BudgetOfNetwork,
            Full::Total => EndReason::Budget,
        });
    }
}

/// A place in the budget; given back when dropped.
#[derive(Debug)]
pub(crate) struct BudgetSlot {
    id: HolderId,
    of: Arc<Unauthenticated>,
}

impl BudgetSlot {
    /// The holder waits for its client, or for the server, from now on.
    pub(crate) fn wait_for(&mut self, waits_for: WaitsFor) {
        if self.id.waits_for() != waits_for {
            self.id = self.of.lock().wait_for(self.id, waits_for);
        }
    }

    /// Counts bytes that the server has to keep.
    pub(crate) fn grow(&self, bytes: usize) {
        let ended = self.of.lock().grow(self.id, bytes);
        end_all(ended);
    }
}

impl Drop for BudgetSlot {
    fn drop(&mut self) {
        let _left = self.of.lock().leave(self.id);
    }
}
