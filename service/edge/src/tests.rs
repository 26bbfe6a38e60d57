//! Connections over real sockets, with limits short enough to wait for.

mod budgets;
mod pace;
mod refusals;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::budget::BudgetLimits;
use crate::forwarding::{Forwarding, TrustedProxy};
use crate::*;

/// Long enough that only a hanging test meets it.
const PATIENCE: Duration = Duration::from_secs(30);
/// A limit that a test waits for.
const SHORT: Duration = Duration::from_millis(200);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Answers `/endless` without end, reads the body of `/form` before and of `/upload` after a decision, refuses `/refused`
/// and, to a caller who is proved, `/denied`, and answers all else at once, `/known` to a caller who is proved.
#[derive(Debug)]
struct Front {
    forwarding: Forwarding,
    /// An endless answer or an upload was dropped.
    dropped: Arc<Notify>,
    /// A body is read.
    reading: Arc<Notify>,
}

#[derive(Debug)]
enum Answer {
    Whole(Option<Bytes>),
    Endless { _until_dropped: NotifyOnDrop },
}

#[derive(Debug)]
struct NotifyOnDrop(Arc<Notify>);

impl Drop for NotifyOnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Poll::Ready(match &mut *self {
            Self::Whole(bytes) => bytes.take().map(|bytes| Ok(Frame::data(bytes))),
            Self::Endless { .. } => Some(Ok(Frame::data(Bytes::from_static(&[0; 128 * 1024])))),
        })
    }
}

impl RequestHandler for Front {
    type Body = Answer;

    async fn handle(&self, request: Request<RequestBody>, _: ConnectionInfo) -> Response<Answer> {
        let (head, mut body) = request.into_parts();
        let until_dropped = NotifyOnDrop(Arc::clone(&self.dropped));
        match head.uri.path() {
            "/endless" => {
                return Response::new(Answer::Endless {
                    _until_dropped: until_dropped,
                });
            }
            "/upload" => head.extensions.get::<DecisionSignal>().unwrap().decided(),
            "/form" => {}
            "/refused" | "/denied" => {
                std::mem::forget(until_dropped);
                if head.uri.path() == "/denied" {
                    head.extensions.get::<DecisionSignal>().unwrap().decided();
                }
                let mut refusal = Response::new(Answer::Whole(None));
                *refusal.status_mut() = StatusCode::FORBIDDEN;
                return refusal;
            }
            "/known" => {
                std::mem::forget(until_dropped);
                head.extensions.get::<DecisionSignal>().unwrap().decided();
                return Response::new(Answer::Whole(Some(Bytes::from_static(b"well"))));
            }
            _ => {
                std::mem::forget(until_dropped);
                return Response::new(Answer::Whole(Some(Bytes::from_static(b"well"))));
            }
        }
        self.reading.notify_one();
        let mut received = 0;
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await
        {
            received += frame.map_or(0, |frame| frame.into_data().map_or(0, |data| data.len()));
        }
        Response::new(Answer::Whole(Some(Bytes::from(received.to_string()))))
    }

    fn forwarding(&self) -> &Forwarding {
        &self.forwarding
    }

    async fn stopping(&self) {}
}

struct Server {
    address: SocketAddr,
    dropped: Arc<Notify>,
    reading: Arc<Notify>,
    task: JoinHandle<Drained>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    fn start(limits: ConnectionLimits) -> Self {
        Self::behind(&[], limits, None)
    }

    fn behind(trusted: &[TrustedProxy], limits: ConnectionLimits, tls: Option<Tls>) -> Self {
        let listeners = listen_all([("127.0.0.1:0".parse().unwrap(), Preamble::None)]).unwrap();
        let address = listeners[0].socket.local_addr().unwrap();
        let (dropped, reading) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let front = Front {
            forwarding: Forwarding::new(trusted, None).unwrap(),
            dropped: Arc::clone(&dropped),
            reading: Arc::clone(&reading),
        };
        let task = tokio::spawn(serve(listeners, tls, front, limits, std::future::pending()));
        Self {
            address,
            dropped,
            reading,
            task,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A connection on which something has been sent.
    async fn sent(&self, bytes: &[u8]) -> TcpStream {
        let mut socket = self.connect().await;
        socket.write_all(bytes).await.unwrap();
        socket
    }

    async fn http1(&self) -> http1::SendRequest<String> {
        let io = TokioIo::new(self.connect().await);
        let (sender, connection) = http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    /// A client of HTTP/2 that pings all the time, and the end of its connection.
    async fn http2(&self) -> (http2::SendRequest<String>, JoinHandle<hyper::Result<()>>) {
        let io = TokioIo::new(self.connect().await);
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(SHORT / 4)
            .keep_alive_while_idle(true)
            .handshake(io)
            .await
            .unwrap();
        (sender, tokio::spawn(connection))
    }
}

fn get(path: &str) -> Request<String> {
    let request = Request::get(format!("http://localhost{path}")).header("host", "localhost");
    request.body(String::new()).unwrap()
}

/// The head of an upload of which one byte is sent.
fn begun(path: &str) -> Vec<u8> {
    format!("PUT {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\nx").into_bytes()
}

/// Everything received until the other side closes or resets the connection.
async fn until_closed(socket: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let _ = timeout(PATIENCE, socket.read_to_end(&mut said))
        .await
        .expect("to be closed");
    String::from_utf8_lossy(&said).into_owned()
}

fn budget(slots: usize, slots_per_network: usize) -> ConnectionLimits {
    ConnectionLimits {
        unauthenticated: BudgetLimits {
            slots,
            slots_per_network,
            ..ConnectionLimits::default().unauthenticated
        },
        ..ConnectionLimits::default()
    }
}

fn quick() -> ConnectionLimits {
    ConnectionLimits {
        min_rate: MinRate {
            // So that bytes buffered by HTTP/2 count only for a short time.
            bytes_per_second: 1024 * 1024,
            grace: SHORT,
        },
        ..ConnectionLimits::default()
    }
}
