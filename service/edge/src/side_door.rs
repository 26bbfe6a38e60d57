//! A small HTTP listener for operators: health and metrics.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::health::Health;

/// The most open connections; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 128;

/// The pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// The time limit for a request's head and for an idle connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Answers requests on a thread and a runtime of its own until the process ends, so that a busy server still answers.
/// Must be called within a runtime. Returns the address.
///
/// # Errors
/// The system's error if the thread cannot be started.
pub fn answer_apart(
    listener: TcpListener,
    answer: impl Fn(&Request<Incoming>) -> Response<Full<Bytes>> + Send + Sync + 'static,
) -> io::Result<SocketAddr> {
    let address = listener.local_addr()?;
    let listener = listener.into_std()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new()
        .name("health".to_owned())
        .spawn(move || {
            runtime.block_on(async move {
                match TcpListener::from_std(listener) {
                    Ok(listener) => answer_requests(listener, answer).await,
                    Err(error) => tracing::error!(%error, "cannot serve health and metrics"),
                }
            });
        })?;
    Ok(address)
}

/// The answer to a request about health; 404 for anything else.
#[must_use]
pub fn about_health(request: &Request<Incoming>, health: &Health) -> Response<Full<Bytes>> {
    let (status, text) = match health.answer(request.method(), request.uri().path()) {
        Some(answer) => (answer.status, answer.text),
        None => (StatusCode::NOT_FOUND, String::new()),
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response
}

/// Answers requests until dropped.
pub async fn answer_requests(
    listener: TcpListener,
    answer: impl Fn(&Request<Incoming>) -> Response<Full<Bytes>> + Send + Sync + 'static,
) {
    let answer = Arc::new(answer);
    // Dropping this future closes the connections.
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= MAX_CONNECTIONS {
            connections.join_next().await;
        }
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    let answer = Arc::clone(&answer);
                    let service = service_fn(move |request| {
                        let response = answer(&request);
                        async move { Ok::<_, Infallible>(response) }
                    });
                    let connection = http1::Builder::new()
                        .timer(TokioTimer::new())
                        .header_read_timeout(HEAD_TIMEOUT)
                        .serve_connection(TokioIo::new(socket), service);
                    connections.spawn(connection);
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection for health and metrics");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
}
