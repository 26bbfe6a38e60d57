//! Settings: flags, `BUCKETRY_*` variables and a TOML file become one [`Config`] of types that cannot be
//! wrong. The only module that reads the environment.
//!
//! A setting has one name in three spellings: the flag `--drain-deadline`, the variable `BUCKETRY_DRAIN_DEADLINE`, the
//! file key `drain-deadline`. A flag overrides the variable, which overrides the file, which overrides the default. The
//! settings structs are the table of all names; the file may hold no other key.

mod client;
mod error;
mod fair;
mod file;
mod key_pair;
mod names;
mod resolve;
mod secret;
mod settings;
mod store_argument;

pub use bucketry_edge::duration::{DurationError, parse_duration};
pub(crate) use bucketry_edge::environment::process_variable_names;
pub use bucketry_edge::environment::{process_environment, process_variable};
pub use client::{ClientSettings, EndpointSettings};
pub use error::{ConfigError, Position};
pub use fair::{FairConfig, FairSettings};
pub use key_pair::KeyPair;
pub(crate) use key_pair::VARIABLES_WITHOUT_FLAG;
pub use names::{ConsoleListen, Domain, LogFilter, NameError, PublicUrl, Region};
pub use resolve::{
    Config, ConsoleAddress, DataPlaces, DatabaseConfig, KeyringSource, LogConfig, ServerConfig,
    StorageConfig, UpkeepConfig,
};
pub use secret::Secret;
pub use settings::{
    DatabaseSettings, LogSettings, PlaceSettings, PlaintextCredentials, ServeArgs, ServerSettings,
    SignatureV2, StorageSettings, UpkeepSettings,
};

pub use crate::telemetry::logs::LogFormat;
