//! The PROXY protocol is read on a listener of its own, from trusted proxies.
//!
//! A header that comes slowly or in part is ended by a timeout, and TLS follows the header:
//! `a_slow_proxy_protocol_header_is_not_waited_for` and `the_proxy_protocol_comes_before_tls` in
//! `service/src/server/tests/addresses.rs`, over real sockets too, where the timeout can be short.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bucketry_contract::v1::AddressSource;
use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::Connection;
use bucketry_tests::server::{Server, ServerOptions};
use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tonic::codegen::Service;
use tonic::transport::{Channel, Endpoint};

use crate::client_address::{Doors, describe, listing};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// A header of version 2 with the length that belongs to it.
fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len())
        .expect("a short body")
        .to_be_bytes();
    [SIGNATURE, &[command, family], &length, body].concat()
}

/// Source 192.0.2.1 and destination 127.0.0.1 with ports.
const V4: [u8; 12] = [192, 0, 2, 1, 127, 0, 0, 1, 0x12, 0x67, 0x23, 0x28];

fn v1(source: &str) -> Vec<u8> {
    format!("PROXY TCP4 {source} 127.0.0.1 4711 9000\r\n").into_bytes()
}

/// Where a server takes the PROXY protocol.
pub(crate) fn proxy_listener(server: &Server) -> Result<SocketAddr, HarnessError> {
    server
        .log()
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|event| event["message"] == "PROXY protocol")
        .find_map(|event| event["address"].as_str()?.parse().ok())
        .ok_or(HarnessError::Incomplete("address of the PROXY listener"))
}

/// A server with both kinds of listener; 127.0.0.1 and 10.0.0.0/8 are trusted.
async fn start() -> Result<(Doors, SocketAddr), HarnessError> {
    let options = ServerOptions::new()
        .argument("--proxy-listen=127.0.0.1:0")
        .argument("--trusted-proxy=127.0.0.1,10.0.0.0/8");
    let doors = Doors::open(options).await?;
    let address = proxy_listener(&doors.server)?;
    Ok((doors, address))
}

/// Connects from an address of this machine and says something first.
async fn begin(source: &str, to: SocketAddr, said: &[u8]) -> Result<Connection, HarnessError> {
    let mut connection = Connection::open_from(source.parse().expect("an address"), to).await?;
    // That it is closed meanwhile is what some tests are about.
    connection.send(said).ok();
    Ok(connection)
}

/// Connects and says something before HTTP/2.
#[derive(Clone)]
struct Saying {
    to: SocketAddr,
    said: Vec<u8>,
}

impl Service<Uri> for Saying {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<TcpStream>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Self { to, said } = self.clone();
        Box::pin(async move {
            let mut stream = TcpStream::connect(to).await?;
            stream.write_all(&said).await?;
            Ok(TokioIo::new(stream))
        })
    }
}

async fn channel(to: SocketAddr, said: &[u8]) -> Result<Channel, HarnessError> {
    let said = said.to_vec();
    Ok(Endpoint::from_shared(format!("http://{to}"))?
        .connect_with_connector(Saying { to, said })
        .await?)
}

/// The address that both protocols see behind a header; `None`: unknown.
async fn seen(
    doors: &mut Doors,
    to: SocketAddr,
    header: &[u8],
    forwarded: Option<&str>,
    address: Option<&str>,
    source: AddressSource,
) -> Result<(), HarnessError> {
    let lines: Vec<_> = forwarded
        .map(|value| ("x-forwarded-for", value))
        .into_iter()
        .collect();
    let described = describe(channel(to, header).await?, &lines).await?;
    assert_eq!(
        (described.client_address.as_str(), described.source()),
        (address.unwrap_or_default(), source),
        "{described:?}"
    );
    let (rules, wanted) = match &address {
        Some(address) => (std::slice::from_ref(address), 200),
        None => (&["0.0.0.0/0", "::/0"][..], 403),
    };
    let credentials = doors.token(rules, &[]).await?;
    let mut request = listing(&credentials, to)?;
    for (name, value) in lines {
        request = request.header(name, value);
    }
    let mut connection = begin("127.0.0.1", to, header).await?;
    // The header counts for every request of the connection.
    for _ in 0..2 {
        let response = connection.exchange(&request)?;
        assert_eq!(response.status, wanted, "{header:?}: {}", response.text());
    }
    Ok(())
}

#[tokio::test]
async fn the_address_of_the_header_is_judged() -> Result<(), HarnessError> {
    use AddressSource::{Header, ProxyProtocol};
    let (mut doors, to) = start().await?;
    let v6 = [
        [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9].as_slice(),
        &[0; 16],
        &[0, 1, 0, 2],
    ]
    .concat();
    let unix = v2(0x21, 0x31, &[b'/'; 216]);
    for (header, forwarded, address, source) in [
        (v1("192.0.2.1"), None, Some("192.0.2.1"), ProxyProtocol),
        (v2(0x21, 0x11, &V4), None, Some("192.0.2.1"), ProxyProtocol),
        (
            v2(0x21, 0x21, &v6),
            None,
            Some("2001:db8::9"),
            ProxyProtocol,
        ),
        // The proxy's own connection, to see whether the server lives.
        (v2(0x20, 0x00, &[]), None, Some("127.0.0.1"), ProxyProtocol),
        (b"PROXY UNKNOWN\r\n".to_vec(), None, None, ProxyProtocol),
        (v2(0x21, 0x00, &[]), None, None, ProxyProtocol),
        (unix, None, None, ProxyProtocol),
        // A forwarding header counts if the header's address is a trusted proxy.
        (
            v1("192.0.2.1"),
            Some("203.0.113.66"),
            Some("192.0.2.1"),
            ProxyProtocol,
        ),
        (
            v1("10.0.0.9"),
            Some("203.0.113.66"),
            Some("203.0.113.66"),
            Header,
        ),
        (v1("10.0.0.9"), Some("unknown"), None, Header),
    ] {
        seen(&mut doors, to, &header, forwarded, address, source).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_connection_without_the_header_is_closed() -> Result<(), HarnessError> {
    let (mut doors, to) = start().await?;
    let credentials = doors.token(&[], &[]).await?;
    let request = listing(&credentials, to)?.head();
    let checksum = [&V4[..], &[3, 0, 4, 1, 2, 3, 4]].concat();
    let mut length = v2(0x21, 0x11, &V4);
    length[14] = 0xff;
    for header in [
        vec![],
        b"PROXY TCP4 192.0.2.1 127.0.0.1 4711 99999\r\n".to_vec(),
        b"PROXY TCP4 example.com 127.0.0.1 4711 9000\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.1 127.0.0.1 4711 9000\n".to_vec(),
        [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 200], b"\r\n"].concat(),
        v2(0x21, 0x11, &V4[..8]),
        v2(0x21, 0x12, &V4),
        v2(0x22, 0x11, &V4),
        v2(0x31, 0x11, &V4),
        v2(0x21, 0x21, &V4),
        v2(0x21, 0x11, &checksum),
        length,
    ] {
        let said = [header, request.clone()].concat();
        let mut connection = begin("127.0.0.1", to, &said).await?;
        // Closed with bytes unread, so a reset is an end too.
        let answered = matches!(connection.at_end(), Ok(false));
        assert!(
            !answered,
            "{:?} was answered",
            String::from_utf8_lossy(&said)
        );
    }
    assert!(
        channel(to, b"").await.is_err() || describe(channel(to, b"").await?, &[]).await.is_err()
    );
    Ok(())
}

#[tokio::test]
async fn only_trusted_proxies_may_send_the_header() -> Result<(), HarnessError> {
    let (mut doors, to) = start().await?;
    let credentials = doors.token(&[], &[]).await?;
    let said = [v1("192.0.2.1"), listing(&credentials, to)?.head()].concat();
    let mut connection = begin("127.0.0.2", to, &said).await?;
    assert!(!matches!(connection.at_end(), Ok(false)));
    let mut connection = begin("127.0.0.1", to, &said).await?;
    assert_eq!(connection.receive("GET")?.status, 200);
    Ok(())
}

#[tokio::test]
async fn on_other_listeners_the_header_is_a_malformed_request() -> Result<(), HarnessError> {
    let (mut doors, _) = start().await?;
    let to = doors.server.address();
    let credentials = doors.token(&[], &[]).await?;
    for header in [v1("192.0.2.1"), v2(0x21, 0x11, &V4), v2(0x20, 0, &[])] {
        let said = [header, listing(&credentials, to)?.head()].concat();
        let mut connection = begin("127.0.0.1", to, &said).await?;
        if let Ok(response) = connection.receive("GET") {
            assert_eq!(response.status, 400, "{}", response.text());
        }
    }
    Ok(())
}
