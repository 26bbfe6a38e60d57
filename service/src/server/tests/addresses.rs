//! The client's address: of the peer, by the PROXY protocol, by forwarding headers.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

fn who() -> Request<Full<Bytes>> {
    let request = Request::get("http://localhost/client").header("host", "localhost");
    request.body(Full::default()).unwrap()
}

/// Whom the server takes the other end of a connection for.
async fn client<I>(io: I) -> String
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    text(http1(io).await.send_request(who()).await.unwrap()).await
}

const PROXY_V1: &[u8] = b"PROXY TCP4 192.0.2.1 127.0.0.1 4711 9000\r\n";
/// Version 2, from `2001:db8::1`.
const PROXY_V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24\
    \x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\
    \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x67\0\x50";
const PROXY_LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

#[tokio::test]
async fn a_proxy_protocol_listener_takes_the_address_of_the_header() {
    let server = Server::proxied(ConnectionLimits::default(), None).await;
    for (header, expected) in [
        (PROXY_V1, "192.0.2.1 ProxyProtocol Plaintext"),
        (PROXY_V2, "2001:db8::1 ProxyProtocol Plaintext"),
        (PROXY_LOCAL, "127.0.0.1 ProxyProtocol Plaintext"),
        (b"PROXY UNKNOWN\r\n", "unknown ProxyProtocol Plaintext"),
    ] {
        let mut socket = server.connect().await;
        socket.write_all(header).await.unwrap();
        assert_eq!(client(socket).await, expected);
    }
}

#[tokio::test]
async fn the_proxy_protocol_comes_before_tls() {
    let (tls, root) = certificate();
    let server = Server::proxied(ConnectionLimits::default(), Some(tls)).await;
    let mut socket = server.connect().await;
    socket.write_all(PROXY_V1).await.unwrap();
    let stream = tls_on(socket, &root, &[b"http/1.1"]).await;
    assert_eq!(client(stream).await, "192.0.2.1 ProxyProtocol Tls");
}

#[tokio::test]
async fn without_a_proxy_protocol_header_there_is_no_answer() {
    let server = Server::proxied(ConnectionLimits::default(), None).await;
    for said in [
        &b"GET /client HTTP/1.1\r\nhost: localhost\r\n\r\n"[..],
        PREFACE,
        b"PROXY TCP4 192.0.2.1 127.0.0.1 4711 99999\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x0c\0\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        let mut socket = server.connect().await;
        socket.write_all(said).await.unwrap();
        assert_eq!(until_closed(socket).await, b"");
    }
}

#[tokio::test]
async fn a_slow_proxy_protocol_header_is_not_waited_for() {
    let limits = ConnectionLimits {
        handshake_timeout: SHORT,
        ..ConnectionLimits::default()
    };
    let server = Server::proxied(limits, None).await;
    for said in [
        &b""[..],
        b"PROXY TCP4 192.0",
        &PROXY_V2[..14],
        &PROXY_V2[..20],
    ] {
        let mut socket = server.connect().await;
        socket.write_all(said).await.unwrap();
        assert_eq!(until_closed(socket).await, b"");
    }
}

#[tokio::test]
async fn the_proxy_protocol_is_taken_from_trusted_proxies_only() {
    let trusted = ["192.0.2.0/24".parse().unwrap()];
    let limits = ConnectionLimits::default();
    let server = Server::listening(
        "127.0.0.1:0",
        Preamble::ProxyProtocol,
        &trusted,
        limits,
        None,
    )
    .await;
    let mut socket = server.connect().await;
    // It may be closed before that.
    let _ = socket.write_all(PROXY_V1).await;
    assert_eq!(until_closed(socket).await, b"");
}

#[tokio::test]
async fn a_proxy_protocol_header_elsewhere_is_a_malformed_request() {
    let server = Server::plain().await;
    for header in [PROXY_V1, PROXY_V2, PROXY_LOCAL] {
        let mut socket = server.connect().await;
        socket.write_all(header).await.unwrap();
        socket
            .write_all(b"GET /client HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&until_closed(socket).await).into_owned();
        assert!(
            said.is_empty() || said.starts_with("HTTP/1.1 400 "),
            "{said}"
        );
    }
}

#[tokio::test]
async fn each_request_of_a_connection_has_its_own_client() {
    let trusted = ["127.0.0.1".parse().unwrap()];
    let limits = ConnectionLimits::default();
    let server = Server::listening("127.0.0.1:0", Preamble::None, &trusted, limits, None).await;
    let mut sender = http1(server.connect().await).await;
    for (header, expected) in [
        (Some("192.0.2.1"), "192.0.2.1 Header Plaintext"),
        (Some("192.0.2.2, 127.0.0.1"), "192.0.2.2 Header Plaintext"),
        (Some("unknown"), "unknown Header Plaintext"),
        (None, "unknown Header Plaintext"),
    ] {
        let mut request = who();
        if let Some(value) = header {
            let value = value.parse().unwrap();
            request.headers_mut().insert("x-forwarded-for", value);
        }
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(text(response).await, expected);
    }
}

#[tokio::test]
async fn every_address_of_ipv6_takes_ipv4_too_and_shows_it_as_such() {
    let limits = ConnectionLimits::default();
    let server = Server::listening("[::]:0", Preamble::None, &[], limits, None).await;
    let port = server.address.port();
    for (from, expected) in [
        ("127.0.0.1", "127.0.0.1 Peer Plaintext"),
        ("::1", "::1 Peer Plaintext"),
    ] {
        let address: std::net::IpAddr = from.parse().unwrap();
        let socket = TcpStream::connect((address, port)).await.unwrap();
        assert_eq!(client(socket).await, expected);
    }
}
