use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use hyper::rt::Executor;

use crate::fair::Entry;
use crate::request_state::RequestState;

thread_local! {
    /// The request whose task is spawned next on this thread.
    static NEXT: RefCell<Option<Arc<RequestState>>> = const { RefCell::new(None) };
}

/// Spawns the tasks of HTTP/2 requests so that each can be ended: dropping the task of a request resets its stream. There
/// is no other way: hyper does not poll a request whose client reads nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamTasks;

impl StreamTasks {
    /// The task that is spawned next belongs to this request. HTTP calls the service of a request and spawns the task
    /// without a wait in between.
    pub(crate) fn next_is(request: &Arc<RequestState>) {
        NEXT.set(Some(Arc::clone(request)));
    }
}

impl<F> Executor<F> for StreamTasks
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    fn execute(&self, future: F) {
        let Some(request) = NEXT.take() else {
            tokio::spawn(future);
            return;
        };
        let connection = request.connection();
        let task = match connection.turns().are_needed() {
            true => {
                let turn = connection.turns().enter(connection.caller());
                tokio::spawn(in_turn(turn, future)).abort_handle()
            }
            false => tokio::spawn(future).abort_handle(),
        };
        request.set_task(task);
    }
}

/// Begins a future when its turn has come.
async fn in_turn<F: Future>(turn: Entry, future: F) -> F::Output {
    turn.come().await;
    let mut turn = Some(turn);
    let mut future = pin!(future);
    poll_fn(|context| {
        let polled = future.as_mut().poll(context);
        turn = None;
        polled
    })
    .await
}
