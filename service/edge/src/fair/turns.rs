use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread;

use futures::task::AtomicWaker;

use super::queue::FairQueue;
use super::shares::Caller;

/// Looks without a change of caller after which one caller counts as alone.
const QUIET_LOOKS: u32 = 10;

/// Processors to assume where their number is unknown.
const PROCESSORS: usize = 2;

/// Divides the processors among callers.
///
/// The executor polls tasks in the order in which they have become ready. A thousand connections of one account would
/// have their requests read, verified and answered before the next request of another account is even read. So, while
/// several callers are active, a request waits for a turn before it is read (HTTP/1) or begun (HTTP/2), round robin by
/// account and then by key, and keeps it until it has been polled once. There are as many turns as processors.
#[derive(Debug)]
pub(crate) struct Turns {
    /// Several callers are active.
    contended: AtomicBool,
    /// The account of the latest request.
    latest: AtomicU64,
    /// How often that was another account than before, since the latest look.
    changes: AtomicU32,
    /// Looks since the latest change.
    quiet: AtomicU32,
    queue: Mutex<Queue>,
}

#[derive(Debug)]
struct Queue {
    free: usize,
    waiting: FairQueue<Arc<Turn>>,
}

#[derive(Debug)]
struct Turn {
    stage: AtomicU8,
    waker: AtomicWaker,
}

/// In the queue.
const WAITS: u8 = 0;
/// Has a turn, and goes to the end of the executor's queue once more.
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
            latest: AtomicU64::new(0),
            changes: AtomicU32::new(0),
            quiet: AtomicU32::new(QUIET_LOOKS),
            queue: Mutex::new(Queue {
                free: turns,
                waiting: FairQueue::default(),
            }),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request.
    pub(crate) fn note(&self, caller: Caller) {
        if self.latest.load(Ordering::Relaxed) != caller.account {
            self.latest.store(caller.account, Ordering::Relaxed);
            self.changes.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Decides whether several callers are active. To be called at regular intervals.
    pub(crate) fn look(&self) {
        let quiet = match self.changes.swap(0, Ordering::Relaxed) {
            0 => self.quiet.load(Ordering::Relaxed).saturating_add(1),
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
    pub(crate) fn enter(self: &Arc<Self>, caller: Caller) -> Entry {
        let mut queue = self.queue();
        let is_free = queue.free > 0;
        let turn = Arc::new(Turn {
            // Whoever is ready in the executor's queue asks for a turn before the first one is used.
            stage: AtomicU8::new(if is_free { YIELDS } else { WAITS }),
            waker: AtomicWaker::new(),
        });
        if is_free {
            queue.free -= 1;
        } else {
            queue.waiting.push(caller, Arc::clone(&turn));
        }
        drop(queue);
        Entry {
            turns: Arc::clone(self),
            turn,
        }
    }

    /// Gives a turn that has come back to the next.
    fn pass_on(&self) {
        let mut queue = self.queue();
        while let Some((_, next)) = queue.waiting.pop(|_, _| true) {
            let stage = &next.stage;
            let granted = stage.compare_exchange(WAITS, HELD, Ordering::AcqRel, Ordering::Relaxed);
            if granted.is_ok() {
                drop(queue);
                next.waker.wake();
                return;
            }
        }
        queue.free += 1;
    }
}

/// A request that waits for its turn or has it. Dropping it gives the turn back.
#[derive(Debug)]
pub(crate) struct Entry {
    turns: Arc<Turns>,
    turn: Arc<Turn>,
}

impl Entry {
    /// Ready when it is the request's turn.
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        self.turn.waker.register(context.waker());
        match self.turn.stage.load(Ordering::Acquire) {
            HELD => Poll::Ready(()),
            YIELDS => {
                self.turn.stage.store(HELD, Ordering::Release);
                context.waker().wake_by_ref();
                Poll::Pending
            }
            _ => Poll::Pending,
        }
    }

    /// Waits for the turn.
    pub(crate) async fn come(&self) {
        poll_fn(|context| self.poll(context)).await;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if self.turn.stage.swap(ENDED, Ordering::AcqRel) != WAITS {
            self.turns.pass_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt;
    use tokio::time::timeout;

    use super::*;

    const GREEDY: Caller = Caller { account: 1, key: 1 };
    const MODEST: Caller = Caller { account: 2, key: 2 };

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
}
