use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::ConnectionLimits;
use crate::connection_state::ConnectionState;
use crate::end_reason::{EndReason, show_use};
use crate::fair::Turns;
use crate::sweep::{Judgement, Memory, judge};
use crate::unauthenticated::Unauthenticated;

/// Unauthenticated callers count as many if they hold at least one in this many connections.
const MANY_UNAUTHENTICATED: usize = 8;

/// All connections of a server.
#[derive(Debug)]
pub(crate) struct Registry {
    limits: ConnectionLimits,
    unauthenticated: Arc<Unauthenticated>,
    turns: Arc<Turns>,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    connections: BTreeMap<u64, (Arc<ConnectionState>, Memory)>,
    next: u64,
    closing: bool,
    /// The connections without requests, the longest idle first, as far as one look has found them.
    idle: VecDeque<u64>,
}

impl Registry {
    pub(crate) fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            unauthenticated: Unauthenticated::new(limits.unauthenticated),
            turns: Arc::default(),
            entries: Mutex::default(),
        })
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection until the guard is dropped.
    pub(crate) fn add(self: &Arc<Self>) -> Registered {
        let state =
            ConnectionState::new(Arc::clone(&self.unauthenticated), Arc::clone(&self.turns));
        let mut entries = self.entries();
        if entries.closing {
            state.close();
        }
        let id = entries.next;
        entries.next += 1;
        let memory = Memory::at(Instant::now());
        entries.connections.insert(id, (Arc::clone(&state), memory));
        Registered {
            id,
            state,
            registry: Arc::clone(self),
        }
    }

    /// Closes all connections, and those that are added later.
    pub(crate) fn close(&self) {
        let mut entries = self.entries();
        entries.closing = true;
        entries
            .connections
            .values()
            .for_each(|(state, _)| state.close());
    }

    /// Drops all connections with their requests.
    pub(crate) fn abandon(&self) {
        let mut entries = self.entries();
        entries.closing = true;
        (entries.connections.values()).for_each(|(state, _)| state.cut());
    }

    /// Ends a connection to make room for a new one: the slowest unauthenticated one if they are many, otherwise the one
    /// that has been idle longest. Unauthenticated callers who take all connections must not cost a client the idle one
    /// that it is about to use again.
    pub(crate) fn make_room(&self) {
        let unauthenticated = self.unauthenticated.used().0;
        let are_many = unauthenticated.saturating_mul(MANY_UNAUTHENTICATED)
            >= self.entries().connections.len();
        if !are_many && self.end_idle() {
            return;
        }
        if !self.unauthenticated.end_slowest(EndReason::MaxConnections) {
            self.end_idle();
        }
    }

    fn end_idle(&self) -> bool {
        let mut entries = self.entries();
        if entries.idle.is_empty() {
            let mut idle: Vec<_> = (entries.connections.iter())
                .filter(|(_, (state, _))| is_idle(state))
                .map(|(id, (_, memory))| (memory.idle_since(), *id))
                .collect();
            idle.sort_unstable();
            entries.idle = idle.into_iter().map(|(_, id)| id).collect();
        }
        while let Some(id) = entries.idle.pop_front() {
            if let Some((state, _)) = entries.connections.get(&id)
                && is_idle(state)
            {
                state.end(EndReason::MaxConnections);
                return true;
            }
        }
        false
    }

    /// Sweeps all connections periodically, and ends those that exceed a limit.
    pub(crate) async fn sweep(self: Arc<Self>) {
        let pause = self.limits.sweep_interval();
        let mut ticks = interval(pause);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = Instant::now();
        loop {
            ticks.tick().await;
            let now = Instant::now();
            // After a pause of this process, the elapsed time is not counted against its clients.
            let elapsed = (now - last).min(pause * 2);
            last = now;
            self.look(now, elapsed);
        }
    }

    fn look(&self, now: Instant, elapsed: Duration) {
        self.turns.look();
        self.unauthenticated.wake_if_free();
        let mut entries = self.entries();
        entries.idle.clear();
        for (state, memory) in entries.connections.values_mut() {
            if state.ended().is_some() {
                continue;
            }
            match judge(state, memory, now, elapsed, &self.limits) {
                Judgement::Keep => {}
                Judgement::Close => {
                    EndReason::Idle.count_connection();
                    state.close();
                }
                Judgement::Cut => state.cut(),
                Judgement::End(reason) => state.end(reason),
            }
        }
        let connections = entries.connections.len();
        drop(entries);
        show_use(connections, self.unauthenticated.used());
    }
}

/// Whether a connection has had requests and has none now.
fn is_idle(state: &ConnectionState) -> bool {
    state.requests() > 0 && state.running() == 0 && state.ended().is_none()
}

/// A connection's entry in the registry.
#[derive(Debug)]
pub(crate) struct Registered {
    id: u64,
    state: Arc<ConnectionState>,
    registry: Arc<Registry>,
}

impl Registered {
    pub(crate) fn state(&self) -> &Arc<ConnectionState> {
        &self.state
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.state.leave();
        let removed = self.registry.entries().connections.remove(&self.id);
        drop(removed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A registry with connections that have had a request, and others that have not.
    fn registry(clients: usize, strangers: usize) -> (Arc<Registry>, Vec<Registered>) {
        let registry = Registry::new(ConnectionLimits::default());
        let connections = (0..clients + strangers).map(|number| {
            let registered = registry.add();
            let state = registered.state();
            state.enter(None);
            if number < clients {
                state.begin_request();
                state.end_request();
            }
            registered
        });
        let connections = connections.collect();
        (registry, connections)
    }

    fn ended(connections: &[Registered]) -> Vec<usize> {
        let ended =
            |(number, registered): (usize, &Registered)| registered.state().ended().map(|_| number);
        connections.iter().enumerate().filter_map(ended).collect()
    }

    #[test]
    fn many_strangers_make_room_before_a_client_between_two_requests() {
        let (registry, connections) = registry(4, 4);
        registry.make_room();
        registry.make_room();
        assert_eq!(ended(&connections), [4, 5]);
    }

    #[test]
    fn the_longest_idle_makes_room_before_a_few_strangers() {
        let (registry, connections) = registry(9, 1);
        registry.make_room();
        assert_eq!(ended(&connections), [0]);
    }

    #[test]
    fn without_strangers_an_idle_connection_makes_room() {
        let (registry, connections) = registry(1, 0);
        registry.make_room();
        registry.make_room();
        assert_eq!(ended(&connections), [0]);
    }
}
