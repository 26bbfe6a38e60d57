mod addresses;
mod connections;
mod logs;
mod protocols;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bucketry_edge::forwarding::{Forwarding, TrustedProxy};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::CertifiedKey;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tower::util::BoxCloneSyncService;

use super::*;

/// The time limit of a test, which only a hanging one reaches.
const PATIENCE: Duration = Duration::from_secs(20);
/// A limit that a test waits for.
const SHORT: Duration = Duration::from_millis(50);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

type S3 = BoxCloneSyncService<Request<RequestBody>, Response<Full<Bytes>>, Infallible>;

/// Answers `/wait` when notified, panics at `/panic`, and describes any other request in its answer.
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
                "/panic" => panic!("requested by the test"),
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
    async fn start(limits: ConnectionLimits, tls: Option<Tls>) -> Self {
        Self::listening("127.0.0.1:0", Preamble::None, &[], limits, tls).await
    }

    /// A server behind a load balancer on this machine that speaks the PROXY protocol.
    async fn proxied(limits: ConnectionLimits, tls: Option<Tls>) -> Self {
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
        limits: ConnectionLimits,
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
        Self::start(ConnectionLimits::default(), None).await
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

/// Waits until the peer has closed the connection, and ignores what it sends before.
async fn closed(io: impl AsyncRead + Unpin) {
    until_closed(io).await;
}

/// What the peer sends until it closes the connection.
async fn until_closed(mut io: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut received = Vec::new();
    // A reset ends it too.
    let _ = timeout(PATIENCE, io.read_to_end(&mut received))
        .await
        .unwrap();
    received
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
