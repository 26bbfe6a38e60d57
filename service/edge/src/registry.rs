use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::Limits;
use crate::connection_state::ConnectionState;
use crate::ended::{Ended, show_use};
use crate::sweep::{Judgement, Memory, judge};
use crate::unauthenticated::Unauthenticated;

/// All connections of a server.
#[derive(Debug)]
pub(crate) struct Registry {
    limits: Limits,
    unauthenticated: Arc<Unauthenticated>,
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
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            unauthenticated: Unauthenticated::new(limits.unauthenticated),
            entries: Mutex::default(),
        })
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection until the guard is dropped.
    pub(crate) fn add(self: &Arc<Self>) -> Registered {
        let state = ConnectionState::new(Arc::clone(&self.unauthenticated));
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

    /// Ends a connection for a newcomer: the one that has been without a request the longest, otherwise the slowest of
    /// those whose caller is not known.
    pub(crate) fn make_room(&self) {
        if !self.end_idle() {
            self.unauthenticated.end_slowest(Ended::MaxConnections);
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
                state.end(Ended::MaxConnections);
                return true;
            }
        }
        false
    }

    /// Looks at all connections again and again, and ends those that do not keep the limits.
    pub(crate) async fn sweep(self: Arc<Self>) {
        let pause = self.limits.sweep_interval();
        let mut ticks = interval(pause);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = Instant::now();
        loop {
            ticks.tick().await;
            let now = Instant::now();
            // A process that was stopped for a while blames none of its clients.
            let elapsed = (now - last).min(pause * 2);
            last = now;
            self.look(now, elapsed);
        }
    }

    fn look(&self, now: Instant, elapsed: Duration) {
        let mut entries = self.entries();
        entries.idle.clear();
        for (state, memory) in entries.connections.values_mut() {
            if state.ended().is_some() {
                continue;
            }
            match judge(state, memory, now, elapsed, &self.limits) {
                Judgement::Keep => {}
                Judgement::Close => {
                    Ended::Idle.count_connection();
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

/// A connection's place among all.
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
