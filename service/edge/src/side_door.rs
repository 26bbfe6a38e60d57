//! A small HTTP listener for operators: health and metrics.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Sleep, sleep};

use crate::health::Health;
use crate::task;

/// The most open connections; the oldest is ended for a newcomer.
const MAX_CONNECTIONS: usize = 128;

/// The pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// The time limit for a request's head and for an idle connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may accept nothing of an answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

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
    let mut by_age = VecDeque::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    make_room(&mut by_age);
                    let connection = answer_connection(socket, Arc::clone(&answer));
                    let connection = task::named("health_connection", connection);
                    by_age.push_back(connections.spawn(connection));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection for health and metrics");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
}

/// Ends the oldest connections until there is room for one more: whoever keeps connections open must not keep an
/// operator out.
fn make_room(by_age: &mut VecDeque<AbortHandle>) {
    by_age.retain(|connection| !connection.is_finished());
    while by_age.len() >= MAX_CONNECTIONS
        && let Some(oldest) = by_age.pop_front()
    {
        oldest.abort();
    }
}

/// Answers the requests of one connection to its end.
async fn answer_connection(
    socket: TcpStream,
    answer: Arc<impl Fn(&Request<Incoming>) -> Response<Full<Bytes>>>,
) {
    let service = service_fn(move |request| {
        let response = answer(&request);
        async move { Ok::<_, Infallible>(response) }
    });
    let io = TimedWrites {
        inner: socket,
        late: None,
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(io), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection for health and metrics ended");
    }
}

/// A connection whose writes fail when the client takes nothing for [`WRITE_TIMEOUT`].
struct TimedWrites<I> {
    inner: I,
    /// Set while a write waits.
    late: Option<Pin<Box<Sleep>>>,
}

impl<I> TimedWrites<I> {
    fn timed<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.late = None;
            return written;
        }
        let late = self
            .late
            .get_or_insert_with(|| Box::pin(sleep(WRITE_TIMEOUT)));
        let late = late.as_mut().poll(context);
        late.map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for TimedWrites<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for TimedWrites<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.timed(written, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::{Instant, timeout};

    use super::*;

    /// Long enough that only a hanging test meets it.
    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn connections_that_are_silent_or_never_read_keep_nobody_out() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let text = Bytes::from(vec![b'x'; 64 * 1024]);
        let task = tokio::spawn(answer_requests(listener, move |_: &_| {
            Response::new(Full::new(text.clone()))
        }));
        let request = b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";
        let mut held = Vec::new();
        for number in 0..400 {
            let mut socket = TcpStream::connect(address).await.unwrap();
            if number % 2 == 0 {
                socket.write_all(&request.repeat(100)).await.unwrap();
            }
            held.push(socket);
        }
        let mut asking = TcpStream::connect(address).await.unwrap();
        asking.write_all(request).await.unwrap();
        let mut first = [0; 15];
        let answered = timeout(PATIENCE, asking.read_exact(&mut first)).await;
        answered.expect("an answer").unwrap();
        assert_eq!(&first, b"HTTP/1.1 200 OK");
        task.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_of_which_nothing_is_taken_ends_its_connection() {
        let (near, _far) = tokio::io::duplex(16);
        let mut near = TimedWrites {
            inner: near,
            late: None,
        };
        let begun = Instant::now();
        let written = near.write_all(&[0; 64]).await;
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed(), WRITE_TIMEOUT);
    }
}
