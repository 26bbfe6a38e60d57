use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use futures::task::AtomicWaker;

use crate::budget::Network;
use crate::ended::Ended;
use crate::fair::Caller;
use crate::head_turns::{HeadTurn, HeadTurns};
use crate::request_state::{RequestPace, RequestState};
use crate::unauthenticated::{Holding, Slot, Unauthenticated};

/// What happens on one connection, for the sweeper to judge. Its task and its requests only count here: no clock is read
/// and no timer set for a request.
#[derive(Debug)]
pub(crate) struct ConnectionState {
    unauthenticated: Arc<Unauthenticated>,
    head_turns: Arc<HeadTurns>,
    head_turn: HeadTurn,
    waker: AtomicWaker,
    /// Why the connection is to be dropped, as [`Ended`]; 0: it is not.
    ended: AtomicU8,
    /// Finish what runs, take nothing new.
    closing: AtomicBool,
    /// HTTP is spoken: TLS handshake and PROXY protocol header are over.
    past_handshake: AtomicBool,
    http2: AtomicBool,
    /// A caller on it has shown credentials that are good.
    proved: AtomicBool,
    /// Requests that have begun, ever.
    requests: AtomicU64,
    /// Requests whose answer has not been handed to HTTP whole.
    running: AtomicU32,
    /// Bytes of a head that is not complete: read since the last request while none ran.
    head_bytes: AtomicU64,
    written: AtomicU64,
    /// The socket takes no more at the moment.
    write_blocked: AtomicBool,
    has_slot: AtomicBool,
    parts: Mutex<Parts>,
}

/// What is behind a lock: touched when a connection begins, and for a request that the sweeper must see.
#[derive(Debug, Default)]
struct Parts {
    network: Option<Network>,
    slot: Option<Slot>,
    requests: Vec<(Arc<RequestState>, RequestPace)>,
}

impl ConnectionState {
    pub(crate) fn new(
        unauthenticated: Arc<Unauthenticated>,
        head_turns: Arc<HeadTurns>,
    ) -> Arc<Self> {
        Arc::new(Self {
            unauthenticated,
            head_turns,
            head_turn: HeadTurn::default(),
            waker: AtomicWaker::new(),
            ended: AtomicU8::new(0),
            closing: AtomicBool::new(false),
            past_handshake: AtomicBool::new(false),
            http2: AtomicBool::new(false),
            proved: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            running: AtomicU32::new(0),
            head_bytes: AtomicU64::new(0),
            written: AtomicU64::new(0),
            write_blocked: AtomicBool::new(false),
            has_slot: AtomicBool::new(false),
            parts: Mutex::default(),
        })
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the connection; the first reason counts.
    pub(crate) fn end(&self, reason: Ended) {
        if self.set_ended(reason) {
            reason.count_connection();
        }
    }

    /// Ends a connection without counting it: the server stops, or has counted it when it closed it.
    pub(crate) fn cut(&self) {
        self.set_ended(Ended::Idle);
    }

    fn set_ended(&self, reason: Ended) -> bool {
        let code = reason as u8;
        let set = (self.ended).compare_exchange(0, code, Ordering::AcqRel, Ordering::Relaxed);
        if set.is_ok() {
            self.waker.wake();
        }
        set.is_ok()
    }

    /// Why the connection is to be dropped.
    pub(crate) fn ended(&self) -> Option<Ended> {
        match self.ended.load(Ordering::Acquire) {
            0 => None,
            code => Ended::from_code(code),
        }
    }

    /// Lets running requests finish and takes no new ones.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.waker.wake();
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    pub(crate) fn head_turn(&self) -> &HeadTurn {
        &self.head_turn
    }

    pub(crate) fn head_turns(&self) -> &Arc<HeadTurns> {
        &self.head_turns
    }

    /// The caller of a request is known.
    pub(crate) fn set_caller(&self, caller: Caller) {
        self.head_turn.set_caller(caller);
        self.head_turns.note(caller);
    }

    pub(crate) fn waker(&self) -> &AtomicWaker {
        &self.waker
    }

    /// The future's output, unless the connection is ended or closed before.
    pub(crate) async fn unless_ended<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        poll_fn(|context| {
            self.waker.register(context.waker());
            if self.ended().is_some() || self.is_closing() {
                return Poll::Ready(None);
            }
            future.as_mut().poll(context).map(Some)
        })
        .await
    }

    /// Takes a place in the budget of unauthenticated callers, instead of the one before.
    pub(crate) fn enter(self: &Arc<Self>, network: Option<Network>) {
        let holding = Holding::Connection(Arc::downgrade(self));
        let slot = self.unauthenticated.enter(network, holding);
        let mut parts = self.parts();
        parts.network = network;
        let former = parts.slot.replace(slot);
        self.has_slot.store(true, Ordering::Release);
        drop(parts);
        drop(former);
    }

    pub(crate) fn leave(&self) {
        if self.has_slot.swap(false, Ordering::AcqRel) {
            let slot = self.parts().slot.take();
            drop(slot);
        }
    }

    pub(crate) fn network(&self) -> Option<Network> {
        self.parts().network
    }

    pub(crate) fn unauthenticated(&self) -> &Arc<Unauthenticated> {
        &self.unauthenticated
    }

    /// A head has arrived whole.
    pub(crate) fn begin_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.running.fetch_add(1, Ordering::Relaxed);
        self.head_bytes.store(0, Ordering::Relaxed);
        self.leave();
    }

    pub(crate) fn end_request(&self) {
        self.running.fetch_sub(1, Ordering::Relaxed);
    }

    /// Lets the sweeper see a request.
    pub(crate) fn add_request(&self, request: &Arc<RequestState>) {
        let entry = (Arc::clone(request), RequestPace::default());
        self.parts().requests.push(entry);
    }

    pub(crate) fn remove_request(&self, request: &RequestState) {
        let mut parts = self.parts();
        let found = (parts.requests.iter()).position(|(other, _)| std::ptr::eq(&**other, request));
        let removed = found.map(|position| parts.requests.swap_remove(position));
        drop(parts);
        drop(removed);
    }

    /// Looks at each request that the sweeper is to see.
    pub(crate) fn each_request(&self, mut look: impl FnMut(&RequestState, &mut RequestPace)) {
        for (request, pace) in &mut self.parts().requests {
            look(request, pace);
        }
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn running(&self) -> u32 {
        self.running.load(Ordering::Relaxed)
    }

    pub(crate) fn is_past_handshake(&self) -> bool {
        self.past_handshake.load(Ordering::Relaxed)
    }

    pub(crate) fn set_past_handshake(&self) {
        self.past_handshake.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_http2(&self) -> bool {
        self.http2.load(Ordering::Relaxed)
    }

    pub(crate) fn set_http2(&self) {
        self.http2.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_proved(&self) -> bool {
        self.proved.load(Ordering::Relaxed)
    }

    pub(crate) fn set_proved(&self) {
        if !self.is_proved() {
            self.proved.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn head_bytes(&self) -> u64 {
        self.head_bytes.load(Ordering::Relaxed)
    }

    /// Bytes have been read from the socket.
    pub(crate) fn read(&self, bytes: usize) {
        if self.running() > 0 {
            return;
        }
        self.head_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        if self.has_slot.load(Ordering::Acquire)
            && let Some(slot) = &self.parts().slot
        {
            slot.grow(bytes);
        }
    }

    /// The socket has no more bytes: what has been read of a head is not all of it.
    pub(crate) fn waits_for_head(self: &Arc<Self>) {
        let bytes = self.head_bytes();
        // What HTTP/2 reads between requests is most often no head.
        let begun = bytes > 0 && self.running() == 0 && !self.is_http2() && self.requests() > 0;
        if begun && !self.has_slot.load(Ordering::Acquire) {
            self.enter(self.network());
            if let Some(slot) = &self.parts().slot {
                slot.grow(usize::try_from(bytes).unwrap_or(usize::MAX));
            }
        }
    }

    pub(crate) fn wrote(&self, bytes: usize) {
        self.written.fetch_add(bytes as u64, Ordering::Relaxed);
        if self.is_write_blocked() {
            self.write_blocked.store(false, Ordering::Relaxed);
        }
    }

    pub(crate) fn set_write_blocked(&self) {
        self.write_blocked.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_write_blocked(&self) -> bool {
        self.write_blocked.load(Ordering::Relaxed)
    }

    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }
}
