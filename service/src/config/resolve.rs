use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bucketry_edge::TlsFiles;
use bucketry_edge::forwarding::Forwarding;
use bucketry_edge::{LimitSettings, Limits};

use super::file::FileSettings;
use super::key_pair::{KEYRING, text};
use super::{
    ConfigError, DatabaseSettings, DatabaseUrl, Domain, FairConfig, KeyPair, LogFilter, LogFormat,
    LogSettings, PlaceSettings, PlaintextCredentials, PublicUrl, Region, Secret, ServeArgs,
    ServerSettings, SignatureV2, StorageSettings, StoreUrl, UpkeepSettings,
};
use crate::catalog::UnsafeDatabase;

const DATA_DIR: &str = "./bucketry-data";
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9000);
const COLLECT_INTERVAL: Duration = Duration::from_secs(15);
const COLLECT_GRACE: Duration = Duration::from_secs(600);
const NODE_LEASE: Duration = Duration::from_secs(60);
const USAGE_INTERVAL: Duration = Duration::from_secs(15);
/// Each has a thread and a page cache of 8 MiB.
const SQLITE_CONNECTIONS: u32 = 8;
const POSTGRES_CONNECTIONS: u32 = 16;
const POSSIBLE_DATABASE_CONNECTIONS: std::ops::RangeInclusive<u32> = 2..=1000;
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
    /// How the store is kept.
    pub upkeep: UpkeepConfig,
    /// What is logged.
    pub log: LogConfig,
    /// The operator's credentials, if they are given rather than made.
    pub root: Option<KeyPair>,
}

/// Where catalog, blobs and keys are.
#[derive(Debug, Clone)]
pub struct StorageConfig {
    /// The default location of everything else.
    pub data_dir: PathBuf,
    /// Catalog and blobs.
    pub places: DataPlaces,
    /// Bytes that stay free on the disk of a local store; none: the store's own default.
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
    /// A file that must be there.
    File(PathBuf),
    /// The text itself.
    Text(Secret),
    /// A file that the first start makes.
    MadeAt(PathBuf),
}

/// How the database is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseConfig {
    /// Connections; 2 to 1000.
    pub connections: u32,
    /// How long a request waits for a free connection; more than 0.
    pub acquire_timeout: Duration,
    /// How long Postgres may work on one statement; more than 0.
    pub statement_timeout: Duration,
    /// How long a start waits for Postgres to accept connections.
    pub start_deadline: Duration,
    /// Whether a Postgres server with `fsync=off` is used.
    pub unsafe_database: UnsafeDatabase,
}

/// How the server is reached and what it bears.
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
    /// The virtual-host domains, if given; see [`ServerConfig::domains`].
    pub given_domains: Option<Vec<Domain>>,
    /// The region.
    pub region: Region,
    /// Certificate and key; none: no TLS.
    pub tls: Option<TlsFiles>,
    /// From where gRPC credentials are taken without TLS.
    pub plaintext_credentials: PlaintextCredentials,
    /// Whether presigned URLs of signature version 2 are taken.
    pub signature_v2: SignatureV2,
    /// The address of the metrics; none: no metrics.
    pub metrics_listen: Option<SocketAddr>,
    /// What callers may use, and how long they are waited for.
    pub limits: Limits,
    /// The most connections, if it was set.
    pub given_max_connections: Option<u32>,
    /// How long the server goes on serving after the signal to stop while it reports not ready.
    pub drain_delay: Duration,
}

/// How a node keeps the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpkeepConfig {
    /// How often it looks; more than 0.
    pub interval: Duration,
    /// For how long a blob stays after its last reference went; more than 0.
    pub grace: Duration,
    /// For how long a silent node counts as alive; longer than `interval`.
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
                least: "1ms",
            });
        }
        Ok(Self {
            database: match &settings.database_url {
                Some(url) => DatabaseUrl::parse(url)?,
                None => DatabaseUrl::Sqlite(data_dir.clone()),
            },
            store: settings
                .store
                .clone()
                .unwrap_or_else(|| StoreUrl::File(data_dir.join("blobs"))),
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
                return Err(ConfigError::Zero { name, least: "1s" });
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
                return Err(ConfigError::Zero { name, least: "1s" });
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
            given_domains: settings.domain,
            region: settings.region.unwrap_or_default(),
            tls,
            plaintext_credentials: settings.plaintext_credentials.unwrap_or_default(),
            signature_v2: settings.signature_v2.unwrap_or_default(),
            metrics_listen: settings.metrics_listen,
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
mod tests {
    use std::io::Write;

    use super::*;

    fn nothing(_: &str) -> Option<OsString> {
        None
    }

    fn resolved(settings: ServerSettings) -> Result<ServerConfig, ConfigError> {
        ServerConfig::resolve(settings, &LimitSettings::default())
    }

    #[test]
    fn a_listener_beyond_this_machine_needs_a_public_url() {
        let warning = |listen: &[&str], public_url: Option<&str>| {
            let settings = ServerSettings {
                listen: Some(listen.iter().map(|text| text.parse().unwrap()).collect()),
                public_url: public_url.map(|text| text.parse().unwrap()),
                ..ServerSettings::default()
            };
            let resolved = resolved(settings).unwrap();
            resolved.public_url_warning("0.0.0.0:9000".parse().unwrap())
        };
        let told = warning(&["127.0.0.1:1", "0.0.0.0:9000"], None).unwrap();
        assert!(
            told.contains("http://localhost:9000") && told.contains("--public-url"),
            "{told}"
        );
        assert_eq!(warning(&["127.0.0.1:9000", "[::1]:9000"], None), None);
        assert_eq!(
            warning(&["0.0.0.0:9000"], Some("https://s3.example.com")),
            None
        );
    }

    #[test]
    fn defaults_serve_one_machine() {
        let config = Config::resolve(ServeArgs::default(), nothing).unwrap();
        assert_eq!(config.server.listen, ["127.0.0.1:9000".parse().unwrap()]);
        assert!(
            matches!(&config.storage.places.database, DatabaseUrl::Sqlite(path) if path == &PathBuf::from(DATA_DIR))
        );
        assert_eq!(
            config.storage.places.store.to_string(),
            "file://./bucketry-data/blobs"
        );
        assert!(
            matches!(&config.storage.keyring, KeyringSource::MadeAt(path) if path.ends_with("keyring"))
        );
        assert_eq!(config.server.region.as_str(), "us-east-1");
        let url = config.server.public_url("127.0.0.1:4711".parse().unwrap());
        assert_eq!(url.as_str(), "http://localhost:4711");
        assert_eq!(config.server.domains(&url), [Domain::localhost()]);
        assert!(config.root.is_none());
    }

    #[test]
    fn a_flag_beats_the_file_and_the_file_beats_the_default() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "region = \"from-file\"\ndrain-deadline = \"5s\"").unwrap();
        let args = ServeArgs {
            config: Some(file.path().to_owned()),
            server: ServerSettings {
                region: Some("from-flag".parse().unwrap()),
                ..ServerSettings::default()
            },
            ..ServeArgs::default()
        };
        let config = Config::resolve(args, nothing).unwrap();
        assert_eq!(config.server.region.as_str(), "from-flag");
        assert_eq!(config.server.limits.drain_deadline, Duration::from_secs(5));
        assert_eq!(config.server.limits.max_connections, 10_000);
    }

    #[test]
    fn postgres_needs_a_given_keyring() {
        let places = PlaceSettings {
            database_url: Some(Secret::new("postgres://h/d".into())),
            ..PlaceSettings::default()
        };
        let text = || Some(Secret::new("keys".into()));
        let resolve = |settings, keyring| StorageConfig::resolve(&places, settings, keyring);
        let refused = resolve(StorageSettings::default(), None);
        assert!(matches!(refused, Err(ConfigError::KeyringNeeded)));
        let given = resolve(StorageSettings::default(), text()).unwrap();
        assert!(matches!(given.keyring, KeyringSource::Text(_)));
        let twice = StorageSettings {
            keyring_file: Some("k".into()),
            ..StorageSettings::default()
        };
        let refused = resolve(twice, text());
        assert!(matches!(refused, Err(ConfigError::TwoKeyrings)));
    }

    #[test]
    fn a_public_url_brings_its_domain_unless_domains_are_given() {
        let settings = |domain: Option<Vec<Domain>>| {
            resolved(ServerSettings {
                public_url: Some("https://s3.example.com".parse().unwrap()),
                domain,
                ..ServerSettings::default()
            })
            .unwrap()
        };
        let url = settings(None).public_url(LISTEN);
        let names = |domains: Vec<Domain>| {
            domains
                .iter()
                .map(|d| d.as_str().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            names(settings(None).domains(&url)),
            ["localhost", "s3.example.com"]
        );
        let given = settings(Some(vec!["other.example".parse().unwrap()]));
        assert_eq!(names(given.domains(&url)), ["other.example"]);
    }

    #[test]
    fn nobody_is_trusted_unasked_and_nothing_is_ignored() {
        let forwarding = |settings| resolved(settings).map(|config| config.forwarding);
        let none = forwarding(ServerSettings::default()).unwrap();
        assert!(none.is_empty() && none.header().is_none());
        let proxies = Some(vec!["10.0.0.7".parse().unwrap()]);
        let trusting = forwarding(ServerSettings {
            trusted_proxy: proxies.clone(),
            ..ServerSettings::default()
        });
        let header = trusting.unwrap().header().unwrap().name();
        assert_eq!(header, "x-forwarded-for");
        let header_alone = forwarding(ServerSettings {
            forwarded_header: Some("forwarded".parse().unwrap()),
            ..ServerSettings::default()
        });
        assert!(matches!(header_alone, Err(ConfigError::Forwarding(_))));
        let proxy_listen: Vec<SocketAddr> = vec!["127.0.0.1:1".parse().unwrap()];
        let listener_alone = resolved(ServerSettings {
            proxy_listen: Some(proxy_listen.clone()),
            ..ServerSettings::default()
        });
        assert!(matches!(listener_alone, Err(ConfigError::ProxyListenAlone)));
        let both = resolved(ServerSettings {
            proxy_listen: Some(proxy_listen.clone()),
            trusted_proxy: proxies,
            ..ServerSettings::default()
        });
        assert_eq!(both.unwrap().proxy_listen, proxy_listen);
    }

    #[test]
    fn a_lease_outlasts_the_interval_and_nothing_is_zero() {
        let settings = |interval: u64, grace: u64, lease: u64| UpkeepSettings {
            collect_interval: Some(Duration::from_secs(interval)),
            collect_grace: Some(Duration::from_secs(grace)),
            node_lease: Some(Duration::from_secs(lease)),
            usage_interval: None,
        };
        assert!(UpkeepConfig::resolve(UpkeepSettings::default()).is_ok());
        assert!(UpkeepConfig::resolve(settings(1, 1, 2)).is_ok());
        for (interval, grace, zero) in [(0, 1, "collect-interval"), (1, 0, "collect-grace")] {
            assert!(matches!(
                UpkeepConfig::resolve(settings(interval, grace, 9)),
                Err(ConfigError::Zero { name, least: "1s" }) if name == zero
            ));
        }
        let never = UpkeepSettings {
            usage_interval: Some(Duration::ZERO),
            ..UpkeepSettings::default()
        };
        assert!(matches!(
            UpkeepConfig::resolve(never),
            Err(ConfigError::Zero {
                name: "usage-interval",
                ..
            })
        ));
        assert!(matches!(
            UpkeepConfig::resolve(settings(5, 1, 5)),
            Err(ConfigError::LeaseTooShort)
        ));
    }

    #[test]
    fn limits_of_the_database_are_checked() {
        let sqlite = DatabaseUrl::Sqlite("d".into());
        let postgres = DatabaseUrl::Postgres(Secret::new("postgres://h/d".into()));
        for (url, connections) in [(&sqlite, 8), (&postgres, 16)] {
            let default = DatabaseConfig::resolve(&DatabaseSettings::default(), url).unwrap();
            assert_eq!(default.connections, connections);
        }
        let allowing = |allow_unsafe_database| DatabaseSettings {
            allow_unsafe_database,
            ..DatabaseSettings::default()
        };
        for (given, resolved) in [
            (None, UnsafeDatabase::Refused),
            (Some(false), UnsafeDatabase::Refused),
            (Some(true), UnsafeDatabase::Allowed),
        ] {
            let config = DatabaseConfig::resolve(&allowing(given), &postgres).unwrap();
            assert_eq!(config.unsafe_database, resolved);
        }
        for count in [0, 1, 1001] {
            let settings = DatabaseSettings {
                database_connections: Some(count),
                ..DatabaseSettings::default()
            };
            let refused = DatabaseConfig::resolve(&settings, &postgres);
            assert!(matches!(refused, Err(ConfigError::DatabaseConnections)));
        }
        let never = DatabaseSettings {
            database_statement_timeout: Some(Duration::ZERO),
            ..DatabaseSettings::default()
        };
        assert!(matches!(
            DatabaseConfig::resolve(&never, &postgres),
            Err(ConfigError::Zero {
                name: "database-statement-timeout",
                ..
            })
        ));
    }

    #[test]
    fn data_is_found_without_a_keyring() {
        let settings = PlaceSettings {
            database_url: Some(Secret::new("postgres://h/d".into())),
            ..PlaceSettings::default()
        };
        let places = DataPlaces::read(settings, None).unwrap();
        assert!(matches!(places.database, DatabaseUrl::Postgres(_)));
    }

    #[test]
    fn halves_and_zeros_are_refused() {
        let half = ServerSettings {
            tls_cert: Some("c".into()),
            ..ServerSettings::default()
        };
        assert!(matches!(
            resolved(half),
            Err(ConfigError::HalfTls { missing: "tls-key" })
        ));
        let none = ServerSettings {
            listen: Some(Vec::new()),
            ..ServerSettings::default()
        };
        assert!(matches!(resolved(none), Err(ConfigError::NoListener)));
        let client_ca_alone = ServerSettings {
            tls_client_ca: Some("ca.pem".into()),
            ..ServerSettings::default()
        };
        assert!(matches!(
            resolved(client_ca_alone),
            Err(ConfigError::ClientCaAlone)
        ));
        let zero = LimitSettings {
            max_connections: Some(0),
            ..LimitSettings::default()
        };
        assert!(matches!(
            ServerConfig::resolve(ServerSettings::default(), &zero),
            Err(ConfigError::Limit(_))
        ));
    }
}
