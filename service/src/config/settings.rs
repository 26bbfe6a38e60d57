//! The table of settings. Doc comments here are the help texts.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bucketry_edge::duration::{self, parse_duration};
use bucketry_edge::forwarding::{ForwardedHeader, TrustedProxy};
use bucketry_edge::{LimitSettings, WebOrigin};
use serde::Deserialize;

use super::fair::FairSettings;
use super::names::parse_listener;
use super::store_argument::StoreArgument;
use super::{ConsoleListen, Domain, LogFilter, LogFormat, PublicUrl, Region, Secret};
use crate::blobs::StoreUrl;

/// The settings of `serve`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ServeArgs {
    /// A TOML file of settings; its keys are the names of the flags below
    #[arg(long, env = "BUCKETRY_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Where the data is.
    #[command(flatten)]
    pub places: PlaceSettings,

    /// How it is stored.
    #[command(flatten)]
    pub storage: StorageSettings,

    /// Connections and time limits of the database.
    #[command(flatten)]
    pub database: DatabaseSettings,

    /// How it is served.
    #[command(flatten)]
    pub server: ServerSettings,

    /// Limits of connections and unauthenticated callers.
    #[command(flatten)]
    pub limits: LimitSettings,

    /// How requests and their memory are divided among callers.
    #[command(flatten)]
    pub fair: FairSettings,

    /// Periodic work of a node.
    #[command(flatten)]
    pub upkeep: UpkeepSettings,

    /// What is logged.
    #[command(flatten)]
    pub log: LogSettings,
}

/// Where catalog and blobs are.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[command(next_help_heading = "Storage")]
#[serde(rename_all = "kebab-case", default)]
pub struct PlaceSettings {
    /// The default location of everything else [default: ./bucketry-data]
    #[arg(long, env = "BUCKETRY_DATA_DIR", value_name = "DIRECTORY")]
    pub data_dir: Option<PathBuf>,

    /// The catalog: sqlite:DIRECTORY or postgres://… [default: sqlite:DATA-DIR]
    // Held as it is given, so that no message of the parser repeats a password.
    #[arg(
        long,
        env = "BUCKETRY_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub database_url: Option<Secret>,

    /// The blobs: file://, s3://, gs://, az:// or memory:// [default: file://DATA-DIR/blobs]
    #[arg(long, env = "BUCKETRY_STORE", value_name = "URL", value_parser = StoreArgument)]
    #[serde(deserialize_with = "parsed")]
    pub store: Option<StoreUrl>,

    /// How long the blob store may take to answer before a request fails with 503, as in 1500ms; large transfers get
    /// more [default: 1500ms]
    #[arg(long, env = "BUCKETRY_STORE_TIMEOUT", value_name = "DURATION", value_parser = parse_duration)]
    #[serde(deserialize_with = "duration::deserialize")]
    pub store_timeout: Option<Duration>,
}

/// How data is stored.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[command(next_help_heading = "Storage")]
#[serde(rename_all = "kebab-case", default)]
pub struct StorageSettings {
    /// Bytes kept free on the disk of a file:// store, so that deletes stay possible; uploads that would need them are
    /// refused [default: 67108864]
    #[arg(long, env = "BUCKETRY_DISK_RESERVE", value_name = "BYTES")]
    pub disk_reserve: Option<u64>,

    /// The keyring: the keys that seal secrets; BUCKETRY_KEYRING may hold its text instead [default: DATA-DIR/keyring,
    /// made by the first start; must be given with Postgres]
    #[arg(long, env = "BUCKETRY_KEYRING_FILE", value_name = "FILE")]
    pub keyring_file: Option<PathBuf>,
}

/// Connections and time limits of the database.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[command(next_help_heading = "Database")]
#[serde(rename_all = "kebab-case", default)]
pub struct DatabaseSettings {
    /// Connections to the database, 2 to 1000; with SQLite, connections for reading, at most 64
    /// [default: 16; 8 with SQLite]
    #[arg(long, env = "BUCKETRY_DATABASE_CONNECTIONS", value_name = "COUNT")]
    pub database_connections: Option<u32>,

    /// Memory for access keys, their signing keys, buckets and bucket settings, in bytes; a key takes about 1 KiB
    /// [default: 134217728]
    #[arg(long, env = "BUCKETRY_KEY_CACHE", value_name = "BYTES")]
    pub key_cache: Option<u64>,

    /// Memory for objects of up to 8 KiB and the attributes of larger ones, in bytes; with SQLite only
    /// [default: 29360128]
    #[arg(long, env = "BUCKETRY_OBJECT_CACHE", value_name = "BYTES")]
    pub object_cache: Option<u64>,

    /// How long a request waits for a free connection, more than 0s [default: 2s]
    #[arg(long, env = "BUCKETRY_DATABASE_ACQUIRE_TIMEOUT", value_name = "DURATION", value_parser = parse_duration)]
    #[serde(deserialize_with = "duration::deserialize")]
    pub database_acquire_timeout: Option<Duration>,

    /// How long Postgres may work on one statement, more than 0s [default: 10s]
    #[arg(long, env = "BUCKETRY_DATABASE_STATEMENT_TIMEOUT", value_name = "DURATION", value_parser = parse_duration)]
    #[serde(deserialize_with = "duration::deserialize")]
    pub database_statement_timeout: Option<Duration>,

    /// How long a start waits for Postgres to accept connections; with 0s it tries once [default: 1m]
    #[arg(long, env = "BUCKETRY_START_DEADLINE", value_name = "DURATION", value_parser = parse_duration)]
    #[serde(deserialize_with = "duration::deserialize")]
    pub start_deadline: Option<Duration>,

    /// Serve although the Postgres server has fsync=off, with a warning: a crash of its machine may then lose or damage
    /// acknowledged writes; for tests [default: false]
    #[arg(
        long,
        env = "BUCKETRY_ALLOW_UNSAFE_DATABASE",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub allow_unsafe_database: Option<bool>,
}

/// How the server is reached.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[command(next_help_heading = "Server")]
#[serde(rename_all = "kebab-case", default)]
pub struct ServerSettings {
    /// An address and port for gRPC and S3; repeatable [default: 127.0.0.1:9000]
    #[arg(
        long,
        env = "BUCKETRY_LISTEN",
        value_name = "ADDRESS",
        value_delimiter = ',',
        value_parser = parse_listener
    )]
    pub listen: Option<Vec<SocketAddr>>,

    /// An address and port for gRPC and S3 behind a load balancer that speaks the PROXY protocol (version 1 or 2): every
    /// connection must begin with its header and come from a trusted proxy; repeatable
    #[arg(
        long,
        env = "BUCKETRY_PROXY_LISTEN",
        value_name = "ADDRESS",
        value_delimiter = ',',
        value_parser = parse_listener
    )]
    pub proxy_listen: Option<Vec<SocketAddr>>,

    /// A proxy, by address or CIDR block, that may name the client's address; repeatable [default: none]
    #[arg(
        long,
        env = "BUCKETRY_TRUSTED_PROXY",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    #[serde(deserialize_with = "parsed_list")]
    pub trusted_proxy: Option<Vec<TrustedProxy>>,

    /// The one header that is read from trusted proxies: x-forwarded-for, forwarded (RFC 7239), or the name of a header
    /// that holds one address, as in cf-connecting-ip [default: x-forwarded-for]
    #[arg(long, env = "BUCKETRY_FORWARDED_HEADER", value_name = "HEADER")]
    #[serde(deserialize_with = "parsed")]
    pub forwarded_header: Option<ForwardedHeader>,

    /// The URL that clients use [default: http://localhost: and the first listener's port]
    #[arg(long, env = "BUCKETRY_PUBLIC_URL", value_name = "URL")]
    #[serde(deserialize_with = "parsed")]
    pub public_url: Option<PublicUrl>,

    /// A further URL by which clients reach this server, as through a proxy or another host name; a sign-in by
    /// challenge is refused if the client dialled any other URL; repeatable [default: none]
    #[arg(
        long,
        env = "BUCKETRY_ENDPOINT_ALIAS",
        value_name = "URL",
        value_delimiter = ','
    )]
    #[serde(deserialize_with = "parsed_list")]
    pub endpoint_alias: Option<Vec<PublicUrl>>,

    /// The origin of a web console, as in https://console.example.com:9001: its pages may send presigned requests and
    /// read the answers, in addition to those that the CORS rules of a bucket allow; repeatable [default: none]
    #[arg(
        long,
        env = "BUCKETRY_GRPC_WEB_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    #[serde(deserialize_with = "parsed_list")]
    pub grpc_web_origin: Option<Vec<WebOrigin>>,

    /// A host name under which buckets are BUCKET.HOST; repeatable [default: that of the public URL, and localhost]
    #[arg(
        long,
        env = "BUCKETRY_DOMAIN",
        value_name = "HOST",
        value_delimiter = ','
    )]
    #[serde(deserialize_with = "parsed_list")]
    pub domain: Option<Vec<Domain>>,

    /// The region that S3 clients see [default: us-east-1]
    #[arg(long, env = "BUCKETRY_REGION", value_name = "NAME")]
    #[serde(deserialize_with = "parsed")]
    pub region: Option<Region>,

    /// A PEM file with the certificate chain; turns TLS on
    #[arg(long, env = "BUCKETRY_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// A PEM file with the certificate's private key
    #[arg(long, env = "BUCKETRY_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// A PEM file with the authorities of client certificates: clients are asked for a certificate, and calls of the S3
    /// adapter's service require one [default: none]
    #[arg(long, env = "BUCKETRY_TLS_CLIENT_CA", value_name = "FILE")]
    pub tls_client_ca: Option<PathBuf>,

    /// From where gRPC credentials are accepted without TLS [default: loopback]
    #[arg(long, env = "BUCKETRY_PLAINTEXT_CREDENTIALS", value_name = "WHERE")]
    pub plaintext_credentials: Option<PlaintextCredentials>,

    /// Whether the old signature version 2 is accepted on presigned URLs (GET, HEAD, PUT) and HTML forms [default: on]
    #[arg(long, env = "BUCKETRY_SIGNATURE_V2", value_name = "SWITCH")]
    pub signature_v2: Option<SignatureV2>,

    /// The address of the Prometheus metrics and of health (/livez, /readyz) [default: none]
    #[arg(long, env = "BUCKETRY_METRICS_LISTEN", value_name = "ADDRESS", value_parser = parse_listener)]
    pub metrics_listen: Option<SocketAddr>,

    /// The address of the browser console, or none [default: 127.0.0.1:9001, if that is free]
    #[arg(long, env = "BUCKETRY_CONSOLE_LISTEN", value_name = "ADDRESS")]
    #[serde(deserialize_with = "parsed")]
    pub console_listen: Option<ConsoleListen>,

    /// How long the server goes on serving after SIGTERM while it reports not ready; 5s to 10s behind a load balancer
    /// [default: 0s]
    #[arg(long, env = "BUCKETRY_DRAIN_DELAY", value_name = "DURATION", value_parser = parse_duration)]
    #[serde(deserialize_with = "duration::deserialize")]
    pub drain_delay: Option<Duration>,
}

/// Periodic work of a node.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[command(next_help_heading = "Upkeep")]
#[serde(rename_all = "kebab-case", default)]
pub struct UpkeepSettings {
    /// Interval between two rounds of the collector, and the longest one between two heartbeats of a node, more than 0s
    /// [default: 15s]
    #[arg(long, env = "BUCKETRY_COLLECT_INTERVAL", value_name = "DURATION", value_parser = parse_duration)]
    #[serde(deserialize_with = "duration::deserialize")]
    pub collect_interval: Option<Duration>,

    /// How long a blob is kept after its last reference was removed, more than 0s [default: 10m]
    #[arg(long, env = "BUCKETRY_COLLECT_GRACE", value_name = "DURATION", value_parser = parse_duration)]
    #[serde(deserialize_with = "duration::deserialize")]
    pub collect_grace: Option<Duration>,

    /// How long a node counts as alive after a heartbeat; must be longer than --collect-interval [default: 1m]
    #[arg(long, env = "BUCKETRY_NODE_LEASE", value_name = "DURATION", value_parser = parse_duration)]
    #[serde(deserialize_with = "duration::deserialize")]
    pub node_lease: Option<Duration>,

    /// How often usage, last uses and refused requests are written, more than 0s: a node that is killed loses what it
    /// counted since [default: 15s]
    #[arg(long, env = "BUCKETRY_USAGE_INTERVAL", value_name = "DURATION", value_parser = parse_duration)]
    #[serde(deserialize_with = "duration::deserialize")]
    pub usage_interval: Option<Duration>,
}

/// What is logged, and how.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[command(next_help_heading = "Logs")]
#[serde(rename_all = "kebab-case", default)]
pub struct LogSettings {
    /// Text for people or JSON for machines, on standard error [default: text]
    #[arg(long, env = "BUCKETRY_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// A level, or directives as in warn,bucketry=debug [default: info]
    #[arg(long, env = "BUCKETRY_LOG_LEVEL", value_name = "FILTER")]
    #[serde(deserialize_with = "parsed")]
    pub log_level: Option<LogFilter>,
}

/// Over which connections without TLS credentials may travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum PlaintextCredentials {
    /// Only from this machine.
    #[default]
    Loopback,
    /// From anywhere: the network is protected by other means.
    Anywhere,
}

/// Whether presigned URLs of signature version 2 are accepted. `aws-sdk` for JavaScript v2 makes them for every endpoint
/// but Amazon's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureV2 {
    /// Accepted.
    #[default]
    On,
    /// Refused with a hint to version 4.
    Off,
}

impl PlaceSettings {
    /// These settings; those that are not set are taken from `other`.
    pub(super) fn or(self, other: Self) -> Self {
        let Self {
            data_dir,
            database_url,
            store,
            store_timeout,
        } = self;
        Self {
            data_dir: data_dir.or(other.data_dir),
            database_url: database_url.or(other.database_url),
            store: store.or(other.store),
            store_timeout: store_timeout.or(other.store_timeout),
        }
    }
}

impl StorageSettings {
    /// These settings, and `other`'s where these are silent.
    pub(super) fn or(self, other: Self) -> Self {
        let Self {
            disk_reserve,
            keyring_file,
        } = self;
        Self {
            disk_reserve: disk_reserve.or(other.disk_reserve),
            keyring_file: keyring_file.or(other.keyring_file),
        }
    }
}

impl DatabaseSettings {
    /// These settings; those that are not set are taken from `other`.
    pub(super) fn or(self, other: Self) -> Self {
        let Self {
            database_connections,
            key_cache,
            object_cache,
            database_acquire_timeout,
            database_statement_timeout,
            start_deadline,
            allow_unsafe_database,
        } = self;
        Self {
            database_connections: database_connections.or(other.database_connections),
            key_cache: key_cache.or(other.key_cache),
            object_cache: object_cache.or(other.object_cache),
            database_acquire_timeout: database_acquire_timeout.or(other.database_acquire_timeout),
            database_statement_timeout: database_statement_timeout
                .or(other.database_statement_timeout),
            start_deadline: start_deadline.or(other.start_deadline),
            allow_unsafe_database: allow_unsafe_database.or(other.allow_unsafe_database),
        }
    }
}

impl ServerSettings {
    /// These settings; those that are not set are taken from `other`.
    pub(super) fn or(self, other: Self) -> Self {
        let Self {
            listen,
            proxy_listen,
            trusted_proxy,
            forwarded_header,
            public_url,
            endpoint_alias,
            grpc_web_origin,
            domain,
            region,
            tls_cert,
            tls_key,
            tls_client_ca,
            plaintext_credentials,
            signature_v2,
            metrics_listen,
            console_listen,
            drain_delay,
        } = self;
        Self {
            listen: listen.or(other.listen),
            proxy_listen: proxy_listen.or(other.proxy_listen),
            trusted_proxy: trusted_proxy.or(other.trusted_proxy),
            forwarded_header: forwarded_header.or(other.forwarded_header),
            public_url: public_url.or(other.public_url),
            endpoint_alias: endpoint_alias.or(other.endpoint_alias),
            grpc_web_origin: grpc_web_origin.or(other.grpc_web_origin),
            domain: domain.or(other.domain),
            region: region.or(other.region),
            tls_cert: tls_cert.or(other.tls_cert),
            tls_key: tls_key.or(other.tls_key),
            tls_client_ca: tls_client_ca.or(other.tls_client_ca),
            plaintext_credentials: plaintext_credentials.or(other.plaintext_credentials),
            signature_v2: signature_v2.or(other.signature_v2),
            metrics_listen: metrics_listen.or(other.metrics_listen),
            console_listen: console_listen.or(other.console_listen),
            drain_delay: drain_delay.or(other.drain_delay),
        }
    }
}

impl UpkeepSettings {
    /// These settings; those that are not set are taken from `other`.
    pub(super) fn or(self, other: Self) -> Self {
        let Self {
            collect_interval,
            collect_grace,
            node_lease,
            usage_interval,
        } = self;
        Self {
            collect_interval: collect_interval.or(other.collect_interval),
            collect_grace: collect_grace.or(other.collect_grace),
            node_lease: node_lease.or(other.node_lease),
            usage_interval: usage_interval.or(other.usage_interval),
        }
    }
}

impl LogSettings {
    /// These settings; those that are not set are taken from `other`.
    pub(super) fn or(self, other: Self) -> Self {
        let Self {
            log_format,
            log_level,
        } = self;
        Self {
            log_format: log_format.or(other.log_format),
            log_level: log_level.or(other.log_level),
        }
    }
}

fn parsed<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

fn parsed_list<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    Vec::<String>::deserialize(deserializer)?
        .iter()
        .map(|text| text.parse())
        .collect::<Result<_, _>>()
        .map(Some)
        .map_err(serde::de::Error::custom)
}
