use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use futures::task::AtomicWaker;

use crate::budget::{Network, WaitsFor};
use crate::end_reason::EndReason;
use crate::fair::{FairCaller, Turns};
use crate::limits::{LARGE_ANSWER_BYTES, STRANGER_TURN_BYTES, TURN_WRITE_BYTES};
use crate::request_state::{RequestPace, RequestState};
use crate::unauthenticated::{BudgetSlot, Holding, Unauthenticated};

/// The activity of one connection, which the sweeper judges. The connection's task and its requests only count: no clock
/// is read and no timer set per request.
#[derive(Debug)]
pub(crate) struct ConnectionState {
    unauthenticated: Arc<Unauthenticated>,
    turns: Arc<Turns>,
    /// Whose requests come over it, as far as is known: account and key.
    caller: (AtomicU64, AtomicU64),
    waker: AtomicWaker,
    /// Why the connection is to be dropped, as [`EndReason`]; 0 if it is not.
    ended: AtomicU8,
    /// Cancelled when running requests are to finish and no new ones are taken.
    closing: AtomicBool,
    /// TLS handshake and PROXY protocol header are complete.
    past_handshake: AtomicBool,
    http2: AtomicBool,
    /// A caller on it has shown credentials that are good.
    proved: AtomicBool,
    /// Requests that have begun since the connection was opened.
    requests: AtomicU64,
    /// Requests whose answer has not been handed to HTTP whole.
    running: AtomicU32,
    /// Bytes of a head that is not complete: read since the last request while none ran.
    head_bytes: AtomicU64,
    /// Bytes that are still read in this turn while no caller is proved.
    turn_bytes: AtomicUsize,
    written: AtomicU64,
    /// How many those were when the latest request began.
    written_before: AtomicU64,
    /// How many those were when the connection was last polled.
    written_at_poll: AtomicU64,
    /// A request has begun on the task of the connection since it was last polled.
    has_begun: AtomicBool,
    /// The socket is not writable at the moment.
    write_blocked: AtomicBool,
    has_slot: AtomicBool,
    parts: Mutex<Parts>,
}

/// What is behind a lock: touched when a connection begins, and for a request that the sweeper must see.
#[derive(Debug, Default)]
struct Parts {
    network: Option<Network>,
    slot: Option<BudgetSlot>,
    requests: Vec<(Arc<RequestState>, RequestPace)>,
}

impl ConnectionState {
    pub(crate) fn new(unauthenticated: Arc<Unauthenticated>, turns: Arc<Turns>) -> Arc<Self> {
        Arc::new(Self {
            unauthenticated,
            turns,
            caller: (AtomicU64::new(FairCaller::STRANGER), AtomicU64::new(0)),
            waker: AtomicWaker::new(),
            ended: AtomicU8::new(0),
            closing: AtomicBool::new(false),
            past_handshake: AtomicBool::new(false),
            http2: AtomicBool::new(false),
            proved: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            running: AtomicU32::new(0),
            head_bytes: AtomicU64::new(0),
            turn_bytes: AtomicUsize::new(STRANGER_TURN_BYTES),
            written: AtomicU64::new(0),
            written_before: AtomicU64::new(0),
            written_at_poll: AtomicU64::new(0),
            has_begun: AtomicBool::new(false),
            write_blocked: AtomicBool::new(false),
            has_slot: AtomicBool::new(false),
            parts: Mutex::default(),
        })
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the connection; the first reason counts.
    pub(crate) fn end(&self, reason: EndReason) {
        if self.set_ended(reason) {
            reason.count_connection();
        }
    }

    /// Ends a connection without counting it: the server stops, or has counted it when it closed it.
    pub(crate) fn cut(&self) {
        self.set_ended(EndReason::Idle);
    }

    fn set_ended(&self, reason: EndReason) -> bool {
        let code = reason as u8;
        let set = (self.ended).compare_exchange(0, code, Ordering::AcqRel, Ordering::Relaxed);
        if set.is_ok() {
            self.waker.wake();
        }
        set.is_ok()
    }

    /// Why the connection is to be dropped.
    pub(crate) fn ended(&self) -> Option<EndReason> {
        match self.ended.load(Ordering::Acquire) {
            0 => None,
            code => EndReason::from_code(code),
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

    pub(crate) fn turns(&self) -> &Arc<Turns> {
        &self.turns
    }

    /// Whose requests come over this connection, most likely: the latest caller that was proved, or all clients of its
    /// network.
    pub(crate) fn caller(&self) -> FairCaller {
        let (account, key) = &self.caller;
        FairCaller {
            account: account.load(Ordering::Relaxed),
            key: key.load(Ordering::Relaxed),
        }
    }

    /// Whether what the connection does next is to wait for a turn: over HTTP/1 the reading of a request, and each further
    /// step of a large answer; over HTTP/2 anything of strangers. The requests of others over HTTP/2 wait in tasks of
    /// their own.
    pub(crate) fn waits_for_turn(&self) -> bool {
        let is_step = match self.is_http2() {
            true => !self.is_proved(),
            false => self.running() == 0 || self.written_of_request() >= LARGE_ANSWER_BYTES,
        };
        is_step && self.turns.are_needed()
    }

    fn written_of_request(&self) -> u64 {
        self.written() - self.written_before.load(Ordering::Relaxed)
    }

    /// The caller of a request is proved.
    pub(crate) fn set_caller(&self, caller: FairCaller) {
        let (account, key) = &self.caller;
        account.store(caller.account, Ordering::Relaxed);
        key.store(caller.key, Ordering::Relaxed);
    }

    pub(crate) fn waker(&self) -> &AtomicWaker {
        &self.waker
    }

    /// The output of a future that reads from the client, unless the connection is ended or closed before.
    pub(crate) async fn unless_ended<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        poll_fn(|context| {
            self.waker.register(context.waker());
            if self.ended().is_some() || self.is_closing() {
                return Poll::Ready(None);
            }
            let polled = future.as_mut().poll(context).map(Some);
            if polled.is_pending() {
                self.wait_for(WaitsFor::Client);
            }
            polled
        })
        .await
    }

    /// Takes a place in the unauthenticated budget, in exchange for the previous one.
    pub(crate) fn enter(self: &Arc<Self>, network: Option<Network>) {
        // Before the new one, which must not end this connection in favour of itself.
        self.leave();
        let holding = Holding::Connection(Arc::downgrade(self));
        let slot = (self.unauthenticated).enter(network, WaitsFor::Server, holding);
        if self.requests() == 0
            && let Some(network) = network
        {
            self.set_caller(FairCaller::stranger(network));
        }
        let mut parts = self.parts();
        parts.network = network;
        let former = parts.slot.replace(slot);
        self.has_slot.store(true, Ordering::Release);
        drop(parts);
        drop(former);
    }

    /// Counts a new connection.
    pub(crate) fn note_opened(&self) {
        self.turns.note_stranger();
    }

    /// All that the client has sent has been read, and it is to send more; or the server is to read what there is.
    pub(crate) fn wait_for(&self, waits_for: WaitsFor) {
        if self.has_slot.load(Ordering::Acquire)
            && let Some(slot) = &mut self.parts().slot
        {
            slot.wait_for(waits_for);
        }
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

    /// A complete head has arrived.
    pub(crate) fn begin_request(&self) {
        let caller = self.caller();
        // Whose the first request is will be known when it has been judged.
        if self.requests() > 0 || !caller.is_stranger() {
            self.turns.note(caller);
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.running.fetch_add(1, Ordering::Relaxed);
        self.head_bytes.store(0, Ordering::Relaxed);
        self.written_before.store(self.written(), Ordering::Relaxed);
        self.leave();
    }

    pub(crate) fn end_request(&self) {
        self.running.fetch_sub(1, Ordering::Relaxed);
    }

    /// Registers a request for the sweeper.
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

    /// Visits each request that is registered for the sweeper.
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

    /// The connection is polled.
    pub(crate) fn begin_turn(&self) {
        if !self.is_proved() {
            self.turn_bytes
                .store(STRANGER_TURN_BYTES, Ordering::Relaxed);
        }
        self.has_begun.store(false, Ordering::Relaxed);
        self.written_at_poll
            .store(self.written(), Ordering::Relaxed);
    }

    /// Whether the request that begins now may do so on the task of the connection: it is alone there, so that it delays
    /// no other, and nobody has to wait for turns. Requests that arrive together are divided among all threads.
    pub(crate) fn begins_here(&self) -> bool {
        self.is_proved()
            && self.running() == 1
            && !self.turns.are_needed()
            && !self.has_begun.swap(true, Ordering::Relaxed)
    }

    /// Whether more is written in this turn: one poll writes as much as the socket takes, megabytes at first.
    pub(crate) fn may_write_on(&self) -> bool {
        let written = self.written() - self.written_at_poll.load(Ordering::Relaxed);
        written < TURN_WRITE_BYTES || !self.turns.are_needed()
    }

    /// Whether more is read in this turn.
    pub(crate) fn may_read_on(&self) -> bool {
        self.is_proved() || self.turn_bytes.load(Ordering::Relaxed) > 0
    }

    /// Bytes have been read from the socket.
    pub(crate) fn read(&self, bytes: usize) {
        if !self.is_proved() {
            let rest = self.turn_bytes.load(Ordering::Relaxed);
            let rest = rest.saturating_sub(bytes);
            self.turn_bytes.store(rest, Ordering::Relaxed);
        }
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
        // Between requests HTTP/2 mostly reads frames other than HEADERS.
        let begun = bytes > 0 && self.running() == 0 && !self.is_http2() && self.requests() > 0;
        if begun && !self.has_slot.load(Ordering::Acquire) {
            self.enter(self.network());
            if let Some(slot) = &self.parts().slot {
                slot.grow(usize::try_from(bytes).unwrap_or(usize::MAX));
            }
        }
        self.wait_for(WaitsFor::Client);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConnectionLimits;

    #[test]
    fn only_a_lone_request_of_a_proved_caller_begins_on_the_task_of_the_connection() {
        let unauthenticated = Unauthenticated::new(ConnectionLimits::default().unauthenticated);
        let state = ConnectionState::new(unauthenticated, Arc::new(Turns::default()));
        state.begin_turn();
        state.begin_request();
        assert!(!state.begins_here());
        state.set_proved();
        assert!(state.begins_here());
        // Another one that arrived with it.
        assert!(!state.begins_here());
        state.begin_turn();
        state.begin_request();
        assert!(!state.begins_here());
    }

    #[test]
    fn the_steps_of_a_large_answer_wait_for_turns() {
        let unauthenticated = Unauthenticated::new(ConnectionLimits::default().unauthenticated);
        let turns = Arc::new(Turns::default());
        let state = ConnectionState::new(unauthenticated, Arc::clone(&turns));
        assert!(!state.waits_for_turn());
        turns.note(FairCaller { account: 1, key: 1 });
        assert!(state.waits_for_turn());
        state.begin_request();
        assert!(!state.waits_for_turn());
        state.wrote(64 * 1024);
        assert!(state.waits_for_turn());
        state.begin_turn();
        assert!(state.may_write_on());
        state.wrote(256 * 1024);
        assert!(!state.may_write_on());
        // The next one is another answer.
        state.end_request();
        state.begin_request();
        assert!(!state.waits_for_turn());
    }
}
