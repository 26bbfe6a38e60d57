use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bucketry_edge::forwarding::{Forwarding, TrustedProxy};
use bytes::Bytes;
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::CertifiedKey;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tonic::transport::Endpoint;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};
use tower::util::BoxCloneSyncService;

use super::*;

/// Long enough that only a hanging test meets it.
const PATIENCE: Duration = Duration::from_secs(20);
/// A limit that a test waits for.
const SHORT: Duration = Duration::from_millis(50);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

type S3 = BoxCloneSyncService<Request<RequestBody>, Response<Full<Bytes>>, Infallible>;

/// Answers `/wait` when told to, panics at `/panic`, and tells of every other request what it saw.
fn s3(entered: Arc<Notify>, leave: Arc<Notify>) -> S3 {
    BoxCloneSyncService::new(tower::service_fn(move |request: Request<RequestBody>| {
        let (entered, leave) = (Arc::clone(&entered), Arc::clone(&leave));
        async move {
            let (head, body) = request.into_parts();
            match head.uri.path() {
                "/wait" => {
                    entered.notify_one();
                    leave.notified().await;
                }
                "/panic" => panic!("asked to"),
                _ => {}
            }
            let received = body.collect().await.map_or(0, |body| body.to_bytes().len());
            if head.uri.path() == "/debug" {
                return Ok(Response::new(Full::from(format!("{:?}", head.headers))));
            }
            let info = head.extensions.get::<ConnectionInfo>().unwrap();
            let id = head.extensions.get::<RequestId>().unwrap();
            if head.uri.path() == "/client" {
                let client = head.extensions.get::<EffectiveAddress>().unwrap();
                let text = format!(
                    "{} {:?} {:?}",
                    client.address, client.source, info.encryption
                );
                return Ok(Response::new(Full::from(text)));
            }
            assert!(info.is_loopback());
            let text = format!("{:?} {:?} {received} {id}", head.version, info.encryption);
            Ok(Response::new(Full::from(text)))
        }
    }))
}

struct Server {
    address: std::net::SocketAddr,
    entered: Arc<Notify>,
    leave: Arc<Notify>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Drained>,
}

impl Server {
    async fn start(limits: Limits, tls: Option<Tls>) -> Self {
        Self::listening("127.0.0.1:0", Preamble::None, &[], limits, tls).await
    }

    /// Behind a load balancer on this machine that speaks the PROXY protocol.
    async fn proxied(limits: Limits, tls: Option<Tls>) -> Self {
        let trusted = ["127.0.0.1".parse().unwrap()];
        Self::listening(
            "127.0.0.1:0",
            Preamble::ProxyProtocol,
            &trusted,
            limits,
            tls,
        )
        .await
    }

    async fn listening(
        address: &str,
        preamble: Preamble,
        trusted: &[TrustedProxy],
        limits: Limits,
        tls: Option<Tls>,
    ) -> Self {
        let listeners = listen_all([(address.parse().unwrap(), preamble)]).unwrap();
        let address = listeners[0].socket.local_addr().unwrap();
        let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let grpc = GrpcBuilder::default()
            .build(DescriptorSets {
                shown: bucketry_contract::PUBLISHED_DESCRIPTOR_SET,
                complete: bucketry_contract::DESCRIPTOR_SET,
            })
            .await
            .unwrap();
        let front = Front::new(
            grpc,
            s3(Arc::clone(&entered), Arc::clone(&leave)),
            Forwarding::new(trusted, None).unwrap(),
        );
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listeners, tls, front, limits, async {
            let _ = stopped.await;
        }));
        Self {
            address,
            entered,
            leave,
            stop: Some(stop),
            task,
        }
    }

    async fn plain() -> Self {
        Self::start(Limits::default(), None).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    async fn drained(self) -> Drained {
        timeout(PATIENCE, self.task).await.unwrap().unwrap()
    }
}

async fn http1<I>(io: I) -> http1::SendRequest<Full<Bytes>>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(io)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn http2<I>(io: I) -> http2::SendRequest<Full<Bytes>>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(io))
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

fn put(path: &str, body: &'static str) -> Request<Full<Bytes>> {
    let uri = format!("http://localhost{path}");
    let request = Request::put(uri).header("host", "localhost");
    request.body(Full::from(body)).unwrap()
}

async fn text(response: Response<hyper::body::Incoming>) -> String {
    String::from_utf8(
        response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .into(),
    )
    .unwrap()
}

/// Waits until the other side has closed; what it said before does not matter.
async fn closed(io: impl AsyncRead + Unpin) {
    until_closed(io).await;
}

/// What the other side says until it closes.
async fn until_closed(mut io: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut said = Vec::new();
    // A reset is an end too.
    let _ = timeout(PATIENCE, io.read_to_end(&mut said)).await.unwrap();
    said
}

fn certificate() -> (Tls, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls_pki_types::PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let tls = Tls::new(vec![cert.der().clone()], key.into(), None).unwrap();
    (tls, cert.der().clone())
}

async fn over_tls(
    server: &Server,
    root: &CertificateDer<'static>,
    offer: &[&[u8]],
) -> TlsStream<TcpStream> {
    tls_on(server.connect().await, root, offer).await
}

async fn tls_on(
    socket: TcpStream,
    root: &CertificateDer<'static>,
    offer: &[&[u8]],
) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = offer.iter().map(|protocol| protocol.to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, socket)
        .await
        .unwrap()
}

#[tokio::test]
async fn both_protocols_on_one_port() {
    let server = Server::plain().await;
    let response = http1(server.connect().await)
        .await
        .send_request(put("/x", "abc"))
        .await
        .unwrap();
    let id = response.headers()["x-amz-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(id.len(), 32);
    assert_eq!(text(response).await, format!("HTTP/1.1 Plaintext 3 {id}"));
    let response = http2(server.connect().await)
        .await
        .send_request(put("/x", "abcd"))
        .await
        .unwrap();
    let other = response.headers()["x-amz-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_ne!(id, other);
    assert_eq!(
        text(response).await,
        format!("HTTP/2.0 Plaintext 4 {other}")
    );
}

#[tokio::test]
async fn grpc_has_health_and_both_reflections() {
    let server = Server::plain().await;
    let channel = Endpoint::from_shared(format!("http://{}", server.address))
        .unwrap()
        .connect_lazy();
    let answer = HealthClient::new(channel.clone())
        .check(HealthCheckRequest::default())
        .await
        .unwrap();
    assert_eq!(
        answer
            .metadata()
            .get("x-request-id")
            .unwrap()
            .as_encoded_bytes()
            .len(),
        32
    );
    assert_eq!(answer.into_inner().status(), ServingStatus::Serving);

    {
        use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
        use tonic_reflection::pb::v1::{
            ServerReflectionRequest, server_reflection_request::MessageRequest,
        };
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::FileContainingSymbol(
                "bucketry.v1.TokenService".into(),
            )),
        };
        let stream = ServerReflectionClient::new(channel.clone())
            .server_reflection_info(tokio_stream::once(request))
            .await
            .unwrap();
        let answer = stream.into_inner().message().await.unwrap().unwrap();
        assert!(
            format!("{answer:?}").contains("FileDescriptorResponse"),
            "{answer:?}"
        );
        // The details of every refusal.
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::FileContainingSymbol(
                "google.rpc.ErrorInfo".into(),
            )),
        };
        let stream = ServerReflectionClient::new(channel.clone())
            .server_reflection_info(tokio_stream::once(request))
            .await
            .unwrap();
        let answer = stream.into_inner().message().await.unwrap().unwrap();
        assert!(
            format!("{answer:?}").contains("FileDescriptorResponse"),
            "{answer:?}"
        );
    }
    {
        use tonic_reflection::pb::v1alpha::server_reflection_client::ServerReflectionClient;
        use tonic_reflection::pb::v1alpha::{
            ServerReflectionRequest, server_reflection_request::MessageRequest,
        };
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let stream = ServerReflectionClient::new(channel)
            .server_reflection_info(tokio_stream::once(request))
            .await
            .unwrap();
        let answer = format!(
            "{:?}",
            stream.into_inner().message().await.unwrap().unwrap()
        );
        assert!(
            answer.contains("grpc.health.v1.Health") && !answer.contains("TokenService"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn only_all_signs_together_make_a_request_grpc() {
    const HEALTH: &str = "/grpc.health.v1.Health/Check";
    let server = Server::plain().await;
    let mut h2 = http2(server.connect().await).await;
    let mut h1 = http1(server.connect().await).await;
    let request = |method: &str, path: &str, content_type: &str| {
        Request::builder()
            .method(method)
            .uri(format!("http://localhost{path}"))
            .header("content-type", content_type)
            .body(Full::default())
            .unwrap()
    };
    let grpc = |response: &Response<_>| response.headers().contains_key("grpc-status");
    for path in [
        HEALTH,
        "/grpc.health.v1.Health/NoSuchMethod",
        "/grpc.health.v1.Unknown/Check",
        "/grpc.health.v1.Health",
    ] {
        for content_type in ["application/grpc", "application/grpc+proto"] {
            let response = h2
                .send_request(request("POST", path, content_type))
                .await
                .unwrap();
            assert!(grpc(&response), "{path} {content_type}: {response:?}");
        }
    }
    for (method, path, content_type) in [
        ("PUT", HEALTH, "application/grpc"),
        ("POST", HEALTH, "application/x-grpc"),
        // An S3 upload of that content type, begun in parts.
        ("POST", "/bucket/key?uploads", "application/grpc"),
    ] {
        let response = h2
            .send_request(request(method, path, content_type))
            .await
            .unwrap();
        assert!(!grpc(&response), "{method} {path} {content_type}");
        assert!(text(response).await.starts_with("HTTP/2.0"));
    }
    let response = h1
        .send_request(request("POST", HEALTH, "application/grpc"))
        .await
        .unwrap();
    assert!(text(response).await.starts_with("HTTP/1.1"));
}

#[tokio::test]
async fn tls_offers_both_protocols() {
    let (tls, root) = certificate();
    let server = Server::start(Limits::default(), Some(tls)).await;
    for (offer, agreed) in [
        (&[b"h2".as_slice(), b"http/1.1"][..], Some(b"h2".as_slice())),
        (&[b"http/1.1"], Some(b"http/1.1")),
        (&[], None),
    ] {
        let stream = over_tls(&server, &root, offer).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), agreed);
        let response = if agreed == Some(b"h2") {
            http2(stream)
                .await
                .send_request(put("/x", ""))
                .await
                .unwrap()
        } else {
            http1(stream)
                .await
                .send_request(put("/x", ""))
                .await
                .unwrap()
        };
        assert!(text(response).await.contains("Tls"));
    }
}

#[tokio::test]
async fn a_silent_handshake_is_ended() {
    let limits = Limits {
        handshake_timeout: SHORT,
        ..Limits::default()
    };
    let server = Server::start(limits, Some(certificate().0)).await;
    closed(server.connect().await).await;
}

#[tokio::test]
async fn connections_that_bring_no_request_are_ended() {
    let limits = Limits {
        head_timeout: SHORT,
        ..Limits::default()
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
    let limits = Limits {
        drain_deadline: SHORT,
        ..Limits::default()
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
    let limits = Limits {
        drain_deadline: SHORT,
        ..Limits::default()
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
    let limits = Limits {
        max_connections: 1,
        ..Limits::default()
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

#[tokio::test]
async fn http1_answers_keep_their_length() {
    let server = Server::plain().await;
    let uri = "http://localhost/x";
    let head = Request::head(uri)
        .header("host", "localhost")
        .body(Full::default())
        .unwrap();
    let response = http1(server.connect().await)
        .await
        .send_request(head)
        .await
        .unwrap();
    assert_eq!(response.version(), Version::HTTP_11);
    assert!(
        response.headers().contains_key("content-length"),
        "{response:?}"
    );
}

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
    let server = Server::proxied(Limits::default(), None).await;
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
    let server = Server::proxied(Limits::default(), Some(tls)).await;
    let mut socket = server.connect().await;
    socket.write_all(PROXY_V1).await.unwrap();
    let stream = tls_on(socket, &root, &[b"http/1.1"]).await;
    assert_eq!(client(stream).await, "192.0.2.1 ProxyProtocol Tls");
}

#[tokio::test]
async fn without_a_proxy_protocol_header_there_is_no_answer() {
    let server = Server::proxied(Limits::default(), None).await;
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
    let limits = Limits {
        handshake_timeout: SHORT,
        ..Limits::default()
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
    let limits = Limits::default();
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
    let limits = Limits::default();
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
    let limits = Limits::default();
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

#[derive(Clone, Default)]
struct Lines(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_level_shows_credentials() {
    const SECRET: &str = "hunter2hunter2";
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // As long as there is one subscriber alone, tracing asks the thread that first meets a log line whether it is wanted,
    // and remembers the answer for all: another test's would be no. With two it asks them both.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    // All of this test runs on this one thread.
    let _logging = tracing::subscriber::set_default(subscriber);
    let (tls, root) = certificate();
    let server = Server::start(Limits::default(), Some(tls)).await;
    let request = || {
        let mut request = put(&format!("/debug?X-Amz-Signature={SECRET}"), "");
        for name in [
            "authorization",
            "x-amz-security-token",
            "x-bucketry-session",
            "cookie",
        ] {
            // Marked as no careful client would leave it: the server is what is tested.
            request.headers_mut().insert(name, SECRET.parse().unwrap());
        }
        request
    };
    let plain = over_tls(&server, &root, &[b"http/1.1"]).await;
    let shown = text(http1(plain).await.send_request(request()).await.unwrap()).await;
    assert!(
        shown.contains("Sensitive") && !shown.contains(SECRET),
        "{shown}"
    );
    let multiplexed = over_tls(&server, &root, &[b"h2"]).await;
    let shown = text(
        http2(multiplexed)
            .await
            .send_request(request())
            .await
            .unwrap(),
    )
    .await;
    assert!(
        shown.contains("Sensitive") && !shown.contains(SECRET),
        "{shown}"
    );
    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(
        logged.contains("bucketry::request") && logged.contains("TRACE"),
        "{logged}"
    );
    for line in logged.lines() {
        assert!(!line.contains(SECRET), "{line}");
    }
}
