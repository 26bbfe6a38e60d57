use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::budget::{Network, WaitsFor};
use crate::connection_state::ConnectionState;
use crate::end_reason::EndReason;
use crate::fair::FairCaller;
use crate::pace::Pace;
use crate::refusal_pace::{RefusalPace, is_refusal};
use crate::unauthenticated::{BudgetSlot, Holding};

/// The largest piece of an answer that is handed to HTTP/2 at once: so much of it may wait for the client's window.
const HTTP2_PIECE_BYTES: usize = 64 * 1024;

/// What an answer that is not read counts for: about what a stream of HTTP/2 with its task and a refusal takes.
const UNREAD_ANSWER_BYTES: usize = 16 * 1024;

/// The progress of one request, which the sweeper judges.
#[derive(Debug)]
pub(crate) struct RequestState {
    connection: Arc<ConnectionState>,
    /// The task of a request of HTTP/2; dropping it resets the stream.
    task: OnceLock<AbortHandle>,
    /// Bytes of the body that the server has taken.
    received: AtomicU64,
    /// Bytes of the answer that HTTP has taken.
    sent: AtomicU64,
    /// The server waits for more of the body.
    waits_for_body: AtomicBool,
    /// The answer waits until the client takes more of it.
    waits_for_reader: AtomicBool,
    seen_by_sweeper: AtomicBool,
    /// It counts among the HTTP/2 requests whose callers are being judged.
    counted: AtomicBool,
    /// Its task has ended.
    gone: AtomicBool,
    decided: AtomicBool,
    /// The caller has shown credentials that are good.
    proved: AtomicBool,
    client: OnceLock<Option<Network>>,
    slot: Mutex<Option<BudgetSlot>>,
}

/// The sweeper's record of a request.
#[derive(Debug, Default)]
pub(crate) struct RequestPace {
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) writer: Pace,
    pub(crate) reader: Pace,
}

impl RequestState {
    fn new(connection: Arc<ConnectionState>) -> Arc<Self> {
        Arc::new(Self {
            connection,
            task: OnceLock::new(),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            waits_for_body: AtomicBool::new(false),
            waits_for_reader: AtomicBool::new(false),
            seen_by_sweeper: AtomicBool::new(false),
            counted: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            decided: AtomicBool::new(false),
            proved: AtomicBool::new(false),
            client: OnceLock::new(),
            slot: Mutex::default(),
        })
    }

    /// Ends the request: of HTTP/2 its stream, otherwise its connection.
    pub(crate) fn end(&self, reason: EndReason) {
        match self.task.get() {
            Some(task) => {
                if !task.is_finished() {
                    reason.count_request();
                    // Its memory is free when the executor comes to it, which others must not outrun.
                    self.count_undecided();
                    task.abort();
                    if self.gone.load(Ordering::SeqCst) {
                        self.end_undecided();
                    }
                }
            }
            None => self.connection.end(reason),
        }
    }

    pub(crate) fn connection(&self) -> &ConnectionState {
        &self.connection
    }

    /// Counts until its caller is judged, or, if it is ended, until it is gone.
    pub(crate) fn count_undecided(&self) {
        if !self.counted.swap(true, Ordering::SeqCst) {
            self.connection.unauthenticated().add_undecided();
        }
    }

    fn end_undecided(&self) {
        if self.counted.load(Ordering::SeqCst) && self.counted.swap(false, Ordering::SeqCst) {
            self.connection.unauthenticated().remove_undecided();
        }
    }

    pub(crate) fn set_task(&self, task: AbortHandle) {
        // Set once: each request has one task.
        let _ = self.task.set(task);
    }

    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn waits_for_body(&self) -> bool {
        self.waits_for_body.load(Ordering::Relaxed)
    }

    pub(crate) fn waits_for_reader(&self) -> bool {
        self.waits_for_reader.load(Ordering::Relaxed)
    }

    fn show_to_sweeper(self: &Arc<Self>) {
        if !self.seen_by_sweeper.swap(true, Ordering::Relaxed) {
            self.connection.add_request(self);
        }
    }

    fn slot(&self) -> MutexGuard<'_, Option<BudgetSlot>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_decided(&self) -> bool {
        self.decided.load(Ordering::Relaxed)
    }

    fn is_proved(&self) -> bool {
        self.proved.load(Ordering::Relaxed)
    }

    /// Whether an answer for a caller who is not proved waits for that caller.
    pub(crate) fn waits_for_stranger(&self) -> bool {
        self.waits_for_reader() && !self.is_proved()
    }

    /// A place in the budget for an answer that is not read.
    pub(crate) fn enter_unread(self: &Arc<Self>) -> BudgetSlot {
        let slot = self.enter();
        slot.grow(UNREAD_ANSWER_BYTES);
        slot
    }

    /// The network of its client, unless a trusted proxy does not say it.
    fn network(&self) -> Option<Network> {
        let known = self.client.get().copied();
        known.unwrap_or_else(|| self.connection.network())
    }

    fn enter(self: &Arc<Self>) -> BudgetSlot {
        let network = self.network();
        let holding = Holding::Request(Arc::downgrade(self));
        let budget = self.connection.unauthenticated();
        budget.enter(network, WaitsFor::Client, holding)
    }

    /// The server waits for a body before it is decided whether its sender is authorized.
    fn enter_budget(self: &Arc<Self>) {
        let mut slot = self.slot();
        if slot.is_none() {
            let entered = self.enter();
            entered.grow(usize::try_from(self.received()).unwrap_or(usize::MAX));
            // A decision may have come in between.
            *slot = Some(entered).filter(|_| !self.is_decided());
        }
    }

    fn wait_for_body(self: &Arc<Self>) {
        self.waits_for_body.store(true, Ordering::Relaxed);
        self.show_to_sweeper();
        if !self.is_decided() {
            self.enter_budget();
            // The budget bounds it from here on.
            self.end_undecided();
        }
    }

    fn received_more(&self, bytes: usize) {
        if self.waits_for_body() {
            self.waits_for_body.store(false, Ordering::Relaxed);
        }
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        if !self.is_decided()
            && let Some(slot) = &*self.slot()
        {
            slot.grow(bytes);
        }
    }
}

/// Signals that it has been decided whether the caller of a request may go on. Until then the request's body counts
/// against the budget of unauthenticated callers; so does an answer that is not read, unless the caller is authenticated.
/// In the extensions of every request.
#[derive(Debug, Clone)]
pub struct DecisionSignal(Arc<RequestState>);

impl DecisionSignal {
    /// The caller is proved, unless it is [`FairCaller::ANONYMOUS`]. The connection's next requests are most likely of the same.
    pub fn decided_for(&self, caller: FairCaller) {
        if caller == FairCaller::ANONYMOUS {
            return self.refused();
        }
        self.decided();
        self.0.connection.set_caller(caller);
    }

    /// The caller is proved.
    pub fn decided(&self) {
        self.0.proved.store(true, Ordering::Relaxed);
        self.0.connection.set_proved();
        self.refused();
    }

    /// The request goes on no further, or not for a proved caller: nothing more is read of its body. Without effect on a
    /// caller who was proved before.
    pub fn refused(&self) {
        self.0.end_undecided();
        if !self.0.decided.swap(true, Ordering::Relaxed) {
            let slot = self.0.slot().take();
            drop(slot);
        }
    }
}

/// The body of a request as it comes from the connection.
#[derive(Debug)]
pub struct RequestBody {
    inner: Incoming,
    state: Arc<RequestState>,
}

impl RequestBody {
    /// Sets the address of the request's client, which behind a proxy differs from the connection's. `None`: unknown.
    pub fn set_client(&self, address: Option<IpAddr>) {
        // Only the first call has an effect.
        let _ = self.state.client.set(address.map(Network::of));
    }

    /// What counts the bytes of this body that have been read.
    #[must_use]
    pub fn counter(&self) -> ReceivedBytes {
        ReceivedBytes(Arc::clone(&self.state))
    }
}

/// How many bytes of a request's body have been read.
#[derive(Debug)]
pub struct ReceivedBytes(Arc<RequestState>);

impl ReceivedBytes {
    /// The number until now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.received()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        match &polled {
            Poll::Pending => self.state.wait_for_body(),
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                self.state.received_more(bytes);
            }
            Poll::Ready(Some(Err(_)) | None) => {
                self.state.waits_for_body.store(false, Ordering::Relaxed);
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.state.waits_for_body.store(false, Ordering::Relaxed);
        let slot = self.state.slot().take();
        drop(slot);
    }
}

/// A request that has begun and whose answer HTTP has not taken whole.
#[derive(Debug)]
pub(crate) struct RunningRequest(Arc<RequestState>);

impl RunningRequest {
    pub(crate) fn begin(connection: &Arc<ConnectionState>) -> Self {
        connection.begin_request();
        Self(RequestState::new(Arc::clone(connection)))
    }

    pub(crate) fn state(&self) -> &Arc<RequestState> {
        &self.0
    }

    pub(crate) fn body(&self, inner: Incoming) -> RequestBody {
        RequestBody {
            inner,
            state: Arc::clone(&self.0),
        }
    }

    pub(crate) fn signal(&self) -> DecisionSignal {
        DecisionSignal(Arc::clone(&self.0))
    }

    /// How long an answer waits: a refusal of a caller who is not proved, and whose network gets too many of them.
    pub(crate) fn delay<B>(&self, response: &Response<B>, pace: &RefusalPace) -> Option<Duration> {
        if self.0.is_proved() || !is_refusal(response) {
            return None;
        }
        pace.delay(self.0.network()?, Instant::now())
    }

    /// Waits before the answer of an unauthenticated caller, in the budget of those, but not while the server stops.
    pub(crate) async fn hold_back(&self, delay: Duration, stop: &CancellationToken) {
        let _slot = self.0.enter_unread();
        self.0.end_undecided();
        let _stopped = stop.run_until_cancelled(sleep(delay)).await;
    }

    /// Follows the answer to its end.
    pub(crate) fn answered<B: Body<Data = Bytes>>(self, inner: B) -> TrackedBody<B> {
        self.0.end_undecided();
        let by_window = self.0.connection.is_http2();
        if by_window && !inner.is_end_stream() {
            // HTTP/2 sends the first piece only when the client has a window for it.
            self.0.waits_for_reader.store(true, Ordering::Relaxed);
            self.0.show_to_sweeper();
        }
        TrackedBody {
            inner,
            rest: Bytes::new(),
            by_window,
            running: self,
        }
    }
}

impl Drop for RunningRequest {
    fn drop(&mut self) {
        if self.0.seen_by_sweeper.load(Ordering::Relaxed) {
            self.0.connection.remove_request(&self.0);
        }
        self.0.gone.store(true, Ordering::SeqCst);
        self.0.end_undecided();
        self.0.connection.end_request();
    }
}

/// The body of an answer on its way to the connection; the request has ended when it is dropped.
#[derive(Debug)]
pub(crate) struct TrackedBody<B> {
    inner: B,
    /// The rest of a frame that was too long for one piece.
    rest: Bytes,
    /// Whether the client's window says when the next piece is taken (HTTP/2), rather than its socket.
    by_window: bool,
    running: RunningRequest,
}

impl<B: Body<Data = Bytes> + Unpin> TrackedBody<B> {
    fn piece(&mut self, mut data: Bytes) -> Frame<Bytes> {
        let state = &self.running.0;
        if self.by_window {
            let most = match state.is_proved() {
                true => HTTP2_PIECE_BYTES,
                // HTTP/2 takes a piece when the window has a byte for it, and keeps the rest. The last byte goes apart,
                // so that the answer of a stranger is not taken before the window has room for all of it.
                false => (data.len().saturating_sub(1)).clamp(1, HTTP2_PIECE_BYTES),
            };
            if data.len() > most {
                self.rest = data.split_off(most);
            }
            state.sent.fetch_add(data.len() as u64, Ordering::Relaxed);
            state.waits_for_reader.store(true, Ordering::Relaxed);
        }
        Frame::data(data)
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for TrackedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if !self.rest.is_empty() {
            let rest = std::mem::take(&mut self.rest);
            return Poll::Ready(Some(Ok(self.piece(rest))));
        }
        if self.by_window {
            let state = &self.running.0;
            state.waits_for_reader.store(false, Ordering::Relaxed);
        }
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        match polled {
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => Poll::Ready(Some(Ok(self.piece(data)))),
                Err(trailers) => Poll::Ready(Some(Ok(trailers))),
            },
            polled => polled,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.inner.size_hint();
        let rest = self.rest.len() as u64;
        let mut total = SizeHint::new();
        total.set_lower(hint.lower().saturating_add(rest));
        if let Some(upper) = hint.upper() {
            total.set_upper(upper.saturating_add(rest));
        }
        total
    }
}
