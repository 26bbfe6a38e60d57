use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread;

use futures::task::AtomicWaker;
use tokio::task::yield_now;

use super::queue::FairQueue;
use super::shares::FairCaller;

/// Looks without a change of caller after which one caller counts as alone.
const QUIET_LOOKS: u32 = 3;

/// Changes of caller and new connections between two looks from which on one account leaves a turn to others. Below, the others are so few that
/// a turn kept for them would be lost.
const BUSY_CHANGES: u32 = 1000;

/// New connections between two looks from which on they count as active callers, before anything is known of them.
const MANY_STRANGERS: u32 = 64;

/// Processors to assume where their number is unknown.
const PROCESSORS: usize = 2;

/// Divides the processors among callers.
///
/// The executor polls tasks in the order in which they have become ready. A thousand connections of one account would
/// have their requests read, verified and answered before the next request of another account is even read. So, while
/// several callers are active, a request waits for a turn before it is read (HTTP/1) or begun (HTTP/2), round robin by
/// account and then by key, and keeps it until it has been polled once. There are as many turns as processors; while
/// the others are busy, one account leaves one of them free, so that a request of another account finds a processor.
#[derive(Debug)]
pub(crate) struct Turns {
    /// Several callers are active.
    contended: AtomicBool,
    /// They are so active that one account leaves a turn to the others.
    busy: AtomicBool,
    /// The account of the latest request.
    latest: AtomicU64,
    /// How often that was another account than before, since the latest look.
    changes: AtomicU32,
    /// Connections opened since the latest look.
    strangers: AtomicU32,
    /// Looks since the latest change.
    quiet: AtomicU32,
    queue: Mutex<Queue>,
}

#[derive(Debug)]
struct Queue {
    turns: usize,
    free: usize,
    /// Turns of each account that has some.
    held: HashMap<u64, usize>,
    waiting: FairQueue<Arc<Turn>>,
}

#[derive(Debug)]
struct Turn {
    stage: AtomicU8,
    waker: AtomicWaker,
}

/// In the queue.
const WAITS: u8 = 0;
/// Has a turn, and waits until the executor has looked for I/O once more, so that all that are ready ask for theirs. Tokio
/// polls a task that another one wakes before those that are ready, and looks for I/O after several such polls only.
const YIELDS: u8 = 1;
/// Has a turn.
const HELD: u8 = 2;
/// Is gone.
const ENDED: u8 = 3;

impl Default for Turns {
    fn default() -> Self {
        Self::with(thread::available_parallelism().map_or(PROCESSORS, usize::from))
    }
}

impl Turns {
    fn with(turns: usize) -> Self {
        Self {
            contended: AtomicBool::new(false),
            busy: AtomicBool::new(false),
            latest: AtomicU64::new(0),
            changes: AtomicU32::new(0),
            strangers: AtomicU32::new(0),
            quiet: AtomicU32::new(QUIET_LOOKS),
            queue: Mutex::new(Queue {
                turns,
                free: turns,
                held: HashMap::new(),
                waiting: FairQueue::default(),
            }),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request.
    pub(crate) fn note(&self, caller: FairCaller) {
        if self.latest.load(Ordering::Relaxed) != caller.account {
            self.latest.store(caller.account, Ordering::Relaxed);
            let changes = self.changes.fetch_add(1, Ordering::Relaxed) + 1;
            if !self.are_needed() {
                self.contended.store(true, Ordering::Relaxed);
            }
            if changes == BUSY_CHANGES {
                self.busy.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Notes a new connection.
    pub(crate) fn note_stranger(&self) {
        match self.strangers.fetch_add(1, Ordering::Relaxed) + 1 {
            MANY_STRANGERS => self.contended.store(true, Ordering::Relaxed),
            BUSY_CHANGES => self.busy.store(true, Ordering::Relaxed),
            _ => {}
        }
    }

    /// Decides whether several callers are still active. To be called at regular intervals.
    pub(crate) fn look(&self) {
        let changes = self.changes.swap(0, Ordering::Relaxed);
        let strangers = self.strangers.swap(0, Ordering::Relaxed);
        let is_busy = changes.saturating_add(strangers) >= BUSY_CHANGES;
        self.busy.store(is_busy, Ordering::Relaxed);
        let quiet = match changes {
            0 if strangers < MANY_STRANGERS => self.quiet.load(Ordering::Relaxed).saturating_add(1),
            _ => 0,
        };
        self.quiet.store(quiet, Ordering::Relaxed);
        self.contended.store(quiet < QUIET_LOOKS, Ordering::Relaxed);
    }

    /// Whether requests need turns.
    pub(crate) fn are_needed(&self) -> bool {
        self.contended.load(Ordering::Relaxed)
    }

    /// Asks for a turn.
    pub(crate) fn enter(self: &Arc<Self>, caller: FairCaller) -> Entry {
        let mut queue = self.queue();
        let most = self.most_of_account(&queue);
        let is_free = queue.free > 0 && queue.held_by(caller.account) < most;
        let turn = Arc::new(Turn {
            stage: AtomicU8::new(if is_free { YIELDS } else { WAITS }),
            waker: AtomicWaker::new(),
        });
        if is_free {
            queue.take(caller.account);
        } else {
            queue.waiting.push(caller, Arc::clone(&turn));
        }
        drop(queue);
        Entry {
            turns: Arc::clone(self),
            turn,
            account: caller.account,
        }
    }

    fn most_of_account(&self, queue: &Queue) -> usize {
        match self.busy.load(Ordering::Relaxed) {
            true => queue.turns.saturating_sub(1).max(1),
            false => queue.turns,
        }
    }

    /// Gives a turn that has come back to the next.
    fn pass_on(&self, account: u64) {
        let mut queue = self.queue();
        queue.give_back(account);
        let most = self.most_of_account(&queue);
        while queue.free > 0 {
            let Queue { waiting, held, .. } = &mut *queue;
            let has_room = |account| held.get(&account).is_none_or(|held| *held < most);
            let Some((caller, next)) = waiting.pop_of(has_room, |_, _| true) else {
                return;
            };
            let stage = &next.stage;
            let granted =
                stage.compare_exchange(WAITS, YIELDS, Ordering::AcqRel, Ordering::Relaxed);
            if granted.is_ok() {
                queue.take(caller.account);
                next.waker.wake();
            }
        }
    }
}

impl Queue {
    fn held_by(&self, account: u64) -> usize {
        self.held.get(&account).copied().unwrap_or(0)
    }

    fn take(&mut self, account: u64) {
        self.free -= 1;
        *self.held.entry(account).or_default() += 1;
    }

    fn give_back(&mut self, account: u64) {
        self.free += 1;
        if let Some(held) = self.held.get_mut(&account) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&account);
            }
        }
    }
}

/// A request that waits for its turn or has it. Dropping it gives the turn back.
#[derive(Debug)]
pub(crate) struct Entry {
    turns: Arc<Turns>,
    turn: Arc<Turn>,
    account: u64,
}

impl Entry {
    /// Ready when it is the request's turn.
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        self.turn.waker.register(context.waker());
        match self.turn.stage.load(Ordering::Acquire) {
            HELD => Poll::Ready(()),
            YIELDS => {
                self.turn.stage.store(HELD, Ordering::Release);
                // The first poll of this future has the task woken after the next look for I/O.
                let _pending = pin!(yield_now()).poll(context);
                Poll::Pending
            }
            _ => Poll::Pending,
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if self.turn.stage.swap(ENDED, Ordering::AcqRel) != WAITS {
            self.turns.pass_on(self.account);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use futures::FutureExt;
    use tokio::time::timeout;

    use super::*;

    impl Entry {
        async fn come(&self) {
            poll_fn(|context| self.poll(context)).await;
        }
    }

    const GREEDY: FairCaller = FairCaller { account: 1, key: 1 };
    const MODEST: FairCaller = FairCaller { account: 2, key: 2 };

    #[tokio::test]
    async fn turns_go_round_among_callers() {
        let turns = Arc::new(Turns::with(1));
        let order = Arc::new(Mutex::new(Vec::new()));
        let tasks = [GREEDY, GREEDY, GREEDY, MODEST, MODEST].map(|caller| {
            let (turns, order) = (Arc::clone(&turns), Arc::clone(&order));
            tokio::spawn(async move {
                let entry = turns.enter(caller);
                entry.come().await;
                order.lock().unwrap().push(caller.account);
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
        // The first has got the free turn; all others had asked when it was over.
        assert_eq!(*order.lock().unwrap(), [1, 1, 2, 1, 2]);
        assert_eq!(turns.queue().free, 1);
    }

    #[tokio::test]
    async fn whoever_goes_away_gives_the_turn_to_the_next() {
        let turns = Arc::new(Turns::with(1));
        let (first, second, third) = (
            turns.enter(GREEDY),
            turns.enter(GREEDY),
            turns.enter(MODEST),
        );
        first.come().await;
        assert!(third.come().now_or_never().is_none());
        drop(second);
        drop(first);
        timeout(Duration::from_secs(10), third.come())
            .await
            .unwrap();
        drop(third);
        assert_eq!(turns.queue().free, 1);
    }

    #[tokio::test]
    async fn one_account_leaves_a_turn_to_the_others_while_they_are_busy() {
        let turns = Arc::new(Turns::with(2));
        for change in 0..BUSY_CHANGES {
            turns.note(if change % 2 == 0 { GREEDY } else { MODEST });
        }
        turns.look();
        let first = turns.enter(GREEDY);
        let second = turns.enter(GREEDY);
        first.come().await;
        assert!(second.come().now_or_never().is_none());
        let modest = turns.enter(MODEST);
        modest.come().await;
        drop(modest);
        // The turn that is free now is not for the account that has one.
        assert!(second.come().now_or_never().is_none());
        drop(first);
        second.come().await;
        turns.look();
        let third = turns.enter(GREEDY);
        third.come().await;
    }

    #[test]
    fn turns_are_needed_while_several_accounts_are_active() {
        let turns = Turns::with(1);
        turns.note(GREEDY);
        turns.look();
        (0..QUIET_LOOKS).for_each(|_| {
            turns.note(GREEDY);
            turns.look();
        });
        assert!(!turns.are_needed());
        turns.note(MODEST);
        turns.note(GREEDY);
        turns.look();
        assert!(turns.are_needed());
        (0..QUIET_LOOKS).for_each(|_| turns.look());
        assert!(!turns.are_needed());
    }

    #[test]
    fn turns_are_needed_while_many_strangers_connect() {
        let turns = Turns::with(1);
        (1..MANY_STRANGERS).for_each(|_| turns.note_stranger());
        assert!(!turns.are_needed());
        turns.note_stranger();
        assert!(turns.are_needed());
        turns.look();
        assert!(turns.are_needed());
        (0..QUIET_LOOKS).for_each(|_| turns.look());
        assert!(!turns.are_needed());
    }
}
