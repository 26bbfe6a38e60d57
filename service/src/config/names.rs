use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Why a text is not the name or address it should be. Holds the text as given: none of these is secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a host name.
    #[error(
        "`{0}` is not a host name: labels of a-z, 0-9 and `-`, joined by dots, at most 253 characters"
    )]
    Domain(String),
    /// Not a region name.
    #[error("`{0}` is not a region: 1 to 63 characters of a-z, 0-9 and `-`")]
    Region(String),
    /// Not the URL of an endpoint.
    #[error(
        "`{0}` is not an endpoint URL: http:// or https://, a host, an optional port, nothing else"
    )]
    PublicUrl(String),
    /// Not an address and port.
    #[error("`{0}` is not an IP address with a port, as in 127.0.0.1:9000 or [::]:9000")]
    Listener(String),
    /// Neither an address and port nor `none`.
    #[error("`{0}` is neither an IP address with a port, as in 127.0.0.1:9001, nor none")]
    ConsoleListen(String),
    /// Not a log filter.
    #[error(
        "`{0}` is not a log level or filter, as in info or warn,bucketry=debug; the levels are error, warn, info, debug, trace and off"
    )]
    LogFilter(String),
}

/// A host name under which buckets are addressed as `BUCKET.DOMAIN`. Lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain(String);

impl Domain {
    /// The name, lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The default domain.
    #[must_use]
    pub fn localhost() -> Self {
        Self("localhost".to_owned())
    }
}

impl FromStr for Domain {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.to_ascii_lowercase();
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // An address is no domain: no bucket can stand before it.
        if lower.len() <= 253 && lower.split('.').all(label) && lower.parse::<IpAddr>().is_err() {
            Ok(Self(lower))
        } else {
            Err(NameError::Domain(text.to_owned()))
        }
    }
}

/// The region that signatures are scoped to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region(String);

impl Region {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Region {
    /// `us-east-1`, the default of S3 clients.
    fn default() -> Self {
        Self("us-east-1".to_owned())
    }
}

impl FromStr for Region {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=63).contains(&text.len()) && text.bytes().all(known) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::Region(text.to_owned()))
        }
    }
}

/// The URL under which clients reach the server: scheme, host and optional port, no slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    url: String,
    host: String,
}

impl PublicUrl {
    /// `http://localhost:PORT` of a listener's real address, `https` with TLS.
    #[must_use]
    pub fn of_listener(address: SocketAddr, scheme: &str) -> Self {
        Self {
            url: format!("{scheme}://localhost:{}", address.port()),
            host: "localhost".to_owned(),
        }
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Host and port, as clients send them in `Host`.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.url
            .split_once("://")
            .map_or("", |(_, authority)| authority)
    }

    /// The host as a domain for virtual-host addressing; none if it is an address.
    #[must_use]
    pub fn domain(&self) -> Option<Domain> {
        self.host.parse().ok()
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl FromStr for PublicUrl {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || NameError::PublicUrl(text.to_owned());
        let uri: http::Uri = text.parse().map_err(|_| refused())?;
        let scheme = uri
            .scheme_str()
            .filter(|s| matches!(*s, "http" | "https"))
            .ok_or_else(refused)?;
        let authority = uri.authority().ok_or_else(refused)?;
        let host = authority.host();
        let odd_port = authority.as_str().ends_with(':') || authority.as_str().contains('@');
        if !uri.path().trim_end_matches('/').is_empty()
            || uri.query().is_some()
            || odd_port
            || text.contains('#')
        {
            return Err(refused());
        }
        if host.parse::<Domain>().is_err()
            && host.trim_matches(['[', ']']).parse::<IpAddr>().is_err()
        {
            return Err(refused());
        }
        let (scheme, authority, host) = (
            scheme.to_ascii_lowercase(),
            authority.as_str().to_ascii_lowercase(),
            host.to_ascii_lowercase(),
        );
        Ok(Self {
            url: format!("{scheme}://{authority}"),
            host,
        })
    }
}

/// The value of `--console-listen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsoleListen {
    /// `none`: there is no console.
    Disabled,
    /// On this address and port.
    At(SocketAddr),
}

impl FromStr for ConsoleListen {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::Disabled),
            _ => {
                (text.parse().map(Self::At)).map_err(|_| NameError::ConsoleListen(text.to_owned()))
            }
        }
    }
}

/// Which events are logged: a level, or directives per target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// The filter's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LogFilter {
    /// `info`.
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl FromStr for LogFilter {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The parser takes a word that is no level for a module whose name it is: a level with a slip of the pen.
        let bare_words_are_levels = text
            .split(',')
            .map(str::trim)
            .filter(|directive| !directive.contains(['=', '[', ':']))
            .all(|word| word.parse::<LevelFilter>().is_ok());
        match EnvFilter::builder().parse(text) {
            Ok(_) if !text.trim().is_empty() && bare_words_are_levels => Ok(Self(text.to_owned())),
            _ => Err(NameError::LogFilter(text.to_owned())),
        }
    }
}

/// Reads the address and port of a listener.
///
/// # Errors
/// [`NameError::Listener`]
pub(super) fn parse_listener(text: &str) -> Result<SocketAddr, NameError> {
    text.parse()
        .map_err(|_| NameError::Listener(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains() {
        assert_eq!(
            "S3.Example.com".parse::<Domain>().unwrap().as_str(),
            "s3.example.com"
        );
        assert_eq!("localhost".parse::<Domain>().unwrap(), Domain::localhost());
        let long = ["a".repeat(63).as_str(); 4].join(".");
        for text in [
            "",
            ".",
            "a.",
            "-a",
            "a-",
            "a_b",
            "127.0.0.1",
            "::1",
            "a:9000",
            "é.de",
            &"a".repeat(64),
            &long,
        ] {
            assert!(text.parse::<Domain>().is_err(), "{text}");
        }
    }

    #[test]
    fn regions() {
        assert_eq!(
            "eu-central-1".parse::<Region>().unwrap().as_str(),
            "eu-central-1"
        );
        for text in ["", "EU", "eu west", "eu/west", &"a".repeat(64)] {
            assert!(text.parse::<Region>().is_err(), "{text}");
        }
    }

    #[test]
    fn public_urls_keep_scheme_host_and_port() {
        for (text, url) in [
            ("https://s3.example.com", "https://s3.example.com"),
            ("http://S3.example.com:9000/", "http://s3.example.com:9000"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://[::1]:9000", "http://[::1]:9000"),
        ] {
            assert_eq!(text.parse::<PublicUrl>().unwrap().as_str(), url);
        }
        for text in [
            "",
            "s3.example.com",
            "ftp://h",
            "http://",
            "http://h/path",
            "http://h?x",
            "http://h#x",
            "http://u@h",
            "http://h:",
            "/",
        ] {
            assert!(text.parse::<PublicUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_gives_no_domain() {
        assert_eq!("http://[::1]".parse::<PublicUrl>().unwrap().domain(), None);
        assert_eq!(
            "http://10.0.0.1:1".parse::<PublicUrl>().unwrap().domain(),
            None
        );
        let url = "https://s3.example.com:1".parse::<PublicUrl>().unwrap();
        assert_eq!(url.domain().unwrap().as_str(), "s3.example.com");
    }

    #[test]
    fn listeners_have_an_address_and_a_port() {
        for text in ["127.0.0.1:9000", "[::]:9000"] {
            assert_eq!(parse_listener(text).unwrap().to_string(), text);
        }
        for text in ["", "9000", ":9000", "localhost:9000", "127.0.0.1"] {
            assert!(parse_listener(text).is_err(), "{text}");
        }
    }

    #[test]
    fn log_filters() {
        for text in [
            "info",
            "WARN",
            "warn,bucketry=debug",
            "off",
            "bucketry::ops",
        ] {
            assert_eq!(text.parse::<LogFilter>().unwrap().as_str(), text);
        }
        for text in ["", " ", "bucketry=loud", "loud", "warn,loud", "inof"] {
            assert!(text.parse::<LogFilter>().is_err(), "{text}");
        }
    }
}
