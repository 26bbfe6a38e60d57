//! Connections over real sockets, with limits short enough to wait for.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::budget::BudgetLimits;
use crate::forwarding::{Forwarding, TrustedProxy};
use crate::*;

/// Long enough that only a hanging test meets it.
const PATIENCE: Duration = Duration::from_secs(30);
/// A limit that a test waits for.
const SHORT: Duration = Duration::from_millis(200);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Answers `/endless` without end, reads the body of `/form` before and of `/upload` after a decision, and answers all
/// else at once, `/known` to a caller who is proved.
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

impl Handler for Front {
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
    fn start(limits: Limits) -> Self {
        Self::behind(&[], limits, None)
    }

    fn behind(trusted: &[TrustedProxy], limits: Limits, tls: Option<Tls>) -> Self {
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

fn budget(slots: usize, slots_per_network: usize) -> Limits {
    Limits {
        unauthenticated: BudgetLimits {
            slots,
            slots_per_network,
            ..Limits::default().unauthenticated
        },
        ..Limits::default()
    }
}

fn quick() -> Limits {
    Limits {
        min_rate: MinRate {
            // So that bytes buffered by HTTP/2 count only for a short time.
            bytes_per_second: 1024 * 1024,
            grace: SHORT,
        },
        ..Limits::default()
    }
}

#[tokio::test]
async fn silent_connections_end_the_slowest_of_them_and_no_newcomer() {
    for limits in [budget(4, 100), budget(100, 4)] {
        let server = Server::start(limits);
        for said in [&b""[..], b"GET / HT", b"PRI * HT", PREFACE] {
            let mut silent = Vec::new();
            for _ in 0..12 {
                silent.push(server.sent(said).await);
            }
            // All that are waited for have been ended by those that came after them.
            for socket in &mut silent[..8] {
                until_closed(socket).await;
            }
            let mut sender = server.http1().await;
            let answered = sender.send_request(get("/")).await.unwrap();
            assert_eq!(answered.status(), StatusCode::OK);
        }
    }
}

#[tokio::test]
async fn handshakes_that_are_begun_end_the_slowest_of_them() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls_pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let tls = Tls::new(vec![made.cert.der().clone()], key.into(), None).unwrap();
    let server = Server::behind(&[], budget(100, 4), Some(tls));
    let mut begun = Vec::new();
    for _ in 0..12 {
        // A record of a handshake that is to hold 512 bytes.
        begun.push(server.sent(&[0x16, 3, 1, 2, 0, 1]).await);
    }
    for socket in &mut begun[..8] {
        assert_eq!(until_closed(socket).await, "");
    }
}

#[tokio::test]
async fn a_proxys_connections_have_no_limit_per_address() {
    let server = Server::behind(&["127.0.0.1".parse().unwrap()], budget(100, 1), None);
    let silent = join_all((0..20).map(|_| server.connect())).await;
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    for mut socket in silent {
        socket.write_all(request).await.unwrap();
        assert!(until_closed(&mut socket).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn idle_connections_do_not_count_as_unauthenticated() {
    let server = Server::start(budget(2, 2));
    let mut senders = Vec::new();
    for _ in 0..10 {
        let mut sender = server.http1().await;
        sender.send_request(get("/")).await.unwrap();
        senders.push(sender);
    }
    for sender in &mut senders {
        let answered = sender.send_request(get("/")).await.unwrap();
        assert_eq!(answered.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn bodies_before_a_decision_are_in_the_budget_and_those_after_it_are_not() {
    let server = Server::start(budget(2, 2));
    let mut decided = Vec::new();
    for _ in 0..4 {
        decided.push(server.sent(&begun("/upload")).await);
        server.reading.notified().await;
    }
    let mut forms = Vec::new();
    for _ in 0..4 {
        forms.push(server.sent(&begun("/form")).await);
        server.reading.notified().await;
    }
    for form in &mut forms[..2] {
        assert_eq!(until_closed(form).await, "");
    }
    for socket in decided.iter_mut().chain(&mut forms[2..]) {
        socket.write_all(&[b'x'; 999]).await.unwrap();
        let mut status = [0; 12];
        timeout(PATIENCE, socket.read_exact(&mut status))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
    }
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_is_ended() {
    let limits = Limits {
        head_timeout: SHORT,
        ..Limits::default()
    };
    let server = Server::start(limits);
    for first in [&b""[..], b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"] {
        let (mut reader, mut writer) = server.sent(first).await.into_split();
        let sending = tokio::spawn(async move {
            writer.write_all(b"GET /").await.unwrap();
            while writer.write_all(b"x").await.is_ok() {
                sleep(SHORT / 20).await;
            }
        });
        let mut said = Vec::new();
        let _ = timeout(PATIENCE, reader.read_to_end(&mut said))
            .await
            .unwrap();
        let answered = String::from_utf8(said).unwrap();
        assert_eq!(answered.starts_with("HTTP/1.1 200"), !first.is_empty());
        timeout(PATIENCE, sending).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_connection_without_requests_is_ended_even_if_it_pings() {
    let limits = Limits {
        idle_timeout: SHORT,
        ..Limits::default()
    };
    let server = Server::start(limits);
    let (mut sender, pinging) = server.http2().await;
    sender.send_request(get("/")).await.unwrap();
    // It closes gracefully.
    timeout(PATIENCE, pinging).await.unwrap().unwrap().unwrap();
    let mut socket = server
        .sent(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await;
    assert!(
        until_closed(&mut socket)
            .await
            .starts_with("HTTP/1.1 200 OK")
    );
}

#[tokio::test]
async fn an_answer_that_is_not_read_is_ended() {
    let server = Server::start(quick());
    let _unread = server
        .sent(b"GET /endless HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await;
    timeout(PATIENCE, server.dropped.notified()).await.unwrap();
}

#[tokio::test]
async fn of_http2_only_the_stream_is_ended() {
    let server = Server::start(quick());
    let (mut sender, _connection) = server.http2().await;
    let unread = sender.send_request(get("/endless")).await.unwrap();
    timeout(PATIENCE, server.dropped.notified()).await.unwrap();
    let answered = sender.send_request(get("/")).await.unwrap();
    assert_eq!(answered.status(), StatusCode::OK);
    let read = timeout(PATIENCE, unread.into_body().collect()).await;
    assert!(read.unwrap().is_err());
}

#[tokio::test]
async fn of_http2_an_upload_that_stands_still_is_reset() {
    let server = Server::start(quick());
    let io = TokioIo::new(server.connect().await);
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let upload = Request::put("http://localhost/upload")
        .body(Stalled)
        .unwrap();
    let ended = timeout(PATIENCE, sender.send_request(upload))
        .await
        .unwrap();
    assert!(ended.is_err());
    assert!(!sender.is_closed());
}

/// A body that never comes.
struct Stalled;

impl Body for Stalled {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn an_upload_that_stands_still_is_ended() {
    let server = Server::start(quick());
    let mut socket = server.sent(&begun("/upload")).await;
    assert_eq!(until_closed(&mut socket).await, "");
}

#[tokio::test]
async fn a_larger_head_than_is_read_is_answered_with_431() {
    let server = Server::start(Limits::default());
    let (mut reader, mut writer) = server.connect().await.into_split();
    let sending = tokio::spawn(async move {
        let _ = writer.write_all(b"GET / HTTP/1.1\r\nx: ").await;
        while writer.write_all(&[b'x'; 1024]).await.is_ok() {}
    });
    let mut said = [0; 12];
    timeout(PATIENCE, reader.read_exact(&mut said))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&said, b"HTTP/1.1 431");
    timeout(PATIENCE, sending).await.unwrap().unwrap();
}

/// Whether a body ends with an error, or comes to its end, or neither.
async fn is_reset(body: &mut hyper::body::Incoming) -> bool {
    loop {
        match timeout(SHORT, body.frame()).await {
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(_))) => return true,
            Ok(None) | Err(_) => return false,
        }
    }
}

#[tokio::test]
async fn answers_that_strangers_do_not_read_are_in_the_budget() {
    // With a window of 1 HTTP would take an answer whole, and keep it.
    for window in [0, 1] {
        let server = Server::start(budget(4, 4));
        let io = TokioIo::new(server.connect().await);
        let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(window)
            .handshake(io)
            .await
            .unwrap();
        tokio::spawn(connection);
        let mut bodies = Vec::new();
        for path in ["/known"; 6].into_iter().chain(["/"; 12]) {
            let answered = sender.send_request(get(path)).await.unwrap();
            bodies.push(answered.into_body());
        }
        for (number, body) in bodies.iter_mut().enumerate() {
            // Of twelve strangers the first eight have made room.
            let expected = (6..14).contains(&number);
            assert_eq!(is_reset(body).await, expected, "{number}, window {window}");
        }
    }
}

/// A client may begin as many requests as HTTP lets it, on as many connections as there are.
#[tokio::test]
async fn strangers_are_not_read_while_many_of_their_requests_are_judged() {
    let unauthenticated =
        crate::unauthenticated::Unauthenticated::new(budget(4, 4).unauthenticated);
    let connection =
        crate::connection_state::ConnectionState::new(Arc::clone(&unauthenticated), Arc::default());
    let mut requests: Vec<_> = (0..512)
        .map(|_| {
            let running = crate::request_state::Running::begin(&connection);
            running.state().count_undecided();
            running
        })
        .collect();
    let mut waiting = Box::pin(std::future::poll_fn(|context| {
        connection.waker().register(context.waker());
        match unauthenticated.may_read(&connection) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }));
    assert!(timeout(SHORT, &mut waiting).await.is_err());
    // Refused, a request counts no more; and it ends once.
    let refused = requests.pop().unwrap();
    refused.signal().refused();
    timeout(PATIENCE, waiting).await.unwrap();
    drop(refused);
    drop(requests);
    // A server that was behind reads on.
    let server = Server::start(Limits::default());
    let (sender, _connection) = server.http2().await;
    let answers = (0..1000).map(|_| {
        let mut sender = sender.clone();
        async move {
            sender.ready().await.unwrap();
            sender.send_request(get("/")).await.unwrap().status()
        }
    });
    let answers = timeout(PATIENCE, join_all(answers)).await.unwrap();
    assert!(answers.iter().all(|status| *status == StatusCode::OK));
}
