use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::rt::Executor;
use pin_project_lite::pin_project;

use crate::fair::Entry;
use crate::request_state::RequestState;
use crate::task;
use crate::unauthenticated::BudgetSlot;

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
            task::spawn("http2", future);
            return;
        };
        request.count_undecided();
        let connection = request.connection();
        let turn = (connection.turns().are_needed())
            .then(|| connection.turns().enter(connection.caller()));
        let begins_here = turn.is_none() && connection.begins_here();
        let work = RequestTask {
            future,
            request: Arc::clone(&request),
            turn,
            unread: None,
        };
        let task = match begins_here {
            true => task::begin("request", work),
            false => Some(task::spawn("request", work)),
        };
        if let Some(task) = task {
            request.set_task(task.abort_handle());
        }
    }
}

pin_project! {
    /// The task of a request. It begins when its turn has come. While it waits for an unauthenticated caller to read the
    /// answer, it has a place in the budget of unauthenticated callers.
    struct RequestTask<F> {
        #[pin]
        future: F,
        request: Arc<RequestState>,
        turn: Option<Entry>,
        unread: Option<BudgetSlot>,
    }
}

impl<F: Future> Future for RequestTask<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if let Some(turn) = this.turn {
            ready!(turn.poll(context));
        }
        let polled = this.future.poll(context);
        *this.turn = None;
        if polled.is_pending() && this.request.waits_for_stranger() {
            this.unread
                .get_or_insert_with(|| this.request.enter_unread());
        } else if this.unread.is_some() {
            *this.unread = None;
        }
        polled
    }
}
