use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::{HeaderName, header};
use ipnet::IpNet;

use super::ip_entry::{IpEntryProblem, parse_ip_entry};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A proxy, or a network of proxies, that may name the client's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustedProxy(IpNet);

/// Why a text names no trusted proxy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustedProxyError {
    /// It is neither an address nor a CIDR block.
    #[error("trusted proxy `{entry}`: {problem}")]
    Entry {
        /// The text as given.
        entry: String,
        /// What is wrong with it.
        problem: IpEntryProblem,
    },
    /// It covers every address of a family.
    #[error(
        "trusted proxy `{entry}` is everybody: every client could choose its own address; name the proxies"
    )]
    Everybody {
        /// The text as given.
        entry: String,
    },
}

impl FromStr for TrustedProxy {
    type Err = TrustedProxyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let entry = || text.chars().take(64).collect();
        let net = parse_ip_entry(text).map_err(|problem| TrustedProxyError::Entry {
            entry: entry(),
            problem,
        })?;
        if net.prefix_len() == 0 {
            return Err(TrustedProxyError::Everybody { entry: entry() });
        }
        Ok(Self(net))
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The one header in which trusted proxies name the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`: a list to which every proxy appends its peer.
    XForwardedFor,
    /// `Forwarded` of RFC 7239.
    Forwarded,
    /// A header that holds nothing but the client's address, as `CF-Connecting-IP` and `X-Real-IP` do. The proxy must
    /// overwrite what the client sent.
    Single(HeaderName),
}

/// Why a text names no forwarding header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a header name; use x-forwarded-for, forwarded, or the name of a header with one address, as in \
     cf-connecting-ip"
)]
pub struct ForwardedHeaderError(String);

impl FromStr for ForwardedHeader {
    type Err = ForwardedHeaderError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = HeaderName::from_bytes(text.as_bytes())
            .map_err(|_| ForwardedHeaderError(text.chars().take(64).collect()))?;
        Ok(if name == X_FORWARDED_FOR {
            Self::XForwardedFor
        } else if name == header::FORWARDED {
            Self::Forwarded
        } else {
            Self::Single(name)
        })
    }
}

impl ForwardedHeader {
    /// The header's name, in lower case.
    #[must_use]
    pub fn name(&self) -> HeaderName {
        match self {
            Self::XForwardedFor => X_FORWARDED_FOR,
            Self::Forwarded => header::FORWARDED,
            Self::Single(name) => name.clone(),
        }
    }
}

/// Whose word about the client is believed, and in which header it stands. By default nobody's; private networks are
/// not special.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forwarding {
    proxies: Vec<IpNet>,
    /// None exactly if there are no proxies.
    header: Option<ForwardedHeader>,
}

/// Why proxies and header do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForwardingError {
    /// A header without trusted proxies.
    #[error(
        "forwarded-header without trusted-proxy: the header is read from trusted proxies only, and none is set"
    )]
    HeaderWithoutProxy,
}

impl Forwarding {
    /// Trusts `proxies` to name the client in `header`, `X-Forwarded-For` if it is not given.
    ///
    /// # Errors
    /// [`ForwardingError`] for a header without proxies.
    pub fn new(
        proxies: &[TrustedProxy],
        header: Option<ForwardedHeader>,
    ) -> Result<Self, ForwardingError> {
        if proxies.is_empty() {
            return match header {
                Some(_) => Err(ForwardingError::HeaderWithoutProxy),
                None => Ok(Self::default()),
            };
        }
        Ok(Self {
            proxies: proxies.iter().map(|proxy| proxy.0).collect(),
            header: Some(header.unwrap_or(ForwardedHeader::XForwardedFor)),
        })
    }

    /// The header that is read from trusted proxies; none if there are no trusted proxies.
    #[must_use]
    pub fn header(&self) -> Option<&ForwardedHeader> {
        self.header.as_ref()
    }

    /// Whether no proxy is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.proxies.is_empty()
    }

    /// Whether an address, in whichever form, is that of a trusted proxy.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.proxies.iter().any(|net| net.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(text: &str) -> TrustedProxy {
        text.parse().unwrap()
    }

    #[test]
    fn proxies_are_read_as_strictly_as_rules() {
        assert_eq!(proxy("10.0.0.7").to_string(), "10.0.0.7/32");
        assert_eq!(proxy("10.0.0.7/8").to_string(), "10.0.0.0/8");
        assert_eq!(proxy("::ffff:10.0.0.7").to_string(), "10.0.0.7/32");
        for (text, part) in [
            ("localhost", "host name"),
            ("010.0.0.1", "leading zero"),
            ("10.0.0.7:80", "port"),
            ("", "empty"),
        ] {
            let refused = text.parse::<TrustedProxy>().unwrap_err().to_string();
            assert!(
                refused.contains(part) && refused.contains(text),
                "{refused}"
            );
        }
        for text in ["0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96", "10.0.0.0/0"] {
            assert!(
                matches!(
                    text.parse::<TrustedProxy>(),
                    Err(TrustedProxyError::Everybody { .. })
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn headers_by_name() {
        for (text, name) in [
            ("X-Forwarded-For", "x-forwarded-for"),
            ("forwarded", "forwarded"),
            ("CF-Connecting-IP", "cf-connecting-ip"),
        ] {
            assert_eq!(text.parse::<ForwardedHeader>().unwrap().name(), name);
        }
        assert_eq!("FORWARDED".parse(), Ok(ForwardedHeader::Forwarded));
        for text in ["", "x y", "x:y", "naïve"] {
            assert!(text.parse::<ForwardedHeader>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_header_needs_somebody_to_send_it() {
        assert_eq!(Forwarding::new(&[], None), Ok(Forwarding::default()));
        assert_eq!(
            Forwarding::new(&[], Some(ForwardedHeader::Forwarded)),
            Err(ForwardingError::HeaderWithoutProxy)
        );
        let default = Forwarding::new(&[proxy("10.0.0.7")], None).unwrap();
        assert_eq!(default.header(), Some(&ForwardedHeader::XForwardedFor));
    }

    #[test]
    fn no_proxy_is_trusted_by_default() {
        let none = Forwarding::default();
        for address in ["127.0.0.1", "10.0.0.1", "192.168.0.1", "::1", "fd00::1"] {
            assert!(!none.trusts(address.parse().unwrap()), "{address}");
        }
        let one = Forwarding::new(&[proxy("10.0.0.0/8")], None).unwrap();
        assert!(one.trusts("10.1.2.3".parse().unwrap()));
        assert!(one.trusts("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!one.trusts("11.0.0.1".parse().unwrap()));
        assert!(!one.trusts("::a01:203".parse().unwrap()));
    }
}
