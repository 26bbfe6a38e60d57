use std::convert::Infallible;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, ready};

use http::{Request, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::budget::{Network, WaitsFor};
use crate::connection_state::ConnectionState;
use crate::end_reason::EndReason;
use crate::forwarding::Forwarding;
use crate::gather::Gather;
use crate::limits::{
    CONNECTION_WINDOW_BYTES, HTTP1_BUFFER_BYTES, KEEP_ALIVE_INTERVAL, KEEP_ALIVE_TIMEOUT,
    MAX_CONCURRENT_STREAMS, MAX_HTTP1_HEADERS, MAX_HTTP2_HEAD_BYTES, MAX_LOCAL_RESETS,
    STREAM_WINDOW_BYTES,
};
use crate::proxy_protocol::{ReadProxyHeaderError, read_proxy_header};
use crate::refusal_pace::RefusalPace;
use crate::registry::Registry;
use crate::request_state::RunningRequest;
use crate::socket::Socket;
use crate::streams::StreamTasks;
use crate::{
    ClientCertificate, ConnectionInfo, ConnectionLimits, Encryption, ListenerRole, Preamble,
    Relayed, RequestHandler, Tls,
};

/// What all connections of a server share.
pub(crate) struct ServerState<H> {
    pub(crate) handler: H,
    pub(crate) tls: Option<Tls>,
    pub(crate) limits: ConnectionLimits,
    pub(crate) http: auto::Builder<StreamTasks>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) refusals: RefusalPace,
    /// Cancelled when nothing new is to be accepted.
    pub(crate) stop: CancellationToken,
}

/// The HTTP settings of all connections.
pub(crate) fn http() -> auto::Builder<StreamTasks> {
    let mut builder = auto::Builder::new(StreamTasks);
    builder
        .http1()
        // Heads and idle connections are timed by the sweeper, without a timer for each request.
        .header_read_timeout(None)
        .keep_alive(true)
        // A client may shut down its sending half after the request and still wait for the answer.
        .half_close(true)
        // Moves hyper's header index to the heap: two allocations per request. By default hyper refuses the 101st header.
        .max_headers(MAX_HTTP1_HEADERS)
        .max_buf_size(HTTP1_BUFFER_BYTES);
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
pub(crate) async fn connection<H: RequestHandler>(
    shared: Arc<ServerState<H>>,
    mut socket: TcpStream,
    peer: SocketAddr,
    (preamble, role): (Preamble, ListenerRole),
) {
    // Without it a small answer waits up to 44 ms for the client's delayed acknowledgement.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%peer, %error, "TCP_NODELAY refused");
    }
    let registered = shared.registry.add();
    let state = registered.state();
    let forwarding = shared.handler.forwarding();
    state.note_opened();
    state.enter(network(forwarding, Some(peer.ip())));
    let relayed = match preamble {
        Preamble::None => None,
        Preamble::ProxyProtocol => match relayed(&shared, state, &mut socket, peer).await {
            Some(relayed) => Some(relayed),
            None => return,
        },
    };
    if let Some(Relayed::From(client)) = relayed {
        state.enter(network(forwarding, Some(client)));
    }
    // `None` if the socket is already closed.
    let local = socket.local_addr().ok();
    let info = |encryption, client_certificate| ConnectionInfo {
        peer: Some(peer),
        local,
        encryption,
        client_certificate,
        relayed,
        role,
    };
    let Some(tls) = &shared.tls else {
        return requests(
            &shared,
            state,
            socket,
            info(Encryption::Plaintext, ClientCertificate::None),
        )
        .await;
    };
    let handshake = timeout(
        shared.limits.handshake_timeout,
        tls.acceptor().accept(socket),
    );
    match state.unless_ended(handshake).await {
        Some(Ok(Ok(stream))) => {
            // The handshake fails if the verifier refuses a certificate, so this one is verified.
            let certificate = match stream.get_ref().1.peer_certificates() {
                Some(_) => ClientCertificate::Verified,
                None => ClientCertificate::None,
            };
            requests(&shared, state, stream, info(Encryption::Tls, certificate)).await;
        }
        Some(Ok(Err(error))) => tracing::debug!(%peer, %error, "TLS handshake failed"),
        Some(Err(_elapsed)) => {
            state.end(EndReason::Handshake);
            tracing::debug!(%peer, "TLS handshake took too long");
        }
        None => tracing::debug!(%peer, reason = ?state.ended(), "ended in the TLS handshake"),
    }
}

/// The network whose share of the unauthenticated budget a connection counts against. `None` for a trusted proxy:
/// its connections carry many clients, which are unknown before the first head.
fn network(forwarding: &Forwarding, address: Option<IpAddr>) -> Option<Network> {
    address
        .filter(|address| !forwarding.trusts(*address))
        .map(Network::of)
}

/// Reads the PROXY protocol header of a new connection; `None`: close the connection.
async fn relayed<H: RequestHandler>(
    shared: &ServerState<H>,
    state: &ConnectionState,
    socket: &mut TcpStream,
    peer: SocketAddr,
) -> Option<Relayed> {
    if !shared.handler.forwarding().trusts(peer.ip()) {
        tracing::info!(%peer, "closed: the peer is not a trusted proxy");
        return None;
    }
    let header = timeout(shared.limits.handshake_timeout, read_proxy_header(socket));
    match state.unless_ended(header).await? {
        Ok(Ok(relayed)) => Some(relayed),
        // A TCP health check of a load balancer.
        Ok(Err(ReadProxyHeaderError::Ended(error))) => {
            tracing::debug!(%peer, %error, "ended before its PROXY protocol header");
            None
        }
        Ok(Err(ReadProxyHeaderError::Header(error))) => {
            tracing::info!(%peer, %error, "closed: no PROXY protocol header");
            None
        }
        Err(_elapsed) => {
            state.end(EndReason::Handshake);
            tracing::info!(%peer, "closed: the PROXY protocol header took too long");
            None
        }
    }
}

/// Serves the requests of one connection, until either side closes it or a limit is exceeded.
async fn requests<H, I>(
    shared: &Arc<ServerState<H>>,
    state: &Arc<ConnectionState>,
    io: I,
    info: ConnectionInfo,
) where
    H: RequestHandler,
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    state.set_past_handshake();
    let service = {
        let (shared, state) = (Arc::clone(shared), Arc::clone(state));
        service_fn(move |request: Request<Incoming>| {
            let running = RunningRequest::begin(&state);
            if request.version() == Version::HTTP_2 {
                StreamTasks::next_is(running.state());
            }
            let mut request = request.map(|body| running.body(body));
            request.extensions_mut().insert(running.signal());
            let shared = Arc::clone(&shared);
            async move {
                let response = shared.handler.handle(request, info).await;
                if let Some(delay) = running.delay(&response, &shared.refusals) {
                    // A timer is larger than what all requests carry along.
                    Box::pin(running.hold_back(delay, &shared.stop)).await;
                }
                Ok::<_, Infallible>(response.map(|body| running.answered(body)))
            }
        })
    };
    let gather = Gather::new(Socket::new(io, Arc::clone(state)), Arc::clone(state));
    let io = TokioIo::new(gather.clone());
    let mut connection = pin!(shared.http.serve_connection(io, service));
    let mut is_closing = false;
    let mut turn = None;
    let served = poll_fn(|context| {
        state.waker().register(context.waker());
        let ended = state.ended();
        if (ended.is_some() || state.is_closing()) && !is_closing {
            is_closing = true;
            connection.as_mut().graceful_shutdown();
        }
        let is_ending = ended.is_some() || is_closing;
        // Whoever has a turn, or waits for one, must not wait for those who are judged: they wait for turns too.
        if !is_ending
            && turn.is_none()
            // A new connection may speak HTTP/2, and have many requests in its first bytes.
            && (state.is_http2() || state.requests() == 0)
            && !state.is_proved()
            && !state.unauthenticated().may_read(state)
        {
            return Poll::Pending;
        }
        if is_ending {
            turn = None;
        } else if turn.is_none() && state.waits_for_turn() {
            turn = Some(state.turns().enter(state.caller()));
            // There may be something to read.
            state.wait_for(WaitsFor::Server);
        }
        if let Some(turn) = &turn {
            ready!(turn.poll(context));
        }
        state.begin_turn();
        let polled = connection.as_mut().poll(context);
        turn = None;
        let written = gather.poll_write_out(context);
        match (polled, ended, written) {
            (Poll::Ready(done), _, _) => Poll::Ready(done.map_err(|error| error.to_string())),
            // This poll has sent GOAWAY.
            (Poll::Pending, Some(reason), _) => Poll::Ready(Err(reason.label().to_owned())),
            (Poll::Pending, None, Poll::Ready(Err(error))) => Poll::Ready(Err(error.to_string())),
            (Poll::Pending, None, Poll::Ready(Ok(())) | Poll::Pending) => Poll::Pending,
        }
    });
    if let Err(reason) = served.await {
        tracing::debug!(peer = ?info.peer, reason, "connection ended");
    }
}
