//! The address that IP rules judge.

use std::fmt;
use std::net::IpAddr;

/// The client's address in canonical form, or the knowledge that it is unknown.
///
/// IPv4-mapped IPv6 (what a dual-stack listener sees of an IPv4 client) is IPv4 here, so that one address has one form.
/// Unknown is what a Unix socket or an unreadable forwarding header gives: any IP rule refuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(Option<IpAddr>);

impl ClientAddress {
    /// The address is unknown.
    pub const UNKNOWN: Self = Self(None);

    /// The canonical form of an address.
    #[must_use]
    pub fn known(address: IpAddr) -> Self {
        Self(Some(address.to_canonical()))
    }

    /// The canonical address, if known.
    #[must_use]
    pub fn ip(self) -> Option<IpAddr> {
        self.0
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_addresses_become_ipv4() {
        let mapped = ClientAddress::known("::ffff:10.1.2.3".parse().unwrap());
        assert_eq!(mapped, ClientAddress::known("10.1.2.3".parse().unwrap()));
        assert_eq!(mapped.to_string(), "10.1.2.3");
    }

    #[test]
    fn other_ipv6_stays() {
        for text in ["::1", "2001:db8::1", "64:ff9b::a01:203", "::10.1.2.3"] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(ClientAddress::known(address).ip(), Some(address));
        }
        assert_eq!(ClientAddress::UNKNOWN.to_string(), "unknown");
    }
}
