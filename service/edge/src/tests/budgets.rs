//! The budgets of connections and bodies before a decision.

use std::sync::Arc;
use std::task::Poll;

use futures::future::join_all;
use http::StatusCode;
use http_body_util::BodyExt;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{PATIENCE, PREFACE, SHORT, Server, begun, budget, get, until_closed};
use crate::*;

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
            let running = crate::request_state::RunningRequest::begin(&connection);
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
    let server = Server::start(ConnectionLimits::default());
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
