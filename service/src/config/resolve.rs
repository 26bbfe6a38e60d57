use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bucketry_edge::forwarding::Forwarding;
use bucketry_edge::{ConnectionLimits, LimitSettings, TlsFiles, WebOrigin};

use super::file::FileSettings;
use super::key_pair::{KEYRING, text};
use super::{
    ConfigError, ConsoleListen, DatabaseSettings, Domain, FairConfig, KeyPair, LogFilter,
    LogFormat, LogSettings, PlaceSettings, PlaintextCredentials, PublicUrl, Region, Secret,
    ServeArgs, ServerSettings, SignatureV2, StorageSettings, UpkeepSettings,
};
use crate::blobs::StoreUrl;
use crate::catalog::{DatabaseUrl, UnsafeDatabase};

const DATA_DIR: &str = "./bucketry-data";
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9000);
const CONSOLE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9001);
const COLLECT_INTERVAL: Duration = Duration::from_secs(15);
const COLLECT_GRACE: Duration = Duration::from_secs(600);
const NODE_LEASE: Duration = Duration::from_secs(60);
const USAGE_INTERVAL: Duration = Duration::from_secs(15);
/// Each has a thread and a page cache of 8 MiB.
const SQLITE_CONNECTIONS: u32 = 8;
const POSTGRES_CONNECTIONS: u32 = 16;
const POSSIBLE_DATABASE_CONNECTIONS: std::ops::RangeInclusive<u32> = 2..=1000;
const KEY_CACHE: u64 = 128 * 1024 * 1024;
const OBJECT_CACHE: u64 = 28 * 1024 * 1024;
const DATABASE_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
const DATABASE_STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
const START_DEADLINE: Duration = Duration::from_secs(60);

/// The configuration of a server.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the data is.
    pub storage: StorageConfig,
    /// How the database is used.
    pub database: DatabaseConfig,
    /// How it is served.
    pub server: ServerConfig,
    /// What callers share.
    pub fair: FairConfig,
    /// Periodic work.
    pub upkeep: UpkeepConfig,
    /// What is logged.
    pub log: LogConfig,
    /// The operator's credentials, if they are given.
    pub root: Option<KeyPair>,
}

/// Where catalog, blobs and keys are.
#[derive(Debug, Clone)]
pub struct StorageConfig {
    /// The default location of everything else.
    pub data_dir: PathBuf,
    /// Catalog and blobs.
    pub places: DataPlaces,
    /// Bytes kept free on the disk of a local store; none: the store's own default.
    pub disk_reserve: Option<u64>,
    /// The keys that seal secrets.
    pub keyring: KeyringSource,
}

/// Where catalog and blobs are: all that is needed to look at them without opening a secret.
#[derive(Debug, Clone)]
pub struct DataPlaces {
    /// The catalog.
    pub database: DatabaseUrl,
    /// The blobs.
    pub store: StoreUrl,
    /// How long the store may take to answer; `None`: the store's default.
    pub store_timeout: Option<Duration>,
}

/// Where the keyring comes from.
#[derive(Debug, Clone)]
pub enum KeyringSource {
    /// A file that must exist.
    File(PathBuf),
    /// The text itself.
    Text(Secret),
    /// A file that the first start creates.
    MadeAt(PathBuf),
}

/// How the database is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseConfig {
    /// Connections; 2 to 1000.
    pub connections: u32,
    /// Bytes for access keys, their signing keys, buckets and bucket settings.
    pub key_cache: u64,
    /// Bytes for objects.
    pub object_cache: u64,
    /// How long a request waits for a free connection; more than 0.
    pub acquire_timeout: Duration,
    /// How long Postgres may work on one statement; more than 0.
    pub statement_timeout: Duration,
    /// How long a start waits for Postgres to accept connections.
    pub start_deadline: Duration,
    /// Whether a Postgres server with `fsync=off` is used.
    pub unsafe_database: UnsafeDatabase,
}

/// The address of the console, and whether it was configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsoleAddress {
    /// The default address; optional, since not configured.
    Default(SocketAddr),
    /// A configured address: the start fails without it.
    Given(SocketAddr),
}

impl ConsoleAddress {
    fn resolve(given: Option<ConsoleListen>) -> Option<Self> {
        match given {
            None => Some(Self::Default(CONSOLE)),
            Some(ConsoleListen::At(address)) => Some(Self::Given(address)),
            Some(ConsoleListen::Disabled) => None,
        }
    }
}

/// How the server is reached, and its limits.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The addresses to listen on; at least one.
    pub listen: Vec<SocketAddr>,
    /// The addresses to listen on where every connection must begin with a PROXY protocol header.
    pub proxy_listen: Vec<SocketAddr>,
    /// The proxies that may name the client's address, and the header in which they do.
    pub forwarding: Forwarding,
    /// The URL that clients use, if given; see [`ServerConfig::public_url`].
    pub given_public_url: Option<PublicUrl>,
    /// Further URLs by which clients reach this server.
    pub endpoint_aliases: Vec<PublicUrl>,
    /// The origins of web consoles.
    pub grpc_web_origins: Vec<WebOrigin>,
    /// The virtual-host domains, if given; see [`ServerConfig::domains`].
    pub given_domains: Option<Vec<Domain>>,
    /// The region.
    pub region: Region,
    /// Certificate and key; none: no TLS.
    pub tls: Option<TlsFiles>,
    /// From where gRPC credentials are accepted without TLS.
    pub plaintext_credentials: PlaintextCredentials,
    /// Whether presigned URLs of signature version 2 are accepted.
    pub signature_v2: SignatureV2,
    /// The address of the metrics; none: no metrics.
    pub metrics_listen: Option<SocketAddr>,
    /// The address of the console; none: no console.
    pub console: Option<ConsoleAddress>,
    /// Limits of connections and of unauthenticated callers.
    pub limits: ConnectionLimits,
    /// The most connections, if it was set.
    pub given_max_connections: Option<u32>,
    /// How long the server goes on serving after the signal to stop while it reports not ready.
    pub drain_delay: Duration,
}

/// Periodic work of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpkeepConfig {
    /// Interval between two rounds of the collector; more than 0.
    pub interval: Duration,
    /// How long a blob is kept after its last reference was removed; more than 0.
    pub grace: Duration,
    /// How long a node counts as alive after a heartbeat; longer than `interval`.
    pub lease: Duration,
    /// How often usage is written; more than 0.
    pub usage_interval: Duration,
}

/// What is logged, and how.
#[derive(Debug, Clone, Default)]
pub struct LogConfig {
    /// The form of a line.
    pub format: LogFormat,
    /// Which events.
    pub filter: LogFilter,
}

impl Config {
    /// Joins flags and variables (which the parser has joined already) with the file and the defaults, and reads the
    /// variables that have no flag: root credentials and keyring text.
    ///
    /// # Errors
    /// [`ConfigError`] for anything that cannot be used as given.
    pub fn resolve(
        args: ServeArgs,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ConfigError> {
        let file = FileSettings::read(args.config.as_deref())?;
        let keyring = text(&variable, KEYRING)?.map(Secret::new);
        let storage = StorageConfig::resolve(
            &args.places.or(file.places),
            args.storage.or(file.storage),
            keyring,
        )?;
        let database = args.database.or(file.database);
        Ok(Self {
            database: DatabaseConfig::resolve(&database, &storage.places.database)?,
            storage,
            server: ServerConfig::resolve(
                args.server.or(file.server),
                &args.limits.or(file.limits),
            )?,
            fair: FairConfig::resolve(args.fair.or(file.fair))?,
            upkeep: UpkeepConfig::resolve(args.upkeep.or(file.upkeep))?,
            log: LogConfig::resolve(args.log.or(file.log)),
            root: KeyPair::root(variable)?,
        })
    }
}

impl StorageConfig {
    fn resolve(
        places: &PlaceSettings,
        settings: StorageSettings,
        keyring_text: Option<Secret>,
    ) -> Result<Self, ConfigError> {
        let data_dir = data_dir(places);
        let places = DataPlaces::resolve(places)?;
        let keyring = match (settings.keyring_file, keyring_text, &places.database) {
            (Some(_), Some(_), _) => return Err(ConfigError::TwoKeyrings),
            (Some(path), None, _) => KeyringSource::File(path),
            (None, Some(text), _) => KeyringSource::Text(text),
            (None, None, DatabaseUrl::Sqlite(_)) => KeyringSource::MadeAt(data_dir.join("keyring")),
            (None, None, DatabaseUrl::Postgres(_)) => return Err(ConfigError::KeyringNeeded),
        };
        Ok(Self {
            data_dir,
            places,
            disk_reserve: settings.disk_reserve,
            keyring,
        })
    }
}

impl DataPlaces {
    /// Joins the settings that were given (flags and variables) with those of a file and the defaults.
    ///
    /// # Errors
    /// [`ConfigError`] for a file or a URL that cannot be used.
    pub fn read(given: PlaceSettings, file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::resolve(&given.or(FileSettings::read(file)?.places))
    }

    fn resolve(settings: &PlaceSettings) -> Result<Self, ConfigError> {
        let data_dir = data_dir(settings);
        if settings.store_timeout.is_some_and(|limit| limit.is_zero()) {
            return Err(ConfigError::Zero {
                name: "store-timeout",
                bound: "more than 0s",
            });
        }
        Ok(Self {
            database: match &settings.database_url {
                Some(url) => url.expose().parse()?,
                None => DatabaseUrl::Sqlite(data_dir.clone()),
            },
            store: match &settings.store {
                Some(url) => url.clone(),
                None => StoreUrl::local(data_dir.join("blobs"))?,
            },
            store_timeout: settings.store_timeout,
        })
    }
}

fn data_dir(settings: &PlaceSettings) -> PathBuf {
    settings.data_dir.clone().unwrap_or_else(|| DATA_DIR.into())
}

impl DatabaseConfig {
    fn resolve(settings: &DatabaseSettings, url: &DatabaseUrl) -> Result<Self, ConfigError> {
        let connections = match url {
            DatabaseUrl::Sqlite(_) => SQLITE_CONNECTIONS,
            DatabaseUrl::Postgres(_) => POSTGRES_CONNECTIONS,
        };
        let resolved = Self {
            connections: settings.database_connections.unwrap_or(connections),
            key_cache: settings.key_cache.unwrap_or(KEY_CACHE),
            object_cache: settings.object_cache.unwrap_or(OBJECT_CACHE),
            acquire_timeout: settings
                .database_acquire_timeout
                .unwrap_or(DATABASE_ACQUIRE_TIMEOUT),
            statement_timeout: settings
                .database_statement_timeout
                .unwrap_or(DATABASE_STATEMENT_TIMEOUT),
            start_deadline: settings.start_deadline.unwrap_or(START_DEADLINE),
            unsafe_database: match settings.allow_unsafe_database {
                Some(true) => UnsafeDatabase::Allowed,
                Some(false) | None => UnsafeDatabase::Refused,
            },
        };
        if !POSSIBLE_DATABASE_CONNECTIONS.contains(&resolved.connections) {
            return Err(ConfigError::DatabaseConnections);
        }
        for (name, value) in [
            ("database-acquire-timeout", resolved.acquire_timeout),
            ("database-statement-timeout", resolved.statement_timeout),
        ] {
            if value.is_zero() {
                return Err(ConfigError::Zero {
                    name,
                    bound: "more than 0s",
                });
            }
        }
        Ok(resolved)
    }
}

impl UpkeepConfig {
    fn resolve(settings: UpkeepSettings) -> Result<Self, ConfigError> {
        let resolved = Self {
            interval: settings.collect_interval.unwrap_or(COLLECT_INTERVAL),
            grace: settings.collect_grace.unwrap_or(COLLECT_GRACE),
            lease: settings.node_lease.unwrap_or(NODE_LEASE),
            usage_interval: settings.usage_interval.unwrap_or(USAGE_INTERVAL),
        };
        for (name, value) in [
            ("collect-interval", resolved.interval),
            ("collect-grace", resolved.grace),
            ("usage-interval", resolved.usage_interval),
        ] {
            if value.is_zero() {
                return Err(ConfigError::Zero {
                    name,
                    bound: "more than 0s",
                });
            }
        }
        // A node whose lease ends between two heartbeats would lose its reservations while it writes.
        if resolved.lease <= resolved.interval {
            return Err(ConfigError::LeaseTooShort);
        }
        Ok(resolved)
    }
}

impl ServerConfig {
    fn resolve(settings: ServerSettings, limits: &LimitSettings) -> Result<Self, ConfigError> {
        let listen = settings.listen.unwrap_or_else(|| vec![LISTEN]);
        if listen.is_empty() {
            return Err(ConfigError::NoListener);
        }
        let proxies = settings.trusted_proxy.unwrap_or_default();
        let forwarding = Forwarding::new(&proxies, settings.forwarded_header)?;
        let proxy_listen = settings.proxy_listen.unwrap_or_default();
        if !proxy_listen.is_empty() && forwarding.is_empty() {
            return Err(ConfigError::ProxyListenAlone);
        }
        let tls = tls_files(settings.tls_cert, settings.tls_key, settings.tls_client_ca)?;
        Ok(Self {
            listen,
            proxy_listen,
            forwarding,
            given_public_url: settings.public_url,
            endpoint_aliases: settings.endpoint_alias.unwrap_or_default(),
            grpc_web_origins: settings.grpc_web_origin.unwrap_or_default(),
            given_domains: settings.domain,
            region: settings.region.unwrap_or_default(),
            tls,
            plaintext_credentials: settings.plaintext_credentials.unwrap_or_default(),
            signature_v2: settings.signature_v2.unwrap_or_default(),
            metrics_listen: settings.metrics_listen,
            console: ConsoleAddress::resolve(settings.console_listen),
            limits: limits.resolve()?,
            given_max_connections: limits.max_connections,
            drain_delay: settings.drain_delay.unwrap_or_default(),
        })
    }

    /// `https` with TLS, else `http`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The URL that clients use. `first` is the real address of the first listener: its port may have been 0.
    #[must_use]
    pub fn public_url(&self, first: SocketAddr) -> PublicUrl {
        self.given_public_url
            .clone()
            .unwrap_or_else(|| PublicUrl::of_listener(first, self.scheme()))
    }

    /// The origins of pages that may call the services and read the answers to presigned URLs: those that are configured,
    /// and the console's own, which listens on `console`.
    #[must_use]
    pub fn web_origins(&self, console: Option<SocketAddr>) -> Vec<WebOrigin> {
        let own = console.into_iter().flat_map(|address| {
            let ip = address.ip().to_canonical();
            let mut hosts = Vec::new();
            if ip.is_loopback() || ip.is_unspecified() {
                hosts.extend([
                    "localhost".to_owned(),
                    "127.0.0.1".to_owned(),
                    "[::1]".to_owned(),
                ]);
            }
            if !ip.is_unspecified() {
                hosts.push(match ip {
                    IpAddr::V4(ip) => ip.to_string(),
                    IpAddr::V6(ip) => format!("[{ip}]"),
                });
            }
            let scheme = self.scheme();
            let origins = hosts.into_iter();
            origins.map(move |host| format!("{scheme}://{host}:{}", address.port()))
        });
        let mut origins = self.grpc_web_origins.clone();
        origins.extend(own.filter_map(|origin| origin.parse().ok()));
        origins
    }

    /// The URL of the objects, if pages of a console over HTTPS could not reach it since it is not HTTPS itself.
    #[must_use]
    pub fn mixed_content(&self) -> Option<&PublicUrl> {
        let url = self.given_public_url.as_ref()?;
        (self.tls.is_some() && url.as_str().starts_with("http://")).then_some(url)
    }

    /// Why the URL that tokens name may be of no use to clients. `first` is the real address of the first listener.
    #[must_use]
    pub fn public_url_warning(&self, first: SocketAddr) -> Option<String> {
        let mut all = self.listen.iter().chain(&self.proxy_listen);
        let beyond = all.find(|address| !address.ip().is_loopback())?;
        self.given_public_url.is_none().then(|| {
            format!(
                "listening on {beyond}, but tokens name {}, which other machines cannot reach: set --public-url to the \
                 URL that clients use",
                self.public_url(first)
            )
        })
    }

    /// The virtual-host domains: those given, else the host of `public_url` (unless it is an address) and `localhost`.
    #[must_use]
    pub fn domains(&self, public_url: &PublicUrl) -> Vec<Domain> {
        if let Some(given) = &self.given_domains {
            return given.clone();
        }
        let mut domains = vec![Domain::localhost()];
        domains.extend(
            public_url
                .domain()
                .filter(|domain| *domain != Domain::localhost()),
        );
        domains
    }
}

fn tls_files(
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    client_authorities: Option<PathBuf>,
) -> Result<Option<TlsFiles>, ConfigError> {
    let missing = match (certificate, key) {
        (Some(certificate), Some(key)) => {
            return Ok(Some(TlsFiles {
                certificate,
                key,
                client_authorities,
            }));
        }
        (None, None) if client_authorities.is_some() => return Err(ConfigError::ClientCaAlone),
        (None, None) => return Ok(None),
        (Some(_), None) => "tls-key",
        (None, Some(_)) => "tls-cert",
    };
    Err(ConfigError::HalfTls { missing })
}

impl LogConfig {
    fn resolve(settings: LogSettings) -> Self {
        Self {
            format: settings.log_format.unwrap_or_default(),
            filter: settings.log_level.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests;
