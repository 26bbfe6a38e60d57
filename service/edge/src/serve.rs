use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection::{ServerState, connection, http};
use crate::refusal_pace::RefusalPace;
use crate::registry::Registry;
use crate::{ConnectionLimits, Listener, RequestHandler, Tls, task};

/// The pause after a failed accept that is not due to one connection: usually the process is out of file descriptors,
/// and an immediate retry would only waste CPU time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How often a new connection that waits for room checks whether another has become idle.
const ROOM_PAUSE: Duration = Duration::from_millis(100);

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every request had its answer.
    Complete,
    /// The drain deadline passed first.
    Abandoned {
        /// The number of connections that were closed.
        connections: usize,
    },
}

impl Drained {
    /// Logs how the server ended, and returns the program's exit status: a drain that reached its deadline is a failure.
    #[must_use]
    pub fn report(self) -> ExitCode {
        match self {
            Self::Complete => {
                tracing::info!("stopped");
                ExitCode::SUCCESS
            }
            Self::Abandoned { connections } => {
                tracing::warn!(connections, "stopped by the drain deadline");
                ExitCode::FAILURE
            }
        }
    }
}

/// Serves all listeners until `shutdown` ends; then calls [`RequestHandler::stopping`], takes no new connections and requests,
/// lets the running requests end within the drain deadline, and closes the rest.
pub async fn serve<H>(
    listeners: Vec<Listener>,
    tls: Option<Tls>,
    handler: H,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()>,
) -> Drained
where
    H: RequestHandler,
{
    let stop = CancellationToken::new();
    // If the caller drops this future, its tasks end too.
    let _stop_with_us = stop.clone().drop_guard();
    let registry = Registry::new(limits);
    let _ends_with_us = EndOnDrop {
        sweeper: task::spawn("sweep_connections", Arc::clone(&registry).sweep()).abort_handle(),
        registry: Arc::clone(&registry),
    };
    let shared = Arc::new(ServerState {
        handler,
        tls,
        limits,
        http: http(),
        registry,
        refusals: RefusalPace::new(limits.refusals_per_network),
        stop: stop.clone(),
    });
    let permits = Arc::new(Semaphore::new(limits.max_connections as usize));
    let acceptors = TaskTracker::new();
    let connections = TaskTracker::new();
    for listener in listeners {
        let accepting = accept(
            listener,
            Arc::clone(&shared),
            Arc::clone(&permits),
            connections.clone(),
        );
        acceptors.spawn(task::named("accept_connections", accepting));
    }
    shutdown.await;
    shared.handler.stopping().await;
    stop.cancel();
    acceptors.close();
    acceptors.wait().await;
    shared.registry.close();
    connections.close();
    if timeout(limits.drain_deadline, connections.wait())
        .await
        .is_ok()
    {
        return Drained::Complete;
    }
    let cut = connections.len();
    shared.registry.abandon();
    connections.wait().await;
    Drained::Abandoned { connections: cut }
}

/// Accepts connections of one listener until the server stops.
async fn accept<H>(
    listener: Listener,
    shared: Arc<ServerState<H>>,
    permits: Arc<Semaphore>,
    connections: TaskTracker,
) where
    H: RequestHandler,
{
    loop {
        let accepted = tokio::select! {
            accepted = listener.socket.accept() => accepted,
            () = shared.stop.cancelled() => return,
        };
        match accepted {
            Ok((socket, peer)) => {
                let permit = tokio::select! {
                    permit = room(&shared.registry, &permits) => permit,
                    () = shared.stop.cancelled() => return,
                };
                let shared = Arc::clone(&shared);
                let accepted_by = (listener.preamble, listener.role);
                connections.spawn(task::named("connection", async move {
                    connection(shared, socket, peer, accepted_by).await;
                    drop(permit);
                }));
            }
            Err(error) if is_one_connections(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Waits for the right to serve one more connection. If all are taken, another connection is ended for it; if all of
/// them have requests, it waits, and further ones wait in the kernel's queue.
async fn room(registry: &Registry, permits: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    loop {
        if let Ok(permit) = Arc::clone(permits).try_acquire_owned() {
            return Some(permit);
        }
        registry.make_room();
        let free = Arc::clone(permits).acquire_owned();
        if let Ok(permit) = timeout(ROOM_PAUSE, free).await {
            return permit.ok();
        }
    }
}

/// Tasks that end with the future of [`serve`].
struct EndOnDrop {
    sweeper: AbortHandle,
    registry: Arc<Registry>,
}

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.sweeper.abort();
        self.registry.abandon();
    }
}

/// Whether the client went away before it was accepted.
fn is_one_connections(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}
