use std::net::SocketAddr;

use super::Relayed;

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// TLS ends here.
    Tls,
    /// None that this process knows of.
    Plaintext,
}

/// What the other end proved of itself in the TLS handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificate {
    /// Nothing: it showed no certificate, was asked for none, or there is no TLS.
    None,
    /// A certificate of an authority that the server was told to trust.
    Verified,
}

/// What the connection tells about a request. In the extensions of every request, of gRPC and S3 alike. Whose request it
/// is, is another question: a proxy sends those of many clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// The other end of the socket; none: it has no address.
    pub peer: Option<SocketAddr>,
    /// This end of the socket: the address that the other end reached; none: it has no address.
    pub local: Option<SocketAddr>,
    /// How the connection is protected.
    pub encryption: Encryption,
    /// What the other end proved of itself.
    pub client_certificate: ClientCertificate,
    /// What the PROXY protocol header says; none: the connection came to a listener without one.
    pub relayed: Option<Relayed>,
}

impl ConnectionInfo {
    /// Whether the other end is this machine, by its address: the only place from which plaintext is safe. An
    /// IPv4-mapped loopback address counts.
    ///
    /// This is about who can listen in on the socket, so only the socket's own peer counts. What a proxy says of the
    /// client (a header, the PROXY protocol) makes a remote connection no safer. The other way round, the connection of
    /// a trusted proxy on this machine is loopback, whoever its client is: the hop that carries the plaintext does not
    /// leave the machine, and how the proxy is reached is the choice of the operator who trusts it.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.peer
            .is_some_and(|peer| peer.ip().to_canonical().is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_by_canonical_address_only() {
        let loopback = |peer: Option<&str>| {
            ConnectionInfo {
                peer: peer.map(|text| text.parse().unwrap()),
                local: None,
                encryption: Encryption::Plaintext,
                client_certificate: ClientCertificate::None,
                relayed: None,
            }
            .is_loopback()
        };
        assert!(
            loopback(Some("127.0.0.1:1"))
                && loopback(Some("[::1]:1"))
                && loopback(Some("[::ffff:127.0.0.1]:1"))
        );
        assert!(
            !loopback(Some("10.0.0.1:1"))
                && !loopback(Some("[::ffff:10.0.0.1]:1"))
                && !loopback(None)
        );
    }

    #[test]
    fn what_a_proxy_says_makes_nobody_local() {
        let local = |peer: &str, relayed| {
            ConnectionInfo {
                peer: Some(peer.parse().unwrap()),
                local: None,
                encryption: Encryption::Plaintext,
                client_certificate: ClientCertificate::None,
                relayed: Some(relayed),
            }
            .is_loopback()
        };
        let claimed = Relayed::From([127, 0, 0, 1].into());
        assert!(!local("10.0.0.7:1", claimed) && !local("10.0.0.7:1", Relayed::Local));
        assert!(local("127.0.0.1:1", Relayed::From([192, 0, 2, 1].into())));
    }
}
