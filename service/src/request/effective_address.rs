use std::sync::Arc;

use bucketry_edge::forwarding::{AddressBasis, Forwarding, client_address_of};
use bucketry_edge::{ConnectionInfo, Relayed};
use http::HeaderMap;

use crate::access::ClientAddress;

/// The address of one request's client, as IP rules judge it. In the extensions of every request, of gRPC and S3 alike.
///
/// It belongs to the request and not to the connection: a proxy sends the requests of many clients over one connection.
#[derive(Debug, Clone)]
pub struct EffectiveAddress {
    /// The address.
    pub address: ClientAddress,
    /// Its source.
    pub source: AddressSource,
    /// What the forwarding header had to do with it.
    pub basis: AddressBasis,
    /// Whom this server trusts.
    pub forwarding: Arc<Forwarding>,
}

/// The source of a client's address, or the source that should have named it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressSource {
    /// The other end of the socket.
    Peer,
    /// The PROXY protocol header of the connection.
    ProxyProtocol,
    /// A forwarding header.
    Header,
}

impl EffectiveAddress {
    /// Derives the address of a request from its connection and its headers.
    pub(crate) fn derive(
        connection: &ConnectionInfo,
        forwarding: &Arc<Forwarding>,
        headers: &HeaderMap,
    ) -> Self {
        let socket = connection.peer.map(|peer| peer.ip());
        let (peer, unforwarded) = match connection.relayed {
            None => (socket, AddressSource::Peer),
            Some(Relayed::From(source)) => (Some(source), AddressSource::ProxyProtocol),
            Some(Relayed::Unknown) => (None, AddressSource::ProxyProtocol),
            Some(Relayed::Local) => {
                // The proxy asks for itself, so that there is nobody whom a header could name.
                return Self {
                    address: socket.map_or(ClientAddress::UNKNOWN, ClientAddress::known),
                    source: AddressSource::ProxyProtocol,
                    basis: AddressBasis::Peer,
                    forwarding: Arc::clone(forwarding),
                };
            }
        };
        let derived = client_address_of(peer, forwarding, headers);
        Self {
            address: derived
                .address
                .map_or(ClientAddress::UNKNOWN, ClientAddress::known),
            source: match derived.basis {
                AddressBasis::Peer | AddressBasis::NoPeer => unforwarded,
                AddressBasis::Header
                | AddressBasis::HeaderAllTrusted
                | AddressBasis::HeaderMissing
                | AddressBasis::HeaderUnreadable
                | AddressBasis::HeaderTooLong
                | AddressBasis::HeaderRepeated => AddressSource::Header,
            },
            basis: derived.basis,
            forwarding: Arc::clone(forwarding),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bucketry_edge::{ClientCertificate, Encryption};

    const FORWARDED: &str = "203.0.113.5";

    fn derived(peer: &str, relayed: Option<Relayed>) -> (String, AddressSource) {
        let connection = ConnectionInfo {
            peer: Some(format!("{peer}:1").parse().unwrap()),
            local: None,
            encryption: Encryption::Plaintext,
            client_certificate: ClientCertificate::None,
            relayed,
            role: bucketry_edge::ListenerRole::Data,
        };
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        let forwarding = Arc::new(Forwarding::new(&proxies, None).unwrap());
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", FORWARDED.parse().unwrap());
        let found = EffectiveAddress::derive(&connection, &forwarding, &headers);
        (found.address.to_string(), found.source)
    }

    #[test]
    fn the_proxy_protocol_moves_the_peer_and_headers_come_after_it() {
        use AddressSource::{Header, Peer, ProxyProtocol};
        let from = |text: &str| Some(Relayed::From(text.parse().unwrap()));
        for (peer, relayed, address, source) in [
            ("192.0.2.1", None, "192.0.2.1", Peer),
            ("10.0.0.1", None, FORWARDED, Header),
            ("10.0.0.1", from("192.0.2.1"), "192.0.2.1", ProxyProtocol),
            ("10.0.0.1", from("10.0.0.2"), FORWARDED, Header),
            ("10.0.0.1", Some(Relayed::Local), "10.0.0.1", ProxyProtocol),
            ("10.0.0.1", Some(Relayed::Unknown), "unknown", ProxyProtocol),
        ] {
            let expected = (address.to_owned(), source);
            assert_eq!(derived(peer, relayed), expected, "{peer} {relayed:?}");
        }
    }
}
