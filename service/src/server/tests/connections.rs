//! Limits of connections and heads, and how a drain ends them.

use std::sync::Arc;

use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;

#[tokio::test]
async fn a_silent_handshake_is_ended() {
    let limits = ConnectionLimits {
        handshake_timeout: SHORT,
        ..ConnectionLimits::default()
    };
    let server = Server::start(limits, Some(certificate().0)).await;
    closed(server.connect().await).await;
}

#[tokio::test]
async fn connections_that_bring_no_request_are_ended() {
    let limits = ConnectionLimits {
        head_timeout: SHORT,
        ..ConnectionLimits::default()
    };
    let server = Server::start(limits, None).await;
    for said in [
        &b""[..],
        b"P",
        b"PRI * HTTP/2.0\r\n",
        PREFACE,
        b"GET /x HTTP/1.1\r\nhost: loc",
    ] {
        let mut socket = server.connect().await;
        socket.write_all(said).await.unwrap();
        closed(socket).await;
    }
    // One that has brought a request may take its time.
    let mut sender = http1(server.connect().await).await;
    let waiting = sender.send_request(put("/wait", ""));
    let answer = async {
        server.entered.notified().await;
        assert!(
            timeout(SHORT * 3, std::future::pending::<()>())
                .await
                .is_err()
        );
        server.leave.notify_one();
    };
    let (response, ()) = tokio::join!(waiting, answer);
    assert_eq!(response.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_drain_lets_requests_finish_and_takes_no_new_ones() {
    let mut server = Server::plain().await;
    let mut h1 = http1(server.connect().await).await;
    let mut h2 = http2(server.connect().await).await;
    let _idle = http1(server.connect().await).await;
    let first = tokio::spawn(h1.send_request(put("/wait", "")));
    server.entered.notified().await;
    let second = tokio::spawn(h2.send_request(put("/wait", "")));
    server.entered.notified().await;
    server.stop();
    // The listener closes at once; until then the kernel may still connect us.
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    server.leave.notify_one();
    server.leave.notify_one();
    let leave = Arc::clone(&server.leave);
    let (first, second, ()) = tokio::join!(first, second, async { leave.notify_one() });
    for response in [first.unwrap().unwrap(), second.unwrap().unwrap()] {
        assert!(text(response).await.starts_with("HTTP/"));
    }
    drop(h2);
    assert_eq!(server.drained().await, Drained::Complete);
}

#[tokio::test]
async fn a_connection_with_the_preface_alone_delays_a_drain_only_to_the_deadline() {
    let limits = ConnectionLimits {
        drain_deadline: SHORT,
        ..ConnectionLimits::default()
    };
    let mut server = Server::start(limits, None).await;
    let mut socket = server.connect().await;
    socket.write_all(PREFACE).await.unwrap();
    // The server's settings: the connection is HTTP/2 by now.
    let mut settings = [0; 9];
    socket.read_exact(&mut settings).await.unwrap();
    server.stop();
    assert_eq!(
        server.drained().await,
        Drained::Abandoned { connections: 1 }
    );
    closed(socket).await;
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_at_the_deadline() {
    let limits = ConnectionLimits {
        drain_deadline: SHORT,
        ..ConnectionLimits::default()
    };
    let mut server = Server::start(limits, None).await;
    let mut sender = http1(server.connect().await).await;
    let request = tokio::spawn(async move { sender.send_request(put("/wait", "")).await });
    server.entered.notified().await;
    server.stop();
    assert_eq!(
        server.drained().await,
        Drained::Abandoned { connections: 1 }
    );
    assert!(request.await.unwrap().is_err());
}

#[tokio::test]
async fn too_large_a_head_reaches_s3_which_has_its_own_error() {
    let server = Server::plain().await;
    let mut request = put("/x", "");
    let value = "v".repeat(MAX_HEAD_BYTES as usize + 8 * 1024);
    let headers = request.headers_mut();
    headers.insert("x-amz-meta-a", value.parse().unwrap());
    for number in 0..101 {
        let name = format!("x-amz-meta-{number}");
        headers.insert(http::HeaderName::try_from(name).unwrap(), number.into());
    }
    let mut over_http2 = put("/x", "");
    over_http2
        .headers_mut()
        .insert("x-amz-meta-a", value.parse().unwrap());
    let mut sender = http1(server.connect().await).await;
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut sender = http2(server.connect().await).await;
    let response = sender.send_request(over_http2).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn too_large_a_head_of_a_call_is_refused() {
    let server = Server::plain().await;
    let mut request = put("/grpc.health.v1.Health/Check", "");
    *request.method_mut() = http::Method::POST;
    let headers = request.headers_mut();
    headers.insert("content-type", "application/grpc".parse().unwrap());
    let value = "v".repeat(MAX_HEAD_BYTES as usize);
    headers.insert("x-amz-meta-a", value.parse().unwrap());
    let mut sender = http2(server.connect().await).await;
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(
        response.status(),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
    );
}

#[tokio::test]
async fn a_panic_fails_one_request_alone() {
    let server = Server::plain().await;
    let mut sender = http2(server.connect().await).await;
    let waiting = tokio::spawn(sender.send_request(put("/wait", "")));
    server.entered.notified().await;
    let failed = sender.send_request(put("/panic", "")).await.unwrap();
    assert_eq!(failed.status(), StatusCode::INTERNAL_SERVER_ERROR);
    server.leave.notify_one();
    assert_eq!(waiting.await.unwrap().unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn connections_over_the_limit_wait_for_their_turn() {
    let limits = ConnectionLimits {
        max_connections: 1,
        ..ConnectionLimits::default()
    };
    let server = Server::start(limits, None).await;
    let mut first = http1(server.connect().await).await;
    let running = first.send_request(put("/wait", ""));
    tokio::pin!(running);
    tokio::select! {
        _ = running.as_mut() => panic!("it was not told to leave"),
        () = server.entered.notified() => {}
    }
    let mut second = http1(server.connect().await).await;
    let waiting = second.send_request(put("/x", ""));
    tokio::pin!(waiting);
    // Nobody who has a request is ended for a newcomer.
    assert!(timeout(SHORT, waiting.as_mut()).await.is_err());
    server.leave.notify_one();
    let response = timeout(PATIENCE, running).await.unwrap().unwrap();
    assert!(text(response).await.starts_with("HTTP/1.1"));
    // The first connection has no request now, and is ended for the second.
    let response = timeout(PATIENCE, waiting).await.unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(first.send_request(put("/x", "")).await.is_err());
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let server = Server::plain().await;
    let refused = listen(server.address).unwrap_err().to_string();
    assert!(refused.contains(&server.address.to_string()), "{refused}");
}
