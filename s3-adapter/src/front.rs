//! The front of the adapter's own process: sockets in, requests to the adapter.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bucketry_edge::forwarding::{Forwarding, client_address_of};
use bucketry_s3_adapter::sigv4::Scheme;
use bucketry_s3_adapter::{ClientInfo, S3Adapter};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tower::Service;
use uuid::Uuid;

/// How long an HTTP/1 client may take for a head, and how long it may keep the connection idle: longer than the 75 s of
/// common proxies, so that never we but they close first.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(90);

/// The buffer of an HTTP/1 connection: what a body is read through at the cheapest.
const HTTP1_BUFFER_BYTES: usize = 256 * 1024;

/// Above the adapter's own limits, so that the adapter refuses what exceeds those with S3's error; what exceeds these
/// gets a 431 from the HTTP library.
const MAX_HTTP1_HEADERS: usize = 128;
const MAX_HTTP2_HEAD_BYTES: u32 = 64 * 1024;

/// The wait after an error of accepting, most often for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` ends; then takes no new connections and lets running requests end within `drain`.
pub(crate) async fn serve(
    listener: TcpListener,
    adapter: S3Adapter,
    forwarding: Arc<Forwarding>,
    stop: impl Future<Output = ()>,
    drain: Duration,
) {
    let http = http();
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((socket, peer)) => {
                let connection = connection(
                    http.clone(),
                    adapter.clone(),
                    Arc::clone(&forwarding),
                    socket,
                    peer,
                    graceful.watcher(),
                );
                tokio::spawn(connection);
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still running at the end of the drain");
    }
}

fn http() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .half_close(true)
        .max_headers(MAX_HTTP1_HEADERS)
        .max_buf_size(HTTP1_BUFFER_BYTES)
        .header_read_timeout(HEADER_READ_TIMEOUT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HTTP2_HEAD_BYTES);
    builder
}

async fn connection(
    http: auto::Builder<TokioExecutor>,
    adapter: S3Adapter,
    forwarding: Arc<Forwarding>,
    socket: TcpStream,
    peer: SocketAddr,
    watcher: Watcher,
) {
    // Without it a small answer waits up to 44 ms for the client's delayed acknowledgement.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%peer, %error, "TCP_NODELAY refused");
    }
    let service = service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
        // Of the request, not of the connection: a proxy sends those of many clients over one.
        let client = client_address_of(Some(peer.ip()), &forwarding, request.headers());
        request.extensions_mut().insert(ClientInfo {
            address: client.address,
            scheme: Scheme::Http,
            request_id: Uuid::now_v7().simple().to_string(),
        });
        let mut adapter = adapter.clone();
        async move {
            Ok::<_, Infallible>(
                adapter
                    .call(request)
                    .await
                    .unwrap_or_else(|never| match never {}),
            )
        }
    });
    let serving = http
        .serve_connection(TokioIo::new(socket), service)
        .into_owned();
    if let Err(error) = watcher.watch(serving).await {
        tracing::debug!(%peer, %error, "a connection broke");
    }
}
