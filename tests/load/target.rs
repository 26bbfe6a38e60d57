//! Where the load goes and with which credentials.

use std::env;
use std::fmt;
use std::sync::Arc;

use clap::ValueEnum;
use http::Uri;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::fault::Fault;

/// The front door that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Front {
    /// S3 REST over HTTP/1.1.
    S3,
    /// gRPC over HTTP/2.
    Grpc,
}

impl Front {
    /// The name as arguments and reports have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Grpc => "grpc",
        }
    }
}

/// A secret access key: never shown, wiped when dropped.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the secret over.
    pub(crate) fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The secret itself, for signing and for the bearer header.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// An access key.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    /// The access key id.
    pub(crate) access_key_id: String,
    /// The secret access key.
    pub(crate) secret: Secret,
}

impl Credentials {
    /// Reads `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    pub(crate) fn from_environment() -> Result<Self, Fault> {
        let read = |name| env::var(name).map_err(|_| Fault::MissingVariable { name });
        Ok(Self {
            access_key_id: read("AWS_ACCESS_KEY_ID")?,
            secret: Secret::new(read("AWS_SECRET_ACCESS_KEY")?),
        })
    }
}

/// A server's address: `host:port` of a plain HTTP endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority(String);

impl Authority {
    /// Parses `http://host:port`. TLS is refused: it would be measured, not the server.
    pub(crate) fn parse(endpoint: &str) -> Result<Self, Fault> {
        let refused = || Fault::Endpoint {
            endpoint: endpoint.to_owned(),
        };
        let uri: Uri = endpoint.parse().map_err(|_| refused())?;
        match (uri.scheme_str(), uri.host(), uri.port_u16()) {
            (Some("http"), Some(host), Some(port)) => Ok(Self(format!("{host}:{port}"))),
            _ => Err(refused()),
        }
    }

    /// `host:port`.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// One bucket of one server behind one front, with the key that opens it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The front.
    pub(crate) front: Front,
    /// The server.
    pub(crate) authority: Authority,
    /// The bucket.
    pub(crate) bucket: String,
    /// The key.
    pub(crate) credentials: Credentials,
    /// The region that signatures name.
    pub(crate) region: String,
    /// Keys that requests to the S3 front use in turn; empty: all use `credentials`.
    pub(crate) tokens: Arc<[Credentials]>,
}

impl Target {
    /// The target with a connection's share of the tokens.
    pub(crate) fn share(&self, number: u16, connections: u16) -> Self {
        // Fewer tokens than connections: several connections have the same one.
        let first = usize::from(number) % self.tokens.len().max(1);
        let share = self.tokens.iter().skip(first);
        let share = share.step_by(usize::from(connections.max(1)));
        Self {
            tokens: share.cloned().collect(),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_needs_scheme_host_and_port() {
        for (endpoint, expected) in [
            ("http://127.0.0.1:9000", Some("127.0.0.1:9000")),
            ("http://[::1]:9000/", Some("[::1]:9000")),
            ("https://127.0.0.1:9000", None),
            ("http://127.0.0.1", None),
            ("127.0.0.1:9000", None),
            ("", None),
        ] {
            let parsed = Authority::parse(endpoint).ok();
            assert_eq!(
                parsed.as_ref().map(Authority::as_str),
                expected,
                "{endpoint}"
            );
        }
    }

    #[test]
    fn connections_share_the_tokens() {
        let credentials = |number: u16| Credentials {
            access_key_id: number.to_string(),
            secret: Secret::new("secret".into()),
        };
        let target = |tokens: u16| Target {
            front: Front::S3,
            authority: Authority("127.0.0.1:9000".into()),
            bucket: "bucket".into(),
            credentials: credentials(99),
            region: "us-east-1".into(),
            tokens: (0..tokens).map(credentials).collect(),
        };
        let ids = |target: Target| -> Vec<String> {
            let tokens = target.tokens.iter();
            tokens.map(|token| token.access_key_id.clone()).collect()
        };
        assert_eq!(ids(target(5).share(0, 2)), ["0", "2", "4"]);
        assert_eq!(ids(target(5).share(1, 2)), ["1", "3"]);
        assert_eq!(ids(target(2).share(3, 8)), ["1"]);
        assert!(ids(target(0).share(1, 2)).is_empty());
    }

    #[test]
    fn a_secret_is_not_shown() {
        let credentials = Credentials {
            access_key_id: "ID".into(),
            secret: Secret::new("hidden".into()),
        };
        assert!(!format!("{credentials:?}").contains("hidden"));
    }
}
