//! Heads, bodies and answers that come or are read too slowly.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::{PATIENCE, SHORT, Server, begun, get, quick, until_closed};
use crate::*;

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_is_ended() {
    let limits = ConnectionLimits {
        head_timeout: SHORT,
        ..ConnectionLimits::default()
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
    let limits = ConnectionLimits {
        idle_timeout: SHORT,
        ..ConnectionLimits::default()
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
    let server = Server::start(ConnectionLimits::default());
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
