use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::queue::FairQueue;
use super::shares::{Caller, Refused, Shares};
use crate::DecisionSignal;

/// How long requests need turns after two callers were last seen in succession.
const CONTENTION: Duration = Duration::from_secs(10);

/// One in this many requests yields to the executor, to measure the delay of its queue.
const SAMPLE: u32 = 16;

/// The executor counts as crowded if a request that yielded is polled again later than this.
const CROWDED_DELAY: Duration = Duration::from_micros(300);

/// How long requests need turns after the executor was found crowded.
const CROWDED: Duration = Duration::from_millis(100);

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
    /// First steps of requests at once while several callers are active; at least 1.
    pub turns: usize,
}

impl Default for FairLimits {
    /// 1,024 requests, 128 MiB, 1 s, 4 turns.
    fn default() -> Self {
        Self {
            requests: 1024,
            bytes: 128 * 1024 * 1024,
            wait: Duration::from_secs(1),
            turns: 4,
        }
    }
}

/// What is in use, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Slots held.
    pub slots: u64,
    /// Requests that wait for a slot or a turn.
    pub waiting: usize,
    /// Bytes held.
    pub bytes: u64,
}

/// The order in which a request was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// In the turn of its account: its connection has waited for that.
    InTurn,
    /// When it was read.
    Unordered,
}

impl Arrival {
    /// That of the request with these extensions.
    #[must_use]
    pub fn of(extensions: &http::Extensions) -> Self {
        let signal = extensions.get::<DecisionSignal>();
        signal.map_or(Self::Unordered, DecisionSignal::arrival)
    }
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
    turns: usize,
    waiting: FairQueue<oneshot::Sender<Slot>>,
    /// The caller of the latest request, and until when several count as active.
    latest: Option<Caller>,
    contended_until: Option<Instant>,
    /// Until when the executor's queue counts as crowded.
    crowded_until: Option<Instant>,
    opened: u32,
}

struct Bytes {
    shares: Shares,
    waiting: FairQueue<(u64, oneshot::Sender<Lease>)>,
}

impl Fair {
    /// Divides by these limits.
    #[must_use]
    pub fn new(limits: FairLimits) -> Self {
        let requests = Requests {
            slots: Shares::new(limits.requests as u64),
            turns: limits.turns.max(1),
            waiting: FairQueue::default(),
            latest: None,
            contended_until: None,
            crowded_until: None,
            opened: 0,
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

    /// A slot for a request of a caller, with a turn if several callers are active.
    ///
    /// # Errors
    /// The bound that still held after the wait.
    pub async fn open(&self, caller: Caller) -> Result<Slot, Refused> {
        self.open_on(caller, Arrival::Unordered).await
    }

    /// Like [`Fair::open`]; a request that was begun in turn needs no other one.
    ///
    /// # Errors
    /// The bound that still held after the wait.
    pub async fn open_on(&self, caller: Caller, arrival: Arrival) -> Result<Slot, Refused> {
        let waiting = match self.try_open(caller, arrival)? {
            Opened::Now(slot) => return Ok(slot),
            // Yields once, so that other ready requests join this queue.
            Opened::AfterYield(slot) => {
                let begun = Instant::now();
                Yield::default().await;
                let now = Instant::now();
                if now - begun > CROWDED_DELAY {
                    lock(&self.shared.requests).crowded_until = Some(now + CROWDED);
                }
                return Ok(slot);
            }
            Opened::Later(waiting) => waiting,
        };
        match timeout(self.shared.limits.wait, waiting).await {
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

    fn try_open(&self, caller: Caller, arrival: Arrival) -> Result<Opened, Refused> {
        let limits = &self.shared.limits;
        let mut requests = lock(&self.shared.requests);
        let pace = match arrival {
            Arrival::InTurn => Pace::Free,
            Arrival::Unordered => requests.note(caller, Instant::now()),
        };
        if requests.waiting.is_empty() || pace != Pace::Turns {
            let granted = requests.grant(caller, pace);
            match (granted, pace) {
                (Ok(turn), Pace::Free) => {
                    drop(requests);
                    return Ok(Opened::Now(self.slot(caller, turn)));
                }
                (Ok(turn), Pace::Sample | Pace::Turns) => {
                    drop(requests);
                    return Ok(Opened::AfterYield(self.slot(caller, turn)));
                }
                (Err(Some(refused)), _) if limits.wait.is_zero() => return Err(refused),
                (Err(_), _) => {}
            }
        }
        let most = limits.requests.max(1);
        let waiting = &mut requests.waiting;
        if waiting.of_account(caller.account) >= most {
            return Err(Refused::Account);
        }
        if waiting.len() >= WAITING_ACCOUNTS * most {
            return Err(Refused::Total);
        }
        let (granted, later) = oneshot::channel();
        waiting.push(caller, granted);
        // All waiting callers may be beyond their shares while this one is not.
        self.serve(requests);
        Ok(Opened::Later(later))
    }

    /// Why a caller cannot be served now.
    fn reason(&self, caller: Caller) -> Refused {
        let mut requests = lock(&self.shared.requests);
        match requests.slots.take(caller, 1) {
            Ok(()) => {
                requests.slots.give_back(caller, 1);
                Refused::Total
            }
            Err(refused) => refused,
        }
    }

    fn slot(&self, caller: Caller, turn: Turn) -> Slot {
        Slot {
            fair: self.clone(),
            caller,
            turn: AtomicBool::new(turn == Turn::Held),
            message: Mutex::new(None),
        }
    }

    /// Grants slots to all waiting requests that may have one.
    fn serve(&self, mut requests: MutexGuard<'_, Requests>) {
        let granted: Vec<_> = std::iter::from_fn(|| requests.next()).collect();
        drop(requests);
        for (caller, waiting) in granted {
            // If the request was cancelled, the slot is dropped here, which returns it.
            let _gone = waiting.send(self.slot(caller, Turn::Held));
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
        caller: Caller,
        amount: u64,
    ) -> Result<Lease, (Refused, oneshot::Receiver<Lease>)> {
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

    fn lease(&self, caller: Caller, amount: u64) -> Lease {
        Lease {
            fair: self.clone(),
            caller,
            amount,
        }
    }

    fn release_bytes(&self, caller: Caller, amount: u64) {
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
    AfterYield(Slot),
    Later(oneshot::Receiver<Slot>),
}

/// How a request comes to run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// At once.
    Free,
    /// At once, after measuring the executor's queue.
    Sample,
    /// With a turn.
    Turns,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Held,
    None,
}

impl Requests {
    /// Notes a request; says how it is to run.
    fn note(&mut self, caller: Caller, now: Instant) -> Pace {
        if self.latest.is_some_and(|latest| latest != caller) {
            self.contended_until = Some(now + CONTENTION);
        }
        self.latest = Some(caller);
        if self.contended_until.is_none_or(|until| now >= until) {
            return Pace::Free;
        }
        if self.turns == 0 {
            self.crowded_until = Some(now + CROWDED);
        }
        self.opened = self.opened.wrapping_add(1);
        if self.crowded_until.is_some_and(|until| now < until) {
            Pace::Turns
        } else if self.opened.is_multiple_of(SAMPLE) {
            Pace::Sample
        } else {
            Pace::Free
        }
    }

    /// Takes a slot, and a turn if one is needed. The error is absent if only a turn is missing.
    fn grant(&mut self, caller: Caller, pace: Pace) -> Result<Turn, Option<Refused>> {
        if pace != Pace::Turns {
            self.slots.take(caller, 1)?;
            return Ok(Turn::None);
        }
        let turns = self.turns.checked_sub(1).ok_or(None)?;
        self.slots.take(caller, 1)?;
        self.turns = turns;
        Ok(Turn::Held)
    }

    /// The next request that can be served, with its slot and turn taken.
    fn next(&mut self) -> Option<(Caller, oneshot::Sender<Slot>)> {
        while self.turns > 0 {
            let slots = &mut self.slots;
            let mut admits = |caller, _: &_| slots.take(caller, 1).is_ok();
            let (caller, waiting) = self.waiting.pop(&mut admits)?;
            if waiting.is_closed() {
                self.slots.give_back(caller, 1);
            } else {
                self.turns -= 1;
                return Some((caller, waiting));
            }
        }
        None
    }
}

impl Bytes {
    /// The next reservation that can be granted, with its bytes taken.
    fn next(&mut self) -> Option<(Caller, u64, oneshot::Sender<Lease>)> {
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
    caller: Caller,
    /// Whether it holds a turn as well.
    turn: AtomicBool,
    /// The memory of its latest message.
    message: Mutex<Option<Lease>>,
}

impl Slot {
    /// The caller of the request.
    #[must_use]
    pub const fn caller(&self) -> Caller {
        self.caller
    }

    /// Keeps reserved memory until the slot is dropped, replacing what it kept before. `None` keeps none.
    pub fn keep(&self, lease: Option<Lease>) {
        let former = std::mem::replace(&mut *lock(&self.message), lease);
        drop(former);
    }

    /// Reserves memory for a message of `amount` bytes. To be called before the message is read, so that a waiting
    /// request holds no memory.
    ///
    /// # Errors
    /// The bound that still held after the wait.
    pub async fn reserve(&self, amount: u64) -> Result<Lease, Refused> {
        let (refused, later) = match self.fair.try_reserve(self.caller, amount) {
            Ok(lease) => return Ok(lease),
            Err(waiting) => waiting,
        };
        match timeout(self.fair.shared.limits.wait, later).await {
            Ok(Ok(lease)) => Ok(lease),
            Ok(Err(_)) | Err(_) => Err(refused),
        }
    }

    /// Gives the turn back: from here on the request waits for its client, for a disk or for a database.
    pub fn end_turn(&self) {
        if self.turn.swap(false, Ordering::Relaxed) {
            self.fair.release(|requests| requests.turns += 1);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let turns = usize::from(*self.turn.get_mut());
        let caller = self.caller;
        self.fair.release(|requests| {
            requests.turns += turns;
            requests.slots.give_back(caller, 1);
        });
    }
}

/// Reserved memory; given back when dropped.
#[derive(Debug)]
pub struct Lease {
    fair: Fair,
    caller: Caller,
    amount: u64,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.fair.release_bytes(self.caller, self.amount);
    }
}

/// Runs `work`, and gives the slot's turn back when it first pends. `work` is taken by reference: by value, the future
/// would be stored twice in this one.
pub async fn paced<T>(slot: Option<&Slot>, mut work: Pin<&mut impl Future<Output = T>>) -> T {
    let mut first = slot;
    std::future::poll_fn(|context| {
        let polled = work.as_mut().poll(context);
        if polled.is_pending()
            && let Some(slot) = first.take()
        {
            slot.end_turn();
        }
        polled
    })
    .await
}

/// Pends once, ready to be polled again at once.
#[derive(Debug, Default)]
struct Yield {
    done: bool,
}

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.done, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREEDY: Caller = Caller { account: 1, key: 1 };
    const MODEST: Caller = Caller { account: 2, key: 2 };

    fn fair(requests: usize) -> Fair {
        Fair::new(FairLimits {
            requests,
            bytes: 90,
            ..FairLimits::default()
        })
    }

    async fn fill(fair: &Fair, caller: Caller, slots: usize) -> Vec<Slot> {
        let mut held = Vec::new();
        for _ in 0..slots {
            let slot = fair.open(caller).await.unwrap();
            slot.end_turn();
            held.push(slot);
        }
        held
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_its_share_a_caller_waits_and_is_refused_while_others_get_in() {
        let fair = fair(90);
        let held = fill(&fair, GREEDY, 30).await;
        let begun = Instant::now();
        assert_eq!(fair.open(GREEDY).await.unwrap_err(), Refused::Key);
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
    async fn turns_go_round_among_callers() {
        let fair = Fair::new(FairLimits {
            turns: 1,
            ..FairLimits::default()
        });
        let first = fair.open(GREEDY).await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        drop(fair.open(MODEST).await.unwrap());
        lock(&fair.shared.requests).crowded_until = Some(Instant::now() + CROWDED);
        let holder = fair.open(GREEDY).await.unwrap();
        for caller in [GREEDY, GREEDY, GREEDY, MODEST, MODEST] {
            let (fair, order) = (fair.clone(), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                let slot = fair.open(caller).await.unwrap();
                let note = async { lock(&order).push(caller.account) };
                paced(Some(&slot), std::pin::pin!(note)).await;
                slot.end_turn();
            }));
            tokio::task::yield_now().await;
        }
        assert_eq!(fair.load().waiting, 5);
        holder.end_turn();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*lock(&order), [1, 2, 1, 2, 1]);
        drop((first, holder));
        assert_eq!(fair.load(), Load::default());
    }

    #[tokio::test(start_paused = true)]
    async fn one_caller_alone_needs_no_turn() {
        let fair = Fair::new(FairLimits {
            turns: 1,
            ..FairLimits::default()
        });
        let held = [
            fair.open(GREEDY).await.unwrap(),
            fair.open(GREEDY).await.unwrap(),
        ];
        assert_eq!((fair.load().slots, fair.load().waiting), (2, 0));
        drop(held);
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_in_the_executors_queue_is_noticed() {
        let fair = Fair::new(FairLimits {
            turns: 1,
            ..FairLimits::default()
        });
        for turn in 0..=SAMPLE {
            let caller = if turn % 2 == 0 { GREEDY } else { MODEST };
            let slot = fair.open(caller);
            // Other tasks keep the executor busy.
            let crowd = tokio::time::advance(2 * CROWDED_DELAY);
            let (slot, ()) = tokio::join!(slot, crowd);
            drop(slot.unwrap());
        }
        let crowded = lock(&fair.shared.requests).crowded_until;
        assert!(crowded.is_some_and(|until| until > Instant::now()));
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
