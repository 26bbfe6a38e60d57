use std::net::SocketAddr;

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// TLS ends here.
    Tls,
    /// None that this process knows of.
    Plaintext,
}

/// What the socket tells about a request. In the extensions of every request, of gRPC and S3 alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// The other end of the socket; none: it has no address.
    pub peer: Option<SocketAddr>,
    /// How the connection is protected.
    pub encryption: Encryption,
}

impl ConnectionInfo {
    /// Whether the other end is this machine, by its address: the only place from which plaintext is safe. An
    /// IPv4-mapped loopback address counts.
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
                encryption: Encryption::Plaintext,
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
}
