use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::queue::FairQueue;
use super::shares::FairCaller;

/// The most that wait, of one account.
const MAX_WAITING: usize = 1024;

/// A number of permits, granted round robin by account and then by key.
#[derive(Debug)]
pub struct Permits {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: usize,
    waiting: FairQueue<oneshot::Sender<Permit>>,
}

/// Too many of the same account wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests of the account wait")]
pub struct TooManyWait;

impl Permits {
    /// `permits` of them; at least 1.
    #[must_use]
    pub fn new(permits: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                free: permits.max(1),
                waiting: FairQueue::default(),
            }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A permit for a caller, at once if one is free.
    ///
    /// # Errors
    /// [`TooManyWait`] at once if 1,024 requests of the account wait.
    pub async fn acquire(self: &Arc<Self>, caller: FairCaller) -> Result<Permit, TooManyWait> {
        let granted = {
            let mut state = self.state();
            if state.free > 0 {
                state.free -= 1;
                return Ok(self.permit());
            }
            if state.waiting.of_account(caller.account) >= MAX_WAITING {
                return Err(TooManyWait);
            }
            let (grant, granted) = oneshot::channel();
            state.waiting.push(caller, grant);
            granted
        };
        // The sender is dropped only with the queue, which this borrows.
        granted.await.map_err(|_| TooManyWait)
    }

    fn permit(self: &Arc<Self>) -> Permit {
        Permit(Arc::clone(self))
    }

    fn pass_on(self: &Arc<Self>) {
        let mut state = self.state();
        while let Some((_, grant)) = state.waiting.pop(|_, _| true) {
            if !grant.is_closed() {
                drop(state);
                // Whoever gave up in this moment drops the permit, which passes it on.
                let _gone = grant.send(self.permit());
                return;
            }
        }
        state.free += 1;
    }
}

/// One of [`Permits`]; given back when dropped.
#[derive(Debug)]
pub struct Permit(Arc<Permits>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.pass_on();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt;
    use tokio::time::timeout;

    use super::*;

    const GREEDY: FairCaller = FairCaller { account: 1, key: 1 };
    const MODEST: FairCaller = FairCaller { account: 2, key: 2 };

    #[tokio::test]
    async fn permits_go_round_among_accounts() {
        let permits = Permits::new(1);
        let held = permits.acquire(GREEDY).await.unwrap();
        let mut greedy = (0..10)
            .map(|_| Box::pin(permits.acquire(GREEDY)))
            .collect::<Vec<_>>();
        for waiting in &mut greedy {
            assert!(waiting.now_or_never().is_none());
        }
        let mut modest = Box::pin(permits.acquire(MODEST));
        assert!((&mut modest).now_or_never().is_none());
        drop(held);
        let first = greedy.remove(0).await.unwrap();
        assert!((&mut modest).now_or_never().is_none());
        drop(first);
        drop(modest.now_or_never().unwrap().unwrap());
        // Those that give up leave nothing behind.
        drop(greedy);
        let again = timeout(Duration::from_secs(10), permits.acquire(MODEST)).await;
        drop(again.unwrap().unwrap());
        assert_eq!(permits.state().free, 1);
    }

    #[tokio::test]
    async fn so_many_of_an_account_wait_and_no_more() {
        let permits = Permits::new(1);
        let _held = permits.acquire(GREEDY).await.unwrap();
        let mut waiting = (0..MAX_WAITING)
            .map(|_| Box::pin(permits.acquire(GREEDY)))
            .collect::<Vec<_>>();
        for one in &mut waiting {
            assert!(one.now_or_never().is_none());
        }
        assert_eq!(permits.acquire(GREEDY).await.unwrap_err(), TooManyWait);
        assert!(permits.acquire(MODEST).now_or_never().is_none());
    }
}
