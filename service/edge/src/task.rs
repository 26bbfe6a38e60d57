//! Tasks with a name, whose panics are reported. `clippy.toml` forbids other ways to spawn one.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use metrics::{counter, describe_counter};
use pin_project_lite::pin_project;
use tokio::task::JoinHandle;
use tracing::{Instrument, Span};

use crate::fair::on_behalf;

const TASK_PANICS: &str = "bucketry_task_panics_total";

/// Describes the metric of this module.
pub(crate) fn describe_metrics() {
    describe_counter!(TASK_PANICS, "Panics, by the name of the task.");
}

/// Spawns a task. It continues in the current span and on behalf of the current request's caller, if there are any.
///
/// A panic is logged and counted, and ends the task: its handle gives an error.
#[expect(clippy::disallowed_methods, reason = "the one place that spawns tasks")]
pub fn spawn<F>(name: &'static str, work: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    tokio::spawn(named(name, work))
}

/// Polls work once on the current task, and spawns it if there is more to do: short work needs no task of its own.
///
/// A panic is reported as in [`spawn`], and ends the work.
#[expect(clippy::disallowed_methods, reason = "the one place that spawns tasks")]
pub(crate) fn begin<F>(name: &'static str, work: F) -> Option<JoinHandle<F::Output>>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let mut work = Box::pin(named(name, work));
    // The task polls it again at once, with its own waker.
    let mut context = Context::from_waker(Waker::noop());
    match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut context))) {
        Ok(Poll::Pending) => Some(tokio::spawn(work)),
        Ok(Poll::Ready(_)) | Err(_) => None,
    }
}

/// The work of a task that something else spawns, such as a `JoinSet`, with everything that [`spawn`] adds.
pub fn named<F: Future>(name: &'static str, work: F) -> impl Future<Output = F::Output> + use<F> {
    on_behalf::inherit(Named { name, work }.instrument(Span::current()))
}

/// Counts a panic that was caught in the task of this name.
pub fn count_panic(name: &'static str) {
    counter!(TASK_PANICS, "task" => name).increment(1);
}

fn report_panic(name: &'static str, panic: &(dyn Any + Send)) {
    count_panic(name);
    tracing::error!(task = name, cause = cause(panic), "a task panicked");
}

fn cause(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    let owned = || panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(owned).unwrap_or("unknown")
}

pin_project! {
    /// Work whose panic is reported before it goes on.
    struct Named<F> {
        name: &'static str,
        #[pin]
        work: F,
    }
}

impl<F: Future> Future for Named<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // The work is not polled again after a panic.
        match catch_unwind(AssertUnwindSafe(|| this.work.poll(context))) {
            Ok(polled) => polled,
            Err(panic) => {
                report_panic(this.name, panic.as_ref());
                resume_unwind(panic)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use metrics::{
        Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    };
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;
    use crate::fair::FairCaller;

    /// The names and labels of the counters that were used.
    #[derive(Default)]
    struct Counted(Mutex<Vec<String>>);

    impl Recorder for Counted {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            let labels = key.labels().map(|label| label.value().to_owned());
            let labels: Vec<_> = labels.collect();
            let used = format!("{} {}", key.name(), labels.join(" "));
            self.0.lock().unwrap().push(used);
            Counter::noop()
        }

        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }

        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Lines {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    /// Runs `test` on this thread and returns the counters that it used and what it logged.
    fn observed(test: impl Future<Output = ()>) -> (Vec<String>, String) {
        let (counted, lines) = (Counted::default(), Lines::default());
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(lines.clone())
            .finish();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        metrics::with_local_recorder(&counted, || {
            tracing::subscriber::with_default(subscriber, || runtime.block_on(test));
        });
        let logged = lines.0.lock().unwrap().clone();
        (
            counted.0.into_inner().unwrap(),
            String::from_utf8(logged).unwrap(),
        )
    }

    #[test]
    fn a_panic_is_logged_and_counted_by_the_name_of_its_task() {
        let (counted, logged) = observed(async {
            let number = 7;
            let ended = spawn("sums", async move { panic!("number {number}") }).await;
            assert!(ended.unwrap_err().is_panic());
        });
        assert_eq!(counted, ["bucketry_task_panics_total sums"]);
        assert!(logged.contains("task=\"sums\""), "{logged}");
        assert!(logged.contains("cause=\"number 7\""), "{logged}");
    }

    #[test]
    fn work_that_is_begun_is_spawned_if_it_has_to_wait() {
        let (counted, _) = observed(async {
            let (done, is_done) = tokio::sync::oneshot::channel();
            let at_once = begin("at-once", async { done.send(1).unwrap() });
            assert!(at_once.is_none());
            assert_eq!(is_done.await.unwrap(), 1);
            let (go_on, may_go_on) = tokio::sync::oneshot::channel();
            let waits = begin("waits", async { may_go_on.await.unwrap() });
            go_on.send(2).unwrap();
            assert_eq!(waits.unwrap().await.unwrap(), 2);
        });
        assert!(counted.is_empty());
    }

    #[test]
    fn a_panic_of_work_that_is_begun_is_reported_and_goes_no_further() {
        let (counted, logged) = observed(async {
            assert!(begin("sums", async { panic!("number {}", 8) }).is_none());
        });
        assert_eq!(counted, ["bucketry_task_panics_total sums"]);
        assert!(logged.contains("cause=\"number 8\""), "{logged}");
    }

    #[test]
    fn a_task_that_ends_or_is_aborted_reports_nothing() {
        let (counted, logged) = observed(async {
            assert_eq!(spawn("sums", async { 1 + 1 }).await.unwrap(), 2);
            let endless = spawn("endless", std::future::pending::<()>());
            endless.abort();
            assert!(endless.await.unwrap_err().is_cancelled());
        });
        assert_eq!((counted, logged), (Vec::new(), String::new()));
    }

    #[test]
    fn a_task_continues_in_the_span_that_spawned_it() {
        let (_, logged) = observed(async {
            let span = tracing::info_span!("request", id = 5);
            let task = span.in_scope(|| spawn("log", async { tracing::info!("within") }));
            task.await.unwrap();
        });
        assert!(logged.contains("request{id=5}"), "{logged}");
    }

    #[tokio::test]
    async fn a_task_works_on_behalf_of_the_caller_that_spawned_it() {
        let caller = FairCaller { account: 7, key: 8 };
        let seen = on_behalf::scope(None, async {
            on_behalf::set(caller);
            spawn("look", async { on_behalf::current() }).await.unwrap()
        });
        assert_eq!(seen.await, Some(caller));
        let own = spawn("look", async { on_behalf::current() }).await.unwrap();
        assert_eq!(own, None);
    }
}
