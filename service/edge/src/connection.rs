use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::limits::{
    CONNECTION_WINDOW_BYTES, HEADER_READ_TIMEOUT, HTTP1_BUFFER_BYTES, KEEP_ALIVE_INTERVAL,
    KEEP_ALIVE_TIMEOUT, MAX_CONCURRENT_STREAMS, MAX_HTTP1_HEADERS, MAX_HTTP2_HEAD_BYTES,
    MAX_LOCAL_RESETS, STREAM_WINDOW_BYTES,
};
use crate::proxy_protocol::{ReadProxyHeaderError, read_proxy_header};
use crate::{
    ClientCertificate, ConnectionInfo, Encryption, Handler, Limits, Preamble, Relayed, Tls,
};

/// What all connections of a server share.
pub(crate) struct Shared<H> {
    pub(crate) handler: H,
    pub(crate) tls: Option<Tls>,
    pub(crate) limits: Limits,
    pub(crate) http: auto::Builder<TokioExecutor>,
    /// Finish what runs, take nothing new.
    pub(crate) stop: CancellationToken,
    /// Drop everything.
    pub(crate) abandon: CancellationToken,
}

/// HTTP as this server speaks it.
pub(crate) fn http() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .keep_alive(true)
        // A client may end its half after the request and still wait for the answer.
        .half_close(true)
        // Moves the header index to the heap, two allocations a request. By default hyper itself refuses the 101st.
        .max_headers(MAX_HTTP1_HEADERS)
        .max_buf_size(HTTP1_BUFFER_BYTES)
        .header_read_timeout(HEADER_READ_TIMEOUT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(MAX_HTTP2_HEAD_BYTES)
        .max_local_error_reset_streams(MAX_LOCAL_RESETS)
        .keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT);
    builder
}

/// Serves one accepted connection to its end.
pub(crate) async fn connection<H: Handler>(
    shared: Arc<Shared<H>>,
    mut socket: TcpStream,
    peer: SocketAddr,
    preamble: Preamble,
) {
    // Without it a small answer waits up to 44 ms for the client's delayed acknowledgement.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%peer, %error, "TCP_NODELAY refused");
    }
    let relayed = match preamble {
        Preamble::None => None,
        Preamble::ProxyProtocol => match relayed(&shared, &mut socket, peer).await {
            Some(relayed) => Some(relayed),
            None => return,
        },
    };
    // Of a socket that is closed already there is none.
    let local = socket.local_addr().ok();
    let info = |encryption, client_certificate| ConnectionInfo {
        peer: Some(peer),
        local,
        encryption,
        client_certificate,
        relayed,
    };
    let Some(tls) = &shared.tls else {
        return requests(
            &shared,
            socket,
            info(Encryption::Plaintext, ClientCertificate::None),
        )
        .await;
    };
    let handshake = timeout(
        shared.limits.handshake_timeout,
        tls.acceptor().accept(socket),
    );
    let handshake = tokio::select! {
        result = handshake => result,
        () = shared.stop.cancelled() => return,
    };
    match handshake {
        Ok(Ok(stream)) => {
            // The handshake fails on a certificate that the verifier refuses: one that is here is verified.
            let certificate = match stream.get_ref().1.peer_certificates() {
                Some(_) => ClientCertificate::Verified,
                None => ClientCertificate::None,
            };
            requests(&shared, stream, info(Encryption::Tls, certificate)).await;
        }
        Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
        Err(_elapsed) => tracing::debug!(%peer, "TLS handshake took too long"),
    }
}

/// What the PROXY protocol header of a new connection says; none: the connection is to be closed.
async fn relayed<H: Handler>(
    shared: &Shared<H>,
    socket: &mut TcpStream,
    peer: SocketAddr,
) -> Option<Relayed> {
    if !shared.handler.forwarding().trusts(peer.ip()) {
        tracing::info!(%peer, "closed: PROXY protocol from a peer that is no trusted proxy");
        return None;
    }
    let header = timeout(shared.limits.handshake_timeout, read_proxy_header(socket));
    let header = tokio::select! {
        result = header => result,
        () = shared.stop.cancelled() => return None,
    };
    match header {
        Ok(Ok(relayed)) => Some(relayed),
        // A look whether the port is open, as load balancers take it again and again.
        Ok(Err(ReadProxyHeaderError::Ended(error))) => {
            tracing::debug!(%peer, %error, "ended before its PROXY protocol header");
            None
        }
        Ok(Err(ReadProxyHeaderError::Header(error))) => {
            tracing::info!(%peer, %error, "closed: no PROXY protocol header");
            None
        }
        Err(_elapsed) => {
            tracing::info!(%peer, "closed: the PROXY protocol header took too long");
            None
        }
    }
}

/// Serves the requests of one connection, until either side closes it, the server stops or no request ever comes.
async fn requests<H, I>(shared: &Arc<Shared<H>>, io: I, info: ConnectionInfo)
where
    H: Handler,
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let arrived = CancellationToken::new();
    let service = {
        let (shared, arrived) = (Arc::clone(shared), arrived.clone());
        service_fn(move |request: Request<Incoming>| {
            arrived.cancel();
            let shared = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(shared.handler.handle(request, info).await) }
        })
    };
    let mut connection = pin!(shared.http.serve_connection(TokioIo::new(io), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = no_request(&arrived, shared.limits.first_request_timeout) => {
            tracing::debug!(peer = ?info.peer, "closed: no request came");
            return;
        }
        () = shared.stop.cancelled() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = shared.abandon.cancelled() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = ?info.peer, %error, "connection ended");
    }
}

/// Ends after `limit` unless a request has arrived by then; otherwise never.
async fn no_request(arrived: &CancellationToken, limit: Duration) {
    if timeout(limit, arrived.cancelled()).await.is_ok() {
        pending().await
    }
}
