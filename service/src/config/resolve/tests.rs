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
        config.storage.places.store,
        "file://./bucketry-data/blobs".parse().unwrap()
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
            Err(ConfigError::Zero { name, bound: "more than 0s" }) if name == zero
        ));
    }
    let shortest = UpkeepSettings {
        collect_interval: Some(Duration::from_nanos(1)),
        ..settings(1, 1, 2)
    };
    assert!(UpkeepConfig::resolve(shortest).is_ok());
    let refused = UpkeepConfig::resolve(settings(0, 1, 9)).map(drop);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "collect-interval must be more than 0s"
    );
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
    let postgres = DatabaseUrl::Postgres("postgres://h/d".to_owned().into());
    for (url, connections) in [(&sqlite, 8), (&postgres, 16)] {
        let default = DatabaseConfig::resolve(&DatabaseSettings::default(), url).unwrap();
        assert_eq!(default.connections, connections);
        let caches = (default.key_cache, default.object_cache);
        assert_eq!(caches, (128 << 20, 28 << 20));
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
    let settings = DatabaseSettings {
        key_cache: Some(1),
        object_cache: Some(2),
        ..DatabaseSettings::default()
    };
    let config = DatabaseConfig::resolve(&settings, &sqlite).unwrap();
    assert_eq!((config.key_cache, config.object_cache), (1, 2));
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
