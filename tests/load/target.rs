//! Where the load goes and with which credentials.

use std::env;
use std::fmt;

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
    fn a_secret_is_not_shown() {
        let credentials = Credentials {
            access_key_id: "ID".into(),
            secret: Secret::new("hidden".into()),
        };
        assert!(!format!("{credentials:?}").contains("hidden"));
    }
}
