//! The S3 edge as a process of its own: it takes S3 requests and calls the service over the network, so that the edge can
//! be scaled apart. It parses, builds, serves, drains. It is part of the library, where its futures are compiled once; in
//! the binary the compiler would generate the code of all of them a second time.

mod adapter_front;
mod health;
mod service_tls;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bucketry_edge::descriptors::{self, TooFewDescriptors};
use bucketry_edge::duration::parse_duration;
use bucketry_edge::environment::{process_variable, process_variable_names, unknown_variables};
use bucketry_edge::forwarding::{ForwardedHeader, Forwarding, ForwardingError, TrustedProxy};
use bucketry_edge::health::Health;
use bucketry_edge::side_door::{about_health, answer_apart};
use bucketry_edge::task;
use bucketry_edge::{
    LimitSettings, LineLimit, ListenError, Listener, ListenerRole, MinRate, Preamble, Tls,
    TlsError, TlsFiles, WebOrigin, ZeroLimit, listen, stop_signals,
};
use bucketry_sign_in::{Purpose, Sessions, SignIn, SignInCredentials, normalized_endpoint};
use clap::{CommandFactory, Parser};
use http::Uri;
use tokio::signal::unix::{SignalKind, signal};
use tonic::transport::{Channel, Endpoint};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use zeroize::Zeroizing;

use self::adapter_front::AdapterFront;
use self::service_tls::{ServiceTls, ServiceTlsError};
use crate::channels::Channels;
use crate::remote::{RemoteAuthority, RemoteObjects};
use crate::target::BaseDomains;
use crate::{AdapterSettings, RequestLimits, S3Adapter};

/// Files that are kept free for the connections to the service and everything else.
const RESERVED_DESCRIPTORS: u64 = 64;

/// The edge key with which the adapter signs in to the service.
const ACCESS_KEY_ID: &str = "BUCKETRY_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "BUCKETRY_SECRET_ACCESS_KEY";

/// S3 REST in front of a bucketry service.
///
/// Signs in with the edge key in BUCKETRY_ACCESS_KEY_ID and BUCKETRY_SECRET_ACCESS_KEY, which `bucketry key create --edge
/// NAME` makes. The secret itself is never sent.
#[derive(Debug, Parser)]
#[command(name = "bucketry-s3-adapter", version)]
struct Args {
    /// The service, as in https://bucketry.internal:9000. The service must accept this URL (--public-url,
    /// --endpoint-alias, or the address at which the connection arrives). Over http:// it accepts sessions only from its
    /// own machine, unless it runs with --plaintext-credentials anywhere.
    #[arg(long, env = "BUCKETRY_SERVICE")]
    service: Uri,
    /// The files of TLS to the service.
    #[command(flatten)]
    tls: ServiceTls,
    /// The address and port for S3 requests.
    #[arg(long, env = "BUCKETRY_LISTEN", default_value = "127.0.0.1:9010")]
    listen: SocketAddr,
    /// A proxy, by address or CIDR block, that may name the client's address; repeatable.
    #[arg(
        long = "trusted-proxy",
        env = "BUCKETRY_TRUSTED_PROXY",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    trusted_proxies: Vec<TrustedProxy>,
    /// The one header that is read from trusted proxies: x-forwarded-for (the default), forwarded (RFC 7239), or the
    /// name of a header that holds one address, as in cf-connecting-ip.
    #[arg(long, env = "BUCKETRY_FORWARDED_HEADER", value_name = "HEADER")]
    forwarded_header: Option<ForwardedHeader>,
    /// The origin of a web console, as in https://console.example.com:9001: its pages may send presigned requests and
    /// read the answers, in addition to those that the CORS rules of a bucket allow; repeatable.
    #[arg(
        long = "grpc-web-origin",
        env = "BUCKETRY_GRPC_WEB_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    grpc_web_origins: Vec<WebOrigin>,
    /// A base domain of virtual-host requests; repeatable.
    #[arg(
        long = "domain",
        env = "BUCKETRY_DOMAIN",
        value_delimiter = ',',
        default_value = "localhost"
    )]
    domains: Vec<String>,
    /// The region that S3 clients see.
    #[arg(long, env = "BUCKETRY_REGION", default_value = "us-east-1")]
    region: String,
    /// The URL that clients use; by default http://localhost, with TLS https://localhost, and the port.
    #[arg(long, env = "BUCKETRY_PUBLIC_URL")]
    public_url: Option<Uri>,
    /// The most requests at once; further ones get `SlowDown`.
    #[arg(long, env = "BUCKETRY_MAX_REQUESTS", default_value_t = RequestLimits::default().max_requests)]
    max_requests: usize,
    /// The most decisions that are requested from the service at once, 1 to 20; requests beyond that wait their turn.
    /// Not more than 20: a service ends a connection, with all calls on it, when more than 20 calls are given up on it
    /// at once before the service has taken them up.
    #[arg(
        long,
        env = "BUCKETRY_MAX_DECISIONS",
        default_value_t = 16,
        value_parser = clap::value_parser!(u8).range(1..=20)
    )]
    max_decisions: u8,
    /// A PEM file with the certificate chain; turns TLS on. Certificate and key are read again on SIGHUP.
    #[arg(
        long,
        env = "BUCKETRY_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,
    /// A PEM file with the certificate's private key.
    #[arg(
        long,
        env = "BUCKETRY_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,
    /// The address of health: /livez, and /readyz, which follows the service and the sign-in; none by default.
    #[arg(long, env = "BUCKETRY_HEALTH_LISTEN", value_name = "ADDRESS")]
    health_listen: Option<SocketAddr>,
    /// How long the adapter goes on serving after SIGTERM while it reports not ready, as in 5s.
    #[arg(
        long,
        env = "BUCKETRY_DRAIN_DELAY",
        value_name = "DURATION",
        default_value = "0s",
        value_parser = parse_duration
    )]
    drain_delay: Duration,
    #[command(flatten)]
    edge: LimitSettings,
}

/// Why the process failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0} is not set")]
    MissingVariable(&'static str),
    #[error("--service {0}: not the URL of an endpoint, as in https://bucketry.internal:9000")]
    ServiceUrl(Uri),
    #[error(transparent)]
    ServiceTls(#[from] ServiceTlsError),
    #[error(transparent)]
    Forwarding(#[from] ForwardingError),
    #[error("--service: {0}")]
    Service(#[from] tonic::transport::Error),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("TLS: {0}")]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Limit(#[from] ZeroLimit),
    #[error(transparent)]
    Descriptors(#[from] TooFewDescriptors),
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Runs the adapter until it is stopped.
pub fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(code) => code,
        Err(failure) => {
            // If this fails there is nowhere left to report it.
            let _ = writeln!(io::stderr(), "bucketry-s3-adapter: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<ExitCode, Failure> {
    let line_limit = LineLimit::default();
    let lines = tracing_subscriber::fmt().with_writer(io::stderr).finish();
    lines.with(line_limit.clone()).init();
    warn_of_unknown_variables();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    {
        let _entered = runtime.enter();
        task::spawn("report_line_limit", line_limit.keep_reporting());
    }
    let served = runtime.block_on(serve(args));
    runtime.shutdown_background();
    served
}

/// Unknown `BUCKETRY_*` variables are ignored, and most often misspelled.
fn warn_of_unknown_variables() {
    let command = Args::command();
    let flags = (command.get_arguments()).filter_map(|argument| argument.get_env()?.to_str());
    let known: Vec<String> = flags
        .chain([ACCESS_KEY_ID, SECRET_ACCESS_KEY])
        .map(str::to_owned)
        .collect();
    for unknown in unknown_variables(process_variable_names(), &known) {
        tracing::warn!("{unknown}");
    }
}

async fn serve(args: Args) -> Result<ExitCode, Failure> {
    let forwarding = Forwarding::new(&args.trusted_proxies, args.forwarded_header.clone())?;
    let endpoint = endpoint(&args)?;
    // Sign-in and health do not wait for the calls of clients.
    let own_channel = endpoint.connect_lazy();
    let channels = Channels::new(&endpoint, args.max_requests);
    let sessions = Sessions::start(SignIn {
        channel: own_channel.clone(),
        credentials: SignInCredentials::new(
            &variable(ACCESS_KEY_ID)?,
            &variable(SECRET_ACCESS_KEY)?,
        ),
        endpoint: normalized_endpoint(&args.service.to_string())
            .ok_or_else(|| Failure::ServiceUrl(args.service.clone()))?,
        purpose: Purpose::Adapter,
    });
    let limits = bucketry_edge::ConnectionLimits {
        max_connections: descriptors::fit_connections(
            args.edge.max_connections,
            RESERVED_DESCRIPTORS + channels.connections() as u64,
        )?,
        ..args.edge.resolve()?
    };
    let tls = certificate(&args)?;
    let listener = Listener {
        socket: listen(args.listen)?,
        preamble: Preamble::None,
        role: ListenerRole::Data,
    };
    let listening = listener.socket.local_addr()?;
    let settings = settings(&args, listening, limits.min_rate);
    let adapter = S3Adapter::new(
        Arc::new(RemoteObjects::new(channels.clone())),
        Arc::new(RemoteAuthority::new(
            channels,
            sessions.clone(),
            args.max_decisions.into(),
        )),
        settings,
    );
    let scheme = scheme(&args);
    let mut signals = stop_signals()?;
    let health = watch_health(args.health_listen, own_channel, sessions)?;
    tracing::info!(listen = %listening, service = %args.service, "serving S3");
    // The output may be closed: serving does not depend on it.
    let _ = writeln!(io::stdout(), "ready {scheme}://{listening}");
    let front = AdapterFront {
        adapter,
        forwarding,
        health: health.clone(),
    };
    let signal = async move { signals.next().await };
    let stop = health.drained(signal, args.drain_delay);
    let drained = bucketry_edge::serve(vec![listener], tls, front, limits, stop).await;
    Ok(drained.report())
}

/// The certificate, which is reloaded on SIGHUP. Without one SIGHUP has no effect.
fn certificate(args: &Args) -> Result<Option<Tls>, Failure> {
    let mut hangups = signal(SignalKind::hangup())?;
    let files = args.tls_cert.clone().zip(args.tls_key.clone());
    let files = files.map(|(certificate, key)| TlsFiles {
        certificate,
        key,
        client_authorities: None,
    });
    let tls = files.as_ref().map(TlsFiles::load).transpose()?;
    let certificate = files.zip(tls.clone());
    task::spawn("reload_on_sighup", async move {
        while hangups.recv().await.is_some() {
            if let Some((files, tls)) = &certificate {
                files.reload(tls).await;
            }
        }
    });
    Ok(tls)
}

/// Follows the service's health and the adapter's session, and answers about them on a thread of its own.
fn watch_health(
    address: Option<SocketAddr>,
    channel: Channel,
    sessions: Sessions,
) -> Result<Health, Failure> {
    let health = Health::new(&health::PARTS);
    if let Some(address) = address {
        task::spawn("beat", health.clone().beat());
        let service = health::follow_service(channel, health.clone());
        task::spawn("follow_service", service);
        let sign_in = health::follow_sign_in(sessions, health.clone());
        task::spawn("follow_sign_in", sign_in);
        let answered = health.clone();
        let answer = move |request: &_| about_health(request, &answered);
        let address = answer_apart(listen(address)?, answer)?;
        tracing::info!(%address, "health");
    }
    Ok(health)
}

/// How clients reach the adapter itself.
fn scheme(args: &Args) -> &'static str {
    if args.tls_cert.is_some() {
        "https"
    } else {
        "http"
    }
}

/// The service, and how it is connected to.
fn endpoint(args: &Args) -> Result<Endpoint, Failure> {
    let mut endpoint = Endpoint::from(args.service.clone());
    if let Some(tls) = args.tls.client_config(&args.service)? {
        endpoint = endpoint.tls_config(tls)?;
    }
    Ok(endpoint
        .tcp_nodelay(true)
        .connect_timeout(Duration::from_secs(10))
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_while_idle(true))
}

fn variable(name: &'static str) -> Result<Zeroizing<String>, Failure> {
    let value = process_variable(name).and_then(|value| value.into_string().ok());
    value
        .map(Zeroizing::new)
        .ok_or(Failure::MissingVariable(name))
}

fn settings(args: &Args, listening: SocketAddr, rate: MinRate) -> AdapterSettings {
    let public_url = match &args.public_url {
        Some(url) => url.to_string().trim_end_matches('/').to_owned(),
        None => format!("{}://localhost:{}", scheme(args), listening.port()),
    };
    let public_host = args.public_url.as_ref().and_then(Uri::authority);
    AdapterSettings {
        domains: BaseDomains::new(&args.domains),
        region: args.region.clone(),
        public_url,
        public_hosts: public_host.map(ToString::to_string).into_iter().collect(),
        console_origins: args.grpc_web_origins.clone(),
        limits: RequestLimits {
            max_requests: args.max_requests,
            body_idle: rate.body_idle(),
            ..RequestLimits::default()
        },
    }
}
