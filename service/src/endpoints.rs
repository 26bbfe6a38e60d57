//! The URLs by which clients reach this server, any of which a sign-in may name as the dialled endpoint.

use std::net::IpAddr;

use bucketry_sign_in::normalized_endpoint;

use crate::error::Error;
use bucketry_edge::{ConnectionInfo, Encryption};

/// The endpoints that are valid on every connection, in addition to the address at which a connection arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Endpoints(Vec<String>);

impl Endpoints {
    /// The public URL, the aliases, and the origins of consoles.
    pub(crate) fn new<'a>(urls: impl IntoIterator<Item = &'a str>) -> Self {
        Self(urls.into_iter().filter_map(normalized_endpoint).collect())
    }

    /// Refuses an endpoint that is not one of this server: either the sign-in is being relayed, or an
    /// `--endpoint-alias` is missing.
    ///
    /// # Errors
    /// [`Error::OtherEndpoint`] names both sides.
    pub(crate) fn check(&self, dialled: &str, connection: &ConnectionInfo) -> Result<(), Error> {
        let own = own_endpoint(connection);
        if self.0.iter().chain(&own).any(|known| known == dialled)
            || is_local_name(dialled, own.as_deref())
        {
            return Ok(());
        }
        let mut known = self.0.clone();
        known.extend(own.into_iter().filter(|own| !self.0.contains(own)));
        Err(Error::OtherEndpoint {
            dialled: dialled.chars().take(MAX_SHOWN).collect(),
            known: known.join(", "),
        })
    }
}

/// Whether a text is the address at which the connection arrived, or a local name of it.
pub(crate) fn is_own_endpoint(text: &str, connection: &ConnectionInfo) -> bool {
    let own = own_endpoint(connection);
    own.as_deref() == Some(text) || is_local_name(text, own.as_deref())
}

/// The longest endpoint that is repeated in an error, in characters: a host name has at most 253.
const MAX_SHOWN: usize = 300;

/// The address at which the connection arrived, as an endpoint.
fn own_endpoint(connection: &ConnectionInfo) -> Option<String> {
    let local = connection.local?;
    let scheme = match connection.encryption {
        Encryption::Tls => "https",
        Encryption::Plaintext => "http",
    };
    let host = match local.ip().to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    normalized_endpoint(&format!("{scheme}://{host}:{}", local.port()))
}

/// Whether the endpoint is `localhost`, or a name below it, where the connection arrived at a loopback address.
fn is_local_name(dialled: &str, own: Option<&str>) -> bool {
    let (Some(dialled), Some(own)) = (split(dialled), own.and_then(split)) else {
        return false;
    };
    let (scheme, host, port) = dialled;
    let loopback = own.1.trim_matches(['[', ']']).parse::<IpAddr>();
    loopback.is_ok_and(|address| address.is_loopback())
        && (scheme, port) == (own.0, own.2)
        && (host == "localhost" || host.ends_with(".localhost"))
}

/// Scheme, host and port, the last empty if it is the scheme's own.
fn split(endpoint: &str) -> Option<(&str, &str, &str)> {
    let (scheme, authority) = endpoint.split_once("://")?;
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => Some((scheme, host, port)),
        Some(_) | None => Some((scheme, authority, "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bucketry_edge::ClientCertificate;

    fn connection(local: &str, encryption: Encryption) -> ConnectionInfo {
        ConnectionInfo {
            peer: None,
            local: Some(local.parse().unwrap()),
            encryption,
            client_certificate: ClientCertificate::None,
            relayed: None,
            role: bucketry_edge::ListenerRole::Data,
        }
    }

    fn endpoints() -> Endpoints {
        let urls = ["https://S3.example.com", "http://haproxy.internal:80"];
        Endpoints::new(urls)
    }

    #[test]
    fn public_url_aliases_and_the_address_of_arrival_are_taken() {
        use Encryption::{Plaintext, Tls};
        for (dialled, local, encryption) in [
            ("https://s3.example.com", "10.0.0.1:9000", Plaintext),
            ("http://haproxy.internal", "10.0.0.1:9000", Plaintext),
            ("http://10.0.0.1:9000", "10.0.0.1:9000", Plaintext),
            ("https://10.0.0.1", "10.0.0.1:443", Tls),
            ("http://10.0.0.1:9000", "[::ffff:10.0.0.1]:9000", Plaintext),
            ("http://[2001:db8::1]:9000", "[2001:db8::1]:9000", Plaintext),
            ("http://localhost:9000", "127.0.0.1:9000", Plaintext),
            ("https://s3.localhost:9000", "[::1]:9000", Tls),
            ("http://localhost", "[::1]:80", Plaintext),
        ] {
            let connection = connection(local, encryption);
            assert!(endpoints().check(dialled, &connection).is_ok(), "{dialled}");
        }
    }

    #[test]
    fn every_other_endpoint_is_refused_and_both_sides_are_named() {
        use Encryption::{Plaintext, Tls};
        for (dialled, local, encryption) in [
            ("http://s3.example.com", "10.0.0.1:9000", Plaintext),
            ("https://s3.example.com:9000", "10.0.0.1:9000", Plaintext),
            ("http://10.0.0.2:9000", "10.0.0.1:9000", Plaintext),
            ("http://10.0.0.1:9001", "10.0.0.1:9000", Plaintext),
            ("http://10.0.0.1:9000", "10.0.0.1:9000", Tls),
            ("http://localhost:9000", "10.0.0.1:9000", Plaintext),
            ("http://localhost:9001", "127.0.0.1:9000", Plaintext),
            ("http://evil-localhost:9000", "127.0.0.1:9000", Plaintext),
            ("", "127.0.0.1:9000", Plaintext),
        ] {
            let refused = endpoints().check(dialled, &connection(local, encryption));
            let text = refused.unwrap_err().to_string();
            assert!(
                text.contains(dialled) && text.contains("https://s3.example.com"),
                "{text}"
            );
            assert!(text.contains("--endpoint-alias"), "{text}");
        }
    }
}
