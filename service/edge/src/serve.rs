use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection::{Shared, connection, http};
use crate::{Handler, Limits, Listener, Tls};

/// The wait after an error of accepting that is not one connection's: most often the process is out of file
/// descriptors, and trying again at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every request had its answer.
    Complete,
    /// The deadline came first.
    Abandoned {
        /// How many connections were cut.
        connections: usize,
    },
}

/// Serves all listeners until `shutdown` ends; then calls [`Handler::stopping`], takes no new connections and requests,
/// lets the running requests end within the drain deadline, and cuts the rest.
pub async fn serve<H>(
    listeners: Vec<Listener>,
    tls: Option<Tls>,
    handler: H,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> Drained
where
    H: Handler,
{
    let stop = CancellationToken::new();
    let abandon = CancellationToken::new();
    // If the caller drops this future, its tasks end too.
    let _stop_with_us = stop.clone().drop_guard();
    let _abandon_with_us = abandon.clone().drop_guard();
    let shared = Arc::new(Shared {
        handler,
        tls,
        limits,
        http: http(),
        stop: stop.clone(),
        abandon: abandon.clone(),
    });
    let permits = Arc::new(Semaphore::new(limits.max_connections as usize));
    let acceptors = TaskTracker::new();
    let connections = TaskTracker::new();
    for listener in listeners {
        acceptors.spawn(accept(
            listener,
            Arc::clone(&shared),
            Arc::clone(&permits),
            connections.clone(),
        ));
    }
    shutdown.await;
    shared.handler.stopping().await;
    stop.cancel();
    acceptors.close();
    acceptors.wait().await;
    connections.close();
    if timeout(limits.drain_deadline, connections.wait())
        .await
        .is_ok()
    {
        return Drained::Complete;
    }
    let cut = connections.len();
    abandon.cancel();
    connections.wait().await;
    Drained::Abandoned { connections: cut }
}

/// Accepts connections of one listener until the server stops.
async fn accept<H>(
    listener: Listener,
    shared: Arc<Shared<H>>,
    permits: Arc<Semaphore>,
    connections: TaskTracker,
) where
    H: Handler,
{
    let next = async || {
        // The permit first: a connection that cannot be served stays in the kernel's queue.
        let permit = Arc::clone(&permits).acquire_owned().await;
        (permit, listener.socket.accept().await)
    };
    loop {
        let (permit, accepted) = tokio::select! {
            next = next() => next,
            () = shared.stop.cancelled() => return,
        };
        match accepted {
            Ok((socket, peer)) => {
                let shared = Arc::clone(&shared);
                let preamble = listener.preamble;
                connections.spawn(async move {
                    connection(shared, socket, peer, preamble).await;
                    drop(permit);
                });
            }
            Err(error) if is_one_connections(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                sleep(ACCEPT_PAUSE).await;
            }
        }
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
