use std::cell::RefCell;
use std::sync::Arc;

use hyper::rt::Executor;

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
        let task = tokio::spawn(future);
        if let Some(request) = NEXT.take() {
            request.set_task(task.abort_handle());
        }
    }
}
