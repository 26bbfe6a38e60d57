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
    /// Nothing: TLS or HTTP is the first that comes.
    None,
    /// A PROXY protocol header from a trusted proxy. Every other connection is closed.
    ProxyProtocol,
}

/// A socket that is listened on.
#[derive(Debug)]
pub struct Listener {
    /// The socket.
    pub socket: TcpListener,
    /// What its connections begin with.
    pub preamble: Preamble,
}

/// Listens on an address; port 0 takes a free one. `[::]` takes IPv4 connections too. Must be called within a runtime.
///
/// # Errors
/// [`ListenError`] naming the address.
pub fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    bind(address, Ipv4::Taken).map_err(|source| ListenError { address, source })
}

/// Listens on several addresses, in their order. `[::]` takes IPv4 connections too, unless an IPv4 address with the same
/// port is among them: then each takes its own. Must be called within a runtime.
///
/// # Errors
/// [`ListenError`] naming the address.
pub fn listen_all(
    addresses: impl IntoIterator<Item = (SocketAddr, Preamble)>,
) -> Result<Vec<Listener>, ListenError> {
    let addresses: Vec<_> = addresses.into_iter().collect();
    let ipv4_of = |address: SocketAddr| {
        let own = |(other, _): &(SocketAddr, Preamble)| {
            other.is_ipv4() && other.port() == address.port() && other.port() != 0
        };
        if addresses.iter().any(own) {
            Ipv4::Left
        } else {
            Ipv4::Taken
        }
    };
    addresses
        .iter()
        .map(|&(address, preamble)| {
            let socket = bind(address, ipv4_of(address))
                .map_err(|source| ListenError { address, source })?;
            Ok(Listener { socket, preamble })
        })
        .collect()
}

/// What `[::]` does with IPv4 connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ipv4 {
    /// Takes them; the peer's address is an IPv4-mapped one.
    Taken,
    /// Leaves them to another listener.
    Left,
}

fn bind(address: SocketAddr, ipv4: Ipv4) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // So that a restart need not wait for the last connections of the process before.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // Said in any case, whatever the system's default is.
        let every = address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        socket.set_only_v6(!every || ipv4 == Ipv4::Left)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
