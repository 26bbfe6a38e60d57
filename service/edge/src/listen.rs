use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// The kernel's queue of connections that are not accepted yet.
const BACKLOG: i32 = 1024;

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    /// The cause.
    pub source: io::Error,
}

/// What the connections of a listener begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preamble {
    /// TLS or HTTP, without a PROXY protocol header.
    None,
    /// A PROXY protocol header from a trusted proxy. Every other connection is closed.
    ProxyProtocol,
}

/// What the connections of a listener are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListenerRole {
    /// gRPC and S3.
    #[default]
    Data,
    /// The browser console.
    Console,
}

/// A socket that is listened on.
#[derive(Debug)]
pub struct Listener {
    /// The socket.
    pub socket: TcpListener,
    /// What its connections begin with.
    pub preamble: Preamble,
    /// Reaches the handler of each request in its [`crate::ConnectionInfo`].
    pub role: ListenerRole,
}

/// Listens on an address; port 0 takes a free one. `[::]` takes IPv4 connections too. Must be called within a runtime.
///
/// # Errors
/// [`ListenError`] naming the address.
pub fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    bind(address, Ipv4::Taken).map_err(|source| ListenError { address, source })
}

/// Listens for gRPC and S3 on several addresses, in their order. `[::]` takes IPv4 connections too, unless an IPv4 address with the same
/// port is among them: then each takes its own. Must be called within a runtime.
///
/// # Errors
/// [`ListenError`] naming the address.
pub fn listen_all(
    addresses: impl IntoIterator<Item = (SocketAddr, Preamble)>,
) -> Result<Vec<Listener>, ListenError> {
    let addresses: Vec<_> = addresses.into_iter().collect();
    let all: Vec<SocketAddr> = addresses.iter().map(|(address, _)| *address).collect();
    let listener = |(address, preamble)| {
        let socket = bind(address, ipv4_connections(address, &all))
            .map_err(|source| ListenError { address, source })?;
        Ok(Listener {
            socket,
            preamble,
            role: ListenerRole::Data,
        })
    };
    addresses.into_iter().map(listener).collect()
}

/// What `[::]` does with IPv4 connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ipv4 {
    /// Takes them; the peer's address is an IPv4-mapped one.
    Taken,
    /// Leaves them to another listener.
    Left,
}

fn ipv4_connections(address: SocketAddr, all: &[SocketAddr]) -> Ipv4 {
    let same_port = |other: &SocketAddr| other.port() == address.port() && other.port() != 0;
    if all.iter().any(|other| other.is_ipv4() && same_port(other)) {
        Ipv4::Left
    } else {
        Ipv4::Taken
    }
}

fn bind(address: SocketAddr, ipv4: Ipv4) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // Lets a restart bind while connections of the previous process are in TIME_WAIT.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // Set explicitly, since the system's default varies.
        let every = address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        socket.set_only_v6(!every || ipv4 == Ipv4::Left)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv4_connections_have_one_listener() {
        for (all, expected) in [
            (&["[::]:9000"][..], Ipv4::Taken),
            (&["[::]:9000", "0.0.0.0:9001"], Ipv4::Taken),
            (&["[::]:9000", "[::1]:9000"], Ipv4::Taken),
            (&["[::]:9000", "0.0.0.0:9000"], Ipv4::Left),
            (&["127.0.0.1:9000", "[::]:9000"], Ipv4::Left),
        ] {
            let all: Vec<SocketAddr> = all.iter().map(|text| text.parse().unwrap()).collect();
            let every = "[::]:9000".parse().unwrap();
            assert_eq!(ipv4_connections(every, &all), expected, "{all:?}");
        }
        // Port 0 gives each a port of its own.
        let free = ["[::]:0", "0.0.0.0:0"].map(|text| text.parse().unwrap());
        assert_eq!(ipv4_connections(free[0], &free), Ipv4::Taken);
    }

    #[tokio::test]
    async fn both_families_of_a_port_can_be_listened_on_apart() {
        let ipv4 = bind("0.0.0.0:0".parse().unwrap(), Ipv4::Taken).unwrap();
        let port = ipv4.local_addr().unwrap().port();
        let every = format!("[::]:{port}").parse().unwrap();
        let in_use = bind(every, Ipv4::Taken).unwrap_err();
        assert_eq!(in_use.kind(), io::ErrorKind::AddrInUse);
        bind(every, Ipv4::Left).unwrap();
    }
}
