//! The origin of a web page, as browsers send it.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Scheme, host and, unless it is the scheme's own, port; lower case, as in the header `Origin`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebOrigin(String);

/// Why a text is not the origin of a page. Holds the text as given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an origin: http:// or https://, a host, an optional port, nothing else")]
pub struct WebOriginError(String);

impl WebOrigin {
    /// As browsers send it in the header `Origin`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the value of a header `Origin`. Browsers spell an origin in one way.
    #[must_use]
    pub fn is(&self, header: &[u8]) -> bool {
        self.0.as_bytes() == header
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for WebOrigin {
    type Err = WebOriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        normalized(text).ok_or_else(|| WebOriginError(text.to_owned()))
    }
}

fn normalized(text: &str) -> Option<WebOrigin> {
    let (scheme, authority) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let own_port = match scheme.as_str() {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let (host, port) = split_port(authority)?;
    let mut host = host.to_ascii_lowercase();
    if !is_host(&host) {
        return None;
    }
    // Browsers shorten addresses.
    let address = host.trim_matches(['[', ']']).parse::<Ipv6Addr>();
    if let Ok(address) = address {
        host = format!("[{address}]");
    }
    Some(WebOrigin(match port {
        Some(port) if port != own_port => format!("{scheme}://{host}:{port}"),
        Some(_) | None => format!("{scheme}://{host}"),
    }))
}

/// The host, IPv6 addresses in brackets, and the port.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let after_literal = authority.rfind(']').unwrap_or(0);
    let Some(colon) = authority[after_literal..].find(':') else {
        return Some((authority, None));
    };
    let (host, port) = authority.split_at(after_literal + colon);
    let digits = &port[1..];
    let number = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())??;
    Some((host, Some(number)))
}

fn is_host(host: &str) -> bool {
    if let Some(literal) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return literal.parse::<Ipv6Addr>().is_ok();
    }
    let label = |label: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.bytes().all(known)
    };
    // What consists of digits and dots is an address, and must be one.
    let is_numeric = host
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    match is_numeric {
        true => host.parse::<Ipv4Addr>().is_ok(),
        false => host.len() <= 253 && host.split('.').all(label),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn origins_are_spelled_as_browsers_do() {
        for (text, origin) in [
            ("https://console.example.com", "https://console.example.com"),
            (
                "HTTPS://Console.Example.com:443",
                "https://console.example.com",
            ),
            ("http://localhost:80", "http://localhost"),
            ("http://localhost:443", "http://localhost:443"),
            ("http://127.0.0.1:9001", "http://127.0.0.1:9001"),
            ("http://[::1]:9001", "http://[::1]:9001"),
        ] {
            let parsed: WebOrigin = text.parse().unwrap();
            assert_eq!(parsed.as_str(), origin);
            assert!(parsed.is(origin.as_bytes()));
            assert_eq!(origin.parse(), Ok(parsed));
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "*",
            "null",
            "console.example.com",
            "//h",
            "ftp://h",
            "http://",
            "http://h/",
            "http://h/path",
            "http://h?x",
            "http://h#x",
            "http://u@h",
            "http://h:",
            "http://h:x",
            "http://h:+1",
            "http://h:65536",
            "http://h:1:2",
            "http://*.example.com",
            "http://a..b",
            "http://1.2.3",
            "http://[::1",
            "http://[::1]x:1",
            "http://::1",
            "http://é.de",
            " http://h",
            "http://h http://i",
        ] {
            assert!(text.parse::<WebOrigin>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_panic(text in "(https?://)?\\PC{0,40}") {
            if let Ok(origin) = text.parse::<WebOrigin>() {
                prop_assert_eq!(origin.as_str().parse(), Ok(origin.clone()));
            }
        }
    }
}
