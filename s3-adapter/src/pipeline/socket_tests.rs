//! What only a socket shows: the order of bytes on the wire.

use std::net::SocketAddr;

use bucketry_contract::v1::{ErrorReason, PutObjectResponse};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::Service;

use crate::S3Adapter;
use crate::fixture::{Bench, object, refusal};

/// Serves one connection.
async fn serve(adapter: S3Adapter) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let service = service_fn(move |request| adapter.clone().call(request));
        let http = hyper::server::conn::http1::Builder::new();
        let _ = http.serve_connection(TokioIo::new(socket), service).await;
    });
    address
}

const HEAD: &[u8] =
    b"PUT /b/k HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 11\r\nexpect: 100-continue\r\n\r\n";

async fn read_some(socket: &mut TcpStream) -> String {
    let mut buffer = vec![0; 4096];
    let length = socket.read(&mut buffer).await.unwrap();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

#[tokio::test]
async fn the_body_is_asked_for_once_the_caller_is_let_in() {
    let bench = Bench::new();
    bench.service().answers(
        "PutObject",
        Ok(PutObjectResponse {
            object: Some(object("k")),
        }),
    );
    let mut socket = TcpStream::connect(serve(bench.adapter.clone()).await)
        .await
        .unwrap();
    socket.write_all(HEAD).await.unwrap();
    assert_eq!(
        read_some(&mut socket).await,
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    assert_eq!(bench.service().authorized.lock().unwrap().len(), 1);
    socket.write_all(b"hello world").await.unwrap();
    assert!(
        read_some(&mut socket)
            .await
            .starts_with("HTTP/1.1 200 OK\r\n")
    );
}

#[tokio::test]
async fn a_connection_is_closed_after_a_body_that_was_announced_and_is_empty() {
    let bench = Bench::new();
    bench.service().answers(
        "PutObject",
        Ok(PutObjectResponse {
            object: Some(object("k")),
        }),
    );
    let mut socket = TcpStream::connect(serve(bench.adapter.clone()).await)
        .await
        .unwrap();
    let head = String::from_utf8_lossy(HEAD).replace("content-length: 11", "content-length: 0");
    socket.write_all(head.as_bytes()).await.unwrap();
    let answer = read_some(&mut socket).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn the_body_is_not_asked_for_after_a_refusal() {
    let bench = Bench::new();
    bench
        .service()
        .authorizes(Err(refusal(ErrorReason::AccessDenied)));
    let mut socket = TcpStream::connect(serve(bench.adapter.clone()).await)
        .await
        .unwrap();
    socket.write_all(HEAD).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
    assert!(answer.ends_with("</Error>"), "{answer}");
}

#[tokio::test]
async fn the_operation_may_refuse_before_it_asks_for_the_body() {
    let bench = Bench::new();
    bench
        .service()
        .answers::<PutObjectResponse>("PutObject", Err(refusal(ErrorReason::NoSuchBucket)));
    let mut socket = TcpStream::connect(serve(bench.adapter.clone()).await)
        .await
        .unwrap();
    socket.write_all(HEAD).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
}
