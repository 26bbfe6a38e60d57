use std::path::Path;

use bucketry_edge::LimitSettings;
use bucketry_edge::environment::nearest;
use clap::{Args, Command};
use serde::de::DeserializeOwned;
use toml::de::{DeString, DeTable};
use toml::{Spanned, Value};

use super::error::Position;
use super::{
    ConfigError, DatabaseSettings, FairSettings, LogSettings, PlaceSettings, ServeArgs,
    ServerSettings, StorageSettings, UpkeepSettings,
};

/// The settings of a file.
#[derive(Debug, Default)]
pub(super) struct FileSettings {
    pub(super) places: PlaceSettings,
    pub(super) storage: StorageSettings,
    pub(super) database: DatabaseSettings,
    pub(super) server: ServerSettings,
    pub(super) limits: LimitSettings,
    pub(super) fair: FairSettings,
    pub(super) upkeep: UpkeepSettings,
    pub(super) log: LogSettings,
}

impl FileSettings {
    /// Reads a file; `None` gives no settings.
    pub(super) fn read(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::ReadFile {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Reads the text of a file; `path` is for messages.
    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        // `message` alone: the full text of a TOML error quotes the line, which may hold a password.
        let refused = |error: toml::de::Error| ConfigError::File {
            path: path.to_owned(),
            position: start_of(&error, text),
            message: error.message().to_owned(),
        };
        let keys = DeTable::parse(text).map_err(refused)?;
        let known = names();
        let is_unknown =
            |key: &&Spanned<DeString<'_>>| !known.iter().any(|name| name == key.get_ref());
        if let Some(key) = keys.get_ref().keys().find(is_unknown) {
            return Err(ConfigError::UnknownKey {
                path: path.to_owned(),
                position: Some(Position::of(text, key.span().start)),
                nearest: nearest(key.get_ref(), &known).map(str::to_owned),
                key: key.get_ref().to_string(),
                known: known.join(", "),
            });
        }
        let source = Source {
            path,
            text,
            value: Value::Table(toml::from_str(text).map_err(refused)?),
        };
        // One parse per struct: the unknown keys of each are known ones of another.
        Ok(Self {
            places: source.settings()?,
            storage: source.settings()?,
            database: source.settings()?,
            server: source.settings()?,
            limits: source.settings()?,
            fair: source.settings()?,
            upkeep: source.settings()?,
            log: source.settings()?,
        })
    }
}

/// A file that is TOML and holds no unknown key.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
    value: Value,
}

impl Source<'_> {
    fn settings<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        // The error of a value names the key, and has no text that it could quote; that of the text knows the place.
        T::deserialize(self.value.clone()).map_err(|error| ConfigError::File {
            path: self.path.to_owned(),
            position: (toml::from_str::<T>(self.text).err())
                .and_then(|error| start_of(&error, self.text)),
            message: error.to_string().trim().replace('\n', " "),
        })
    }
}

fn start_of(error: &toml::de::Error, text: &str) -> Option<Position> {
    error.span().map(|span| Position::of(text, span.start))
}

/// The names of all settings that a file may hold: the long flags of `serve`, but for the one that names the file.
fn names() -> Vec<String> {
    ServeArgs::augment_args(Command::new("serve"))
        .get_arguments()
        .filter_map(|argument| argument.get_long())
        .filter(|name| *name != "config")
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use toml::Table;

    use super::*;
    use crate::config::{LogFormat, PlaintextCredentials};

    const EVERYTHING: &str = r#"
        data-dir = "/var/lib/bucketry"
        database-url = "postgres://u:p@h/d"
        store = "s3://blobs/prefix"
        disk-reserve = 1000
        store-timeout = "2s"
        keyring-file = "/etc/bucketry/keyring"
        database-connections = 20
        key-cache = 1000000
        object-cache = 2000000
        database-acquire-timeout = "3s"
        database-statement-timeout = "20s"
        start-deadline = "2m"
        allow-unsafe-database = true
        listen = ["127.0.0.1:1", "[::1]:2"]
        proxy-listen = ["127.0.0.1:3"]
        trusted-proxy = ["10.0.0.0/8", "2001:db8::7"]
        forwarded-header = "forwarded"
        public-url = "https://s3.example.com"
        endpoint-alias = ["https://proxy.example.com"]
        grpc-web-origin = ["https://console.example.com"]
        domain = ["s3.example.com"]
        region = "eu-central-1"
        tls-cert = "cert.pem"
        tls-key = "key.pem"
        tls-client-ca = "ca.pem"
        plaintext-credentials = "anywhere"
        signature-v2 = "off"
        metrics-listen = "127.0.0.1:9100"
        console-listen = "127.0.0.1:9101"
        drain-delay = "5s"
        drain-deadline = "1m"
        max-connections = 5
        handshake-timeout = "5s"
        head-timeout = "6s"
        idle-timeout = "2m"
        min-rate = 100
        min-rate-grace = "7s"
        unauthenticated-slots = 20
        unauthenticated-slots-per-address = 10
        unauthenticated-bytes = 2000
        unauthenticated-bytes-per-address = 1000
        refusals-per-address = 100
        max-requests = 100
        max-message-bytes = 33554432
        request-wait = "2s"
        message-timeout = "10s"
        max-open-uploads = 7
        collect-interval = "5s"
        collect-grace = "1m"
        node-lease = "20s"
        usage-interval = "5s"
        log-format = "json"
        log-level = "debug"
    "#;

    fn parse(text: &str) -> Result<FileSettings, ConfigError> {
        FileSettings::parse(text, Path::new("x.toml"))
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_named_with_its_key_and_place() {
        let error = parse("# é\nregion = \"eu\"\nlisten = \"127.0.0.1:1\"")
            .unwrap_err()
            .to_string();
        assert!(error.contains("`listen`"), "{error}");
        assert!(error.contains("x.toml, line 3, column 10: "), "{error}");
    }

    #[test]
    fn a_value_of_the_wrong_form_has_its_place() {
        let error = parse("drain-deadline = \"1m\"\n  region = \"EU\"")
            .unwrap_err()
            .to_string();
        assert!(error.contains("x.toml, line 2, column 12: "), "{error}");
        let error = parse("region = \"eu\"\n store = \"file://host/x\"")
            .unwrap_err()
            .to_string();
        assert!(error.contains("x.toml, line 2, column 10: "), "{error}");
        assert!(error.contains("file:///DIRECTORY"), "{error}");
    }

    #[test]
    fn a_mistake_in_the_syntax_has_its_place() {
        let error = parse("region = \"eu\"\nlisten = [\"a\"")
            .unwrap_err()
            .to_string();
        assert!(error.contains("x.toml, line 2, column "), "{error}");
    }

    #[test]
    fn every_flag_is_a_key_and_every_key_arrives() {
        let table: Table = toml::from_str(EVERYTHING).unwrap();
        for name in names() {
            assert!(table.contains_key(&name), "{name} is not in the example");
        }
        let settings = parse(EVERYTHING).unwrap();
        // Debug shows `None` for whatever did not arrive.
        let shown = format!("{settings:?}");
        assert!(!shown.contains("None"), "{shown}");
        assert_eq!(settings.server.listen.unwrap().len(), 2);
        assert_eq!(
            settings.limits.drain_deadline,
            Some(Duration::from_secs(60))
        );
        assert_eq!(
            settings.server.plaintext_credentials,
            Some(PlaintextCredentials::Anywhere)
        );
        assert_eq!(settings.log.log_format, Some(LogFormat::Json));
    }

    #[test]
    fn every_setting_has_the_variable_of_its_name() {
        let command = ServeArgs::augment_args(Command::new("serve"));
        for argument in command.get_arguments() {
            let name = argument.get_long().unwrap();
            let expected = format!("BUCKETRY_{}", name.replace('-', "_").to_uppercase());
            assert_eq!(argument.get_env().unwrap().to_str().unwrap(), expected);
        }
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        for key in ["listn", "data_dir", "config", "BUCKETRY_LISTEN"] {
            let refused = parse(&format!("{key} = 1")).unwrap_err();
            assert!(
                matches!(&refused, ConfigError::UnknownKey { key: named, .. } if named == key),
                "{refused}"
            );
        }
        let refused = parse("region = \"eu\"\n data_dir = \"x\"")
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains(
                "x.toml, line 2, column 2: unknown setting `data_dir`, did you mean `data-dir`?"
            ),
            "{refused}"
        );
    }

    #[test]
    fn refusals_do_not_repeat_secrets() {
        for text in [
            "database-url = [\"hunter2\"]",
            "database-url = \"hunter2\" x",
            "database-url = \"hunter2",
            "store = \"s3://key:hunter2@bucket\"",
        ] {
            let refused = parse(text).unwrap_err();
            assert!(
                !format!("{refused} {refused:?}").contains("hunter2"),
                "{refused}"
            );
        }
    }

    #[test]
    fn wrong_values_are_refused() {
        for text in [
            "listen = \"127.0.0.1:1\"",
            "listen = [\"localhost:1\"]",
            "trusted-proxy = [\"localhost\"]",
            "trusted-proxy = [\"0.0.0.0/0\"]",
            "forwarded-header = \"x y\"",
            "region = \"EU\"",
            "drain-deadline = 30",
        ] {
            assert!(
                matches!(parse(text), Err(ConfigError::File { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let refused = FileSettings::read(Some(Path::new("/nowhere/x.toml"))).unwrap_err();
        assert!(refused.to_string().contains("/nowhere/x.toml"), "{refused}");
    }
}
