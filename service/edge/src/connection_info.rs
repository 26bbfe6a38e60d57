use std::net::SocketAddr;

use super::{ListenerRole, Relayed};

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// By TLS, which this process terminates.
    Tls,
    /// By nothing that this process knows of.
    Plaintext,
}

/// The authentication of the peer in the TLS handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificate {
    /// None: the peer sent no certificate, was not asked for one, or there is no TLS.
    None,
    /// A certificate of an authority that the server trusts.
    Verified,
}

/// Facts of the connection, in the extensions of every gRPC and S3 request. They do not identify the client: a proxy
/// sends the requests of many clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// The peer's address; `None` if it has no address.
    pub peer: Option<SocketAddr>,
    /// The local address, which the peer connected to; `None` if it has no address.
    pub local: Option<SocketAddr>,
    /// How the connection is protected.
    pub encryption: Encryption,
    /// The authentication of the peer.
    pub client_certificate: ClientCertificate,
    /// The PROXY protocol header; `None` if the listener expects none.
    pub relayed: Option<Relayed>,
    /// What the listener that took the connection is for.
    pub role: ListenerRole,
}

impl ConnectionInfo {
    /// Whether the other end is this machine, by its address: the only place from which plaintext is safe. An
    /// IPv4-mapped loopback address counts.
    ///
    /// The question is who can read the plaintext on the wire, so only the socket's peer counts. The client's address as
    /// reported by a proxy (a header, the PROXY protocol) does not make a remote connection safer. Conversely, the
    /// connection of a trusted proxy on this machine is loopback for any client: the hop that carries the plaintext does
    /// not leave the machine, and protecting the way to the proxy is up to the operator who trusts it.
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
                role: ListenerRole::Data,
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
                role: ListenerRole::Data,
            }
            .is_loopback()
        };
        let claimed = Relayed::From([127, 0, 0, 1].into());
        assert!(!local("10.0.0.7:1", claimed) && !local("10.0.0.7:1", Relayed::Local));
        assert!(local("127.0.0.1:1", Relayed::From([192, 0, 2, 1].into())));
    }
}
