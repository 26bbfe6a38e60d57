//! The program: parses, builds, serves, drains. It is part of the library, where its futures are compiled once; in the
//! binary the compiler would generate the code of all of them a second time.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use crate::cli::{
    CheckError, Cli, CliError, ClientCommand, Command, FsckArgs, Terminal,
    unknown_process_variables,
};
use crate::clock::Clock;
use crate::config::{
    Config, ConfigError, ConsoleAddress, KeyPair, PublicUrl, ServeArgs, ServerConfig,
    process_environment, process_variable,
};
use crate::node::{self, KeyringReloader, Node, NodeError, ServerUrls};
use crate::server::{
    self, ConnectionLimits, ListenError, Listener, ListenerRole, Preamble, Tls, TlsError,
};
use crate::telemetry::logs::{self, LogError};
use crate::telemetry::metrics::{self, MetricsError};
use bucketry_edge::descriptors::{self, TooFewDescriptors};
use bucketry_edge::health::Health;
use bucketry_edge::side_door::answer_apart;
use bucketry_edge::task;
use bucketry_edge::{StopSignals, TlsFiles};
use clap::Parser;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

/// Files that a running request may need: the blob that it reads and the one that it writes.
const DESCRIPTORS_PER_REQUEST: u64 = 2;

/// Files besides client connections and blobs: catalog, connections to a cloud store, listeners, metrics.
const OTHER_DESCRIPTORS: u64 = 256;

/// Task polls between two polls of the I/O driver. With Tokio's default of 61, a caller with many ready requests delays
/// those of others by milliseconds.
const EVENT_INTERVAL: u32 = 7;

/// Why the process failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("TLS: {0}")]
    Tls(#[from] TlsError),
    #[error(
        "browsers refuse the console's requests to {0}, since the console itself is served over HTTPS: set --public-url to \
         an https URL, or --console-listen to none"
    )]
    MixedContent(PublicUrl),
    #[error(transparent)]
    Node(#[from] NodeError),
    #[error(transparent)]
    Client(#[from] CliError),
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error(transparent)]
    Descriptors(#[from] TooFewDescriptors),
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(args) => serve(*args),
        Command::Fsck(args) => fsck(*args),
        Command::Version => version(),
        Command::Client(command) => client(command),
    };
    done.unwrap_or_else(|failure| {
        if failure.is_broken_pipe() {
            return failure.exit_code();
        }
        // There is no way to report a failure.
        let _ = writeln!(io::stderr(), "bucketry: {failure}");
        failure.exit_code()
    })
}

impl Failure {
    /// Whether the reader closed the pipe, as in `bucketry token list | head -1`, which is not an error.
    fn is_broken_pipe(&self) -> bool {
        let written = match self {
            Self::Client(CliError::Write(error)) | Self::Check(CheckError::Write(error)) => error,
            _ => return false,
        };
        written.kind() == io::ErrorKind::BrokenPipe
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            // 1 says that the data is not in order.
            Self::Check(_) => ExitCode::from(2),
            Self::Client(_) if self.is_broken_pipe() => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        }
    }
}

fn fsck(args: FsckArgs) -> Result<ExitCode, Failure> {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let mut terminal = Terminal {
        out: &mut out,
        err: &mut err,
    };
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .event_interval(EVENT_INTERVAL)
        .build()?;
    let check = args.run(process_environment(), &Clock::System, &mut terminal);
    let report = runtime.block_on(check);
    // Does not wait for threads that hang on the disk.
    runtime.shutdown_background();
    let report = report?;
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn version() -> Result<ExitCode, Failure> {
    writeln!(io::stdout(), "bucketry {}", env!("CARGO_PKG_VERSION"))?;
    Ok(ExitCode::SUCCESS)
}

fn client(command: ClientCommand) -> Result<ExitCode, Failure> {
    let credentials = KeyPair::client(process_variable)?;
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let mut terminal = Terminal {
        out: &mut out,
        err: &mut err,
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(command.run(credentials, Clock::System.now().into(), &mut terminal))?;
    Ok(ExitCode::SUCCESS)
}

fn serve(args: ServeArgs) -> Result<ExitCode, Failure> {
    let config = Config::resolve(args, process_variable)?;
    let line_limit = logs::install(config.log.filter.as_str(), config.log.format)?;
    for unknown in unknown_process_variables() {
        tracing::warn!("{unknown}");
    }
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    {
        let _entered = runtime.enter();
        task::spawn("report_line_limit", line_limit.keep_reporting());
    }
    let done = runtime.block_on(serve_until_stopped(&config));
    // What still blocks a thread now has had its time.
    runtime.shutdown_background();
    done
}

/// The limits of connections, lowered if the limit of open files requires it.
fn limits(config: &Config) -> Result<ConnectionLimits, TooFewDescriptors> {
    let requests = u64::try_from(config.fair.limits.requests).unwrap_or(u64::MAX);
    let reserve = DESCRIPTORS_PER_REQUEST
        .saturating_mul(requests)
        .saturating_add(OTHER_DESCRIPTORS);
    let given = config.server.given_max_connections;
    Ok(ConnectionLimits {
        max_connections: descriptors::fit_connections(given, reserve)?,
        ..config.server.limits
    })
}

async fn serve_until_stopped(config: &Config) -> Result<ExitCode, Failure> {
    let limits = limits(config)?;
    let mut signals = server::stop_signals()?;
    let hangups = signal(SignalKind::hangup())?;
    let mut listeners = listeners(&config.server)?;
    let tls = config.server.tls.as_ref().map(TlsFiles::load).transpose()?;
    let console = console_listener(config)?;
    let health = Health::new(&node::PROBED_PARTS);
    task::spawn("beat", health.clone().beat());
    if let Some(address) = config.server.metrics_listen {
        show_metrics(address, &health)?;
    }
    let Some(first) = listeners
        .first()
        .map(|listener| listener.socket.local_addr())
        .transpose()?
    else {
        return Err(ConfigError::NoListener.into());
    };
    let public_url = config.server.public_url(first);
    if let Some(warning) = config.server.public_url_warning(first) {
        tracing::warn!("{warning}");
    }
    let console_address = (console.as_ref())
        .map(|listener| listener.socket.local_addr())
        .transpose()?;
    listeners.extend(console);
    let web_origins = config.server.web_origins(console_address);
    let urls = ServerUrls {
        public_url: &public_url,
        web_origins: &web_origins,
    };
    // The start may wait for the database, and must still react to signals.
    let node = tokio::select! {
        node = node::open(config, urls, health) => node?,
        () = signals.next() => {
            tracing::info!("stopped during the start");
            return Ok(ExitCode::SUCCESS);
        }
    };
    let certificate = tls.clone().zip(config.server.tls.clone());
    task::spawn(
        "reload_on_sighup",
        reload_on_hangup(hangups, node.upkeep.keyring(), certificate),
    );
    announce(
        &public_url,
        node.first_start.as_ref(),
        console_address.map(|address| PublicUrl::of_listener(address, config.server.scheme())),
        &format!("{}://{first}", config.server.scheme()),
    )?;

    let served = serve_until_signalled(node, listeners, tls, limits, config, signals);
    served.await
}

/// Serves until the first signal, then drains; a second one ends that too.
async fn serve_until_signalled(
    node: Node,
    listeners: Vec<Listener>,
    tls: Option<Tls>,
    limits: ConnectionLimits,
    config: &Config,
    mut signals: StopSignals,
) -> Result<ExitCode, Failure> {
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let serving = server::serve(listeners, tls, node.router, limits, async {
        // An error means that the sender is gone, and with it this function.
        let _ = stopped.await;
    });
    let second_signal = async {
        signals.next().await;
        tracing::info!("stopping");
        node.readiness.drain().await;
        tokio::select! {
            () = sleep(config.server.drain_delay) => {}
            () = signals.next() => return,
        }
        let _ = stop.send(());
        signals.next().await;
    };
    tokio::select! {
        drained = serving => {
            node.upkeep.close().await;
            Ok(drained.report())
        }
        () = second_signal => {
            tracing::warn!("stopped at once by a second signal");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Serves metrics and health on a thread of their own.
fn show_metrics(address: SocketAddr, health: &Health) -> Result<(), Failure> {
    let listener = server::listen(address)?;
    let handle = metrics::install()?;
    task::spawn("keep_metrics", metrics::keep(handle.clone()));
    let health = health.clone();
    let address = answer_apart(listener, move |request| {
        metrics::answer(request, &handle, &health)
    })?;
    tracing::info!(%address, "metrics");
    Ok(())
}

/// Reloads the keyring and the TLS certificate on SIGHUP.
async fn reload_on_hangup(
    mut hangups: Signal,
    keyring: KeyringReloader,
    certificate: Option<(Tls, TlsFiles)>,
) {
    while hangups.recv().await.is_some() {
        let keyring = keyring.clone();
        // Apart: a keyring that cannot be read must not keep the certificate from being replaced.
        task::spawn(
            "reload_keyring",
            async move { keyring.reload("SIGHUP").await },
        );
        if let Some((tls, files)) = &certificate {
            files.reload(tls).await;
        }
    }
}

/// Listens for the console. If it is not configured, and its default address is in use or its pages could not reach the
/// objects, the server logs a warning and has no console.
fn console_listener(config: &Config) -> Result<Option<Listener>, Failure> {
    let server = &config.server;
    let (address, is_given) = match server.console {
        None => return Ok(None),
        Some(ConsoleAddress::Default(address)) => (address, false),
        Some(ConsoleAddress::Given(address)) => (address, true),
    };
    let opened = match server.mixed_content() {
        Some(data) => Err(Failure::MixedContent(data.clone())),
        None => server::listen(address).map_err(Failure::from),
    };
    match opened {
        Ok(socket) => Ok(Some(Listener {
            socket,
            preamble: Preamble::None,
            role: ListenerRole::Console,
        })),
        Err(failure) if is_given => Err(failure),
        Err(failure) => {
            tracing::warn!("console disabled: {failure}; see --console-listen");
            Ok(None)
        }
    }
}

/// Listens on all addresses; the first is one without the PROXY protocol.
fn listeners(config: &ServerConfig) -> Result<Vec<Listener>, Failure> {
    let direct = config
        .listen
        .iter()
        .map(|&address| (address, Preamble::None));
    let proxied = (config.proxy_listen.iter()).map(|&address| (address, Preamble::ProxyProtocol));
    let listeners = server::listen_all(direct.chain(proxied))?;
    for listener in &listeners {
        if listener.preamble == Preamble::ProxyProtocol {
            tracing::info!(address = %listener.socket.local_addr()?, "PROXY protocol");
        }
    }
    Ok(listeners)
}

/// Says on standard output where the server is, and on the first start how to sign in.
fn announce(
    public_url: &PublicUrl,
    first_start: Option<&KeyPair>,
    console: Option<PublicUrl>,
    ready: &str,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if let Some(key) = first_start {
        writeln!(out, "# The operator's key, shown only now:")?;
        writeln!(out, "export BUCKETRY_ENDPOINT={public_url}")?;
        writeln!(out, "export BUCKETRY_ACCESS_KEY_ID={}", key.access_key_id)?;
        writeln!(
            out,
            "export BUCKETRY_SECRET_ACCESS_KEY={}",
            key.secret_access_key.expose()
        )?;
    }
    if let Some(url) = console {
        writeln!(out, "# The console: {url}")?;
    }
    writeln!(out, "ready {ready}")?;
    out.flush()
}
