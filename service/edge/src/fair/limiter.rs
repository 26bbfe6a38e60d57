use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::queue::FairQueue;
use super::shares::{FairCaller, ShareExceeded, Shares};

/// The bound of waiting requests of all accounts, as a multiple of the running ones.
const WAITING_ACCOUNTS: usize = 4;

/// The limits that are divided among callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FairLimits {
    /// Requests at once, counted until the last byte of their answers; at least 1.
    pub requests: usize,
    /// Bytes of messages that are buffered whole.
    pub bytes: u64,
    /// How long a request waits for a slot, or for its bytes, before it is refused.
    pub wait: Duration,
}

impl Default for FairLimits {
    /// 1,024 requests, 128 MiB, 1 s.
    fn default() -> Self {
        Self {
            requests: 1024,
            bytes: 128 * 1024 * 1024,
            wait: Duration::from_secs(1),
        }
    }
}

/// What is in use, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Slots held.
    pub slots: u64,
    /// Requests that wait for a slot.
    pub waiting: usize,
    /// Bytes held.
    pub bytes: u64,
}

/// Divides requests and bytes among callers. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Fair {
    shared: Arc<Shared>,
}

struct Shared {
    limits: FairLimits,
    requests: Mutex<Requests>,
    bytes: Mutex<Bytes>,
}

struct Requests {
    slots: Shares,
    waiting: FairQueue<oneshot::Sender<Slot>>,
}

struct Bytes {
    shares: Shares,
    waiting: FairQueue<(u64, oneshot::Sender<MemoryReservation>)>,
}

impl Fair {
    /// Divides by these limits.
    #[must_use]
    pub fn new(limits: FairLimits) -> Self {
        let requests = Requests {
            slots: Shares::new(limits.requests as u64),
            waiting: FairQueue::default(),
        };
        let bytes = Bytes {
            shares: Shares::new(limits.bytes),
            waiting: FairQueue::default(),
        };
        Self {
            shared: Arc::new(Shared {
                limits,
                requests: Mutex::new(requests),
                bytes: Mutex::new(bytes),
            }),
        }
    }

    /// A slot for a request of a caller.
    ///
    /// # Errors
    /// The bound that still held after the wait.
    pub async fn open(&self, caller: FairCaller) -> Result<Slot, ShareExceeded> {
        let waiting = match self.try_open(caller)? {
            Opened::Now(slot) => return Ok(slot),
            Opened::Later(waiting) => waiting,
        };
        // Boxed, since most requests do not wait.
        match Box::pin(timeout(self.shared.limits.wait, waiting)).await {
            Ok(Ok(slot)) => Ok(slot),
            Ok(Err(_)) | Err(_) => Err(self.reason(caller)),
        }
    }

    /// What is in use now.
    #[must_use]
    pub fn load(&self) -> Load {
        let requests = lock(&self.shared.requests);
        let (slots, waiting) = (requests.slots.held(), requests.waiting.len());
        drop(requests);
        let bytes = lock(&self.shared.bytes).shares.held();
        Load {
            slots,
            waiting,
            bytes,
        }
    }

    fn try_open(&self, caller: FairCaller) -> Result<Opened, ShareExceeded> {
        let limits = &self.shared.limits;
        let mut requests = lock(&self.shared.requests);
        if requests.waiting.is_empty() {
            match requests.slots.take(caller, 1) {
                Ok(()) => {
                    drop(requests);
                    return Ok(Opened::Now(self.slot(caller)));
                }
                Err(refused) if limits.wait.is_zero() => return Err(refused),
                Err(_) => {}
            }
        }
        let most = limits.requests.max(1);
        let waiting = &mut requests.waiting;
        if waiting.of_account(caller.account) >= most {
            return Err(ShareExceeded::Account);
        }
        if waiting.len() >= WAITING_ACCOUNTS * most {
            return Err(ShareExceeded::Total);
        }
        let (granted, later) = oneshot::channel();
        waiting.push(caller, granted);
        // All waiting callers may be beyond their shares while this one is not.
        self.serve(requests);
        Ok(Opened::Later(later))
    }

    /// Why a caller cannot be served now.
    fn reason(&self, caller: FairCaller) -> ShareExceeded {
        let mut requests = lock(&self.shared.requests);
        match requests.slots.take(caller, 1) {
            Ok(()) => {
                requests.slots.give_back(caller, 1);
                ShareExceeded::Total
            }
            Err(refused) => refused,
        }
    }

    fn slot(&self, caller: FairCaller) -> Slot {
        Slot {
            fair: self.clone(),
            caller,
            message: Mutex::new(None),
        }
    }

    /// Grants slots to all waiting requests that may have one.
    fn serve(&self, mut requests: MutexGuard<'_, Requests>) {
        let granted: Vec<_> = std::iter::from_fn(|| requests.next()).collect();
        drop(requests);
        for (caller, waiting) in granted {
            // If the request was cancelled, the slot is dropped here, which returns it.
            let _gone = waiting.send(self.slot(caller));
        }
    }

    fn release(&self, change: impl FnOnce(&mut Requests)) {
        let mut requests = lock(&self.shared.requests);
        change(&mut requests);
        if !requests.waiting.is_empty() {
            self.serve(requests);
        }
    }

    /// Reserves bytes, or returns the bound that is exceeded and the receiver for a later grant.
    fn try_reserve(
        &self,
        caller: FairCaller,
        amount: u64,
    ) -> Result<MemoryReservation, (ShareExceeded, oneshot::Receiver<MemoryReservation>)> {
        let mut bytes = lock(&self.shared.bytes);
        match bytes.shares.take(caller, amount) {
            Ok(()) => Ok(self.lease(caller, amount)),
            Err(refused) => {
                let (granted, later) = oneshot::channel();
                bytes.waiting.push(caller, (amount, granted));
                Err((refused, later))
            }
        }
    }

    fn lease(&self, caller: FairCaller, amount: u64) -> MemoryReservation {
        MemoryReservation {
            fair: self.clone(),
            caller,
            amount,
        }
    }

    fn release_bytes(&self, caller: FairCaller, amount: u64) {
        let mut bytes = lock(&self.shared.bytes);
        bytes.shares.give_back(caller, amount);
        let granted: Vec<_> = std::iter::from_fn(|| bytes.next()).collect();
        drop(bytes);
        for (caller, amount, waiting) in granted {
            let _gone = waiting.send(self.lease(caller, amount));
        }
    }
}

impl std::fmt::Debug for Fair {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Fair")
            .field("limits", &self.shared.limits)
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

enum Opened {
    Now(Slot),
    Later(oneshot::Receiver<Slot>),
}

impl Requests {
    /// The next request that can be served, with its slot taken.
    fn next(&mut self) -> Option<(FairCaller, oneshot::Sender<Slot>)> {
        loop {
            let slots = &mut self.slots;
            let admits = |caller, _: &_| slots.take(caller, 1).is_ok();
            let (caller, waiting) = self.waiting.pop(admits)?;
            if !waiting.is_closed() {
                return Some((caller, waiting));
            }
            self.slots.give_back(caller, 1);
        }
    }
}

impl Bytes {
    /// The next reservation that can be granted, with its bytes taken.
    fn next(&mut self) -> Option<(FairCaller, u64, oneshot::Sender<MemoryReservation>)> {
        loop {
            let shares = &mut self.shares;
            let (caller, (amount, waiting)) =
                (self.waiting).pop(|caller, (amount, _)| shares.take(caller, *amount).is_ok())?;
            if !waiting.is_closed() {
                return Some((caller, amount, waiting));
            }
            self.shares.give_back(caller, amount);
        }
    }
}

/// A request's place among the running ones; given back when dropped.
#[derive(Debug)]
pub struct Slot {
    fair: Fair,
    caller: FairCaller,
    /// The memory of its latest message.
    message: Mutex<Option<MemoryReservation>>,
}

impl Slot {
    /// The caller of the request.
    #[must_use]
    pub const fn caller(&self) -> FairCaller {
        self.caller
    }

    /// Keeps reserved memory until the slot is dropped, replacing what it kept before. `None` keeps none.
    pub fn keep(&self, lease: Option<MemoryReservation>) {
        let former = std::mem::replace(&mut *lock(&self.message), lease);
        drop(former);
    }

    /// Reserves memory for a message of `amount` bytes. To be called before the message is read, so that a waiting
    /// request holds no memory.
    ///
    /// # Errors
    /// The bound that still held after the wait.
    pub async fn reserve(&self, amount: u64) -> Result<MemoryReservation, ShareExceeded> {
        let (refused, later) = match self.fair.try_reserve(self.caller, amount) {
            Ok(lease) => return Ok(lease),
            Err(waiting) => waiting,
        };
        match timeout(self.fair.shared.limits.wait, later).await {
            Ok(Ok(lease)) => Ok(lease),
            Ok(Err(_)) | Err(_) => Err(refused),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let caller = self.caller;
        (self.fair).release(|requests| requests.slots.give_back(caller, 1));
    }
}

/// Reserved memory; given back when dropped.
#[derive(Debug)]
pub struct MemoryReservation {
    fair: Fair,
    caller: FairCaller,
    amount: u64,
}

impl Drop for MemoryReservation {
    fn drop(&mut self) {
        self.fair.release_bytes(self.caller, self.amount);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    const GREEDY: FairCaller = FairCaller { account: 1, key: 1 };
    const MODEST: FairCaller = FairCaller { account: 2, key: 2 };

    fn fair(requests: usize) -> Fair {
        Fair::new(FairLimits {
            requests,
            bytes: 90,
            ..FairLimits::default()
        })
    }

    async fn fill(fair: &Fair, caller: FairCaller, slots: usize) -> Vec<Slot> {
        let mut held = Vec::new();
        for _ in 0..slots {
            held.push(fair.open(caller).await.unwrap());
        }
        held
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_its_share_a_caller_waits_and_is_refused_while_others_get_in() {
        let fair = fair(90);
        let held = fill(&fair, GREEDY, 30).await;
        let begun = Instant::now();
        assert_eq!(fair.open(GREEDY).await.unwrap_err(), ShareExceeded::Key);
        assert_eq!(begun.elapsed(), fair.shared.limits.wait);
        let waiting = tokio::spawn({
            let fair = fair.clone();
            async move { fair.open(GREEDY).await.map(drop) }
        });
        tokio::task::yield_now().await;
        let begun = Instant::now();
        let modest = fair.open(MODEST).await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
        drop(held);
        waiting.await.unwrap().unwrap();
        drop(modest);
        assert_eq!(fair.load(), Load::default());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_given_up_while_it_waits_leaves_nothing() {
        let fair = fair(90);
        let held = fill(&fair, GREEDY, 30).await;
        let given_up = timeout(Duration::from_millis(1), fair.open(GREEDY)).await;
        assert!(given_up.is_err());
        drop(held);
        assert_eq!(fair.load(), Load::default());
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_are_reserved_before_they_come_and_waited_for() {
        let fair = fair(90);
        let slot = fair.open(GREEDY).await.unwrap();
        let first = slot.reserve(30).await.unwrap();
        assert!(slot.reserve(30).await.is_err());
        let other = fair.open(MODEST).await.unwrap();
        let second = other.reserve(20).await.unwrap();
        let ((), third) = tokio::join!(
            async {
                tokio::task::yield_now().await;
                drop(first);
            },
            slot.reserve(30),
        );
        assert_eq!(fair.load().bytes, 50);
        drop((second, third));
        assert_eq!(fair.load().bytes, 0);
    }
}
