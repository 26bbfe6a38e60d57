//! The PROXY protocol, versions 1 and 2 (the specification is HAProxy's `proxy-protocol.txt`): what a load balancer that
//! does not speak HTTP sends ahead of the connection that it relays.
//!
//! The parsers are our own, because the available ones accept more than the protocol allows (a header of version 1 of
//! any length, ports with a sign), do not verify the checksum, and do not tell a relay's own connection (`LOCAL`) from a
//! relayed one of unknown origin. They are pure; [`read_proxy_header`] reads exactly the header's bytes and no more.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crc_fast::{CrcAlgorithm, checksum};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest line of version 1, its end included.
pub const MAX_V1_BYTES: usize = 107;

/// The most bytes after the fixed part of version 2: addresses are 216 at most, the rest are extensions.
pub const MAX_V2_BODY_BYTES: usize = 4096;

const V2_SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family and protocol, length.
const V2_FIXED_BYTES: usize = 16;
const V1_PREFIX: &[u8] = b"PROXY ";
/// Source and destination, and for IP their ports.
const V4_ADDRESSES_BYTES: usize = 12;
const V6_ADDRESSES_BYTES: usize = 36;
const UNIX_ADDRESSES_BYTES: usize = 216;
const TLV_CRC32C: u8 = 0x03;

/// What a PROXY protocol header says of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relayed {
    /// A connection of the proxy itself, usually a health check.
    Local,
    /// It relays a connection whose origin it does not know, or whose origin has no IP address (a Unix socket).
    Unknown,
    /// It relays a connection from this address, in canonical form.
    From(IpAddr),
}

/// Why bytes are not a PROXY protocol header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyHeaderError {
    /// The connection begins with something else.
    #[error("the connection does not begin with a PROXY protocol header")]
    Absent,
    /// A line of version 1 that is not of the protocol's form, or is longer than [`MAX_V1_BYTES`].
    #[error("the PROXY protocol line (version 1) is malformed")]
    Line,
    /// Neither version 2 nor a command of it.
    #[error("the PROXY protocol header has an unknown version or command")]
    Command,
    /// A family and protocol that the specification does not define, or that is not a stream.
    #[error("the PROXY protocol header has an unknown address family or is not of a stream")]
    Family,
    /// The length is too small for the addresses, above [`MAX_V2_BODY_BYTES`], or not that of the bytes.
    #[error("the PROXY protocol header has a wrong length")]
    Length,
    /// An extension does not fit into the length.
    #[error("an extension of the PROXY protocol header is malformed")]
    Extension,
    /// The checksum does not match.
    #[error("the checksum of the PROXY protocol header is wrong")]
    Checksum,
}

/// Why no PROXY protocol header was read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadProxyHeaderError {
    #[error(transparent)]
    Header(#[from] ProxyHeaderError),
    #[error("the connection ended: {0}")]
    Ended(#[from] io::Error),
}

/// Reads the header that a connection begins with, and not a byte more: TLS or HTTP follows.
pub(crate) async fn read_proxy_header(
    connection: &mut (impl AsyncRead + Unpin),
) -> Result<Relayed, ReadProxyHeaderError> {
    // The shortest header of either version is longer.
    let mut begin = [0; V2_SIGNATURE.len()];
    connection.read_exact(&mut begin).await?;
    if begin.starts_with(V1_PREFIX) {
        let mut line = begin.to_vec();
        while !line.ends_with(b"\r\n") {
            if line.len() == MAX_V1_BYTES {
                return Err(ProxyHeaderError::Line.into());
            }
            // Byte by byte, once per connection: buffered bytes would have to be handed to TLS.
            line.push(connection.read_u8().await?);
        }
        return Ok(parse_proxy_v1(&line)?);
    }
    if begin != *V2_SIGNATURE {
        return Err(ProxyHeaderError::Absent.into());
    }
    let mut rest = [0; V2_FIXED_BYTES - V2_SIGNATURE.len()];
    connection.read_exact(&mut rest).await?;
    let [.., high, low] = rest;
    let mut body = vec![0; body_bytes(high, low)?];
    connection.read_exact(&mut body).await?;
    let header = [begin.as_slice(), &rest, &body].concat();
    Ok(parse_proxy_v2(&header)?)
}

/// Reads a whole line of version 1, with its end.
///
/// # Errors
/// [`ProxyHeaderError`] for everything that is not exactly of the specification's form.
pub fn parse_proxy_v1(line: &[u8]) -> Result<Relayed, ProxyHeaderError> {
    if line.len() > MAX_V1_BYTES {
        return Err(ProxyHeaderError::Line);
    }
    let text = line
        .strip_prefix(V1_PREFIX)
        .and_then(|rest| rest.strip_suffix(b"\r\n"))
        .and_then(|text| std::str::from_utf8(text).ok())
        .ok_or(ProxyHeaderError::Line)?;
    // What follows this word is to be ignored.
    if text == "UNKNOWN" || text.starts_with("UNKNOWN ") {
        return Ok(Relayed::Unknown);
    }
    let fields: Vec<&str> = text.split(' ').collect();
    let [family, source, destination, ref ports @ ..] = fields[..] else {
        return Err(ProxyHeaderError::Line);
    };
    let source = match family {
        "TCP4" => pair::<Ipv4Addr>(source, destination),
        "TCP6" => pair::<Ipv6Addr>(source, destination),
        _ => None,
    };
    match source {
        Some(source) if ports.len() == 2 && ports.iter().all(|port| is_port(port)) => {
            Ok(Relayed::From(source.to_canonical()))
        }
        _ => Err(ProxyHeaderError::Line),
    }
}

/// The source, if both are addresses of this family.
fn pair<A: FromStr + Into<IpAddr>>(source: &str, destination: &str) -> Option<IpAddr> {
    destination.parse::<A>().ok()?;
    source.parse::<A>().ok().map(Into::into)
}

/// Decimal digits up to 65535, without sign and leading zeros.
fn is_port(text: &str) -> bool {
    text.parse::<u16>()
        .is_ok_and(|port| port.to_string() == text)
}

/// Reads a whole header of version 2, with all of its extensions.
///
/// # Errors
/// [`ProxyHeaderError`] for everything that the specification does not allow, and for a wrong checksum.
pub fn parse_proxy_v2(header: &[u8]) -> Result<Relayed, ProxyHeaderError> {
    let rest = header
        .strip_prefix(V2_SIGNATURE)
        .ok_or(ProxyHeaderError::Absent)?;
    let Some(([command, family, high, low], body)) = rest.split_first_chunk() else {
        return Err(ProxyHeaderError::Length);
    };
    if body_bytes(*high, *low)? != body.len() {
        return Err(ProxyHeaderError::Length);
    }
    match command {
        // The specification requires that the addresses be ignored.
        0x20 => return Ok(Relayed::Local),
        0x21 => {}
        _ => return Err(ProxyHeaderError::Command),
    }
    let (relayed, extensions) = match family {
        // No address, and nothing of it is used.
        0x00 => return Ok(Relayed::Unknown),
        0x11 => from::<4>(body, V4_ADDRESSES_BYTES)?,
        0x21 => from::<16>(body, V6_ADDRESSES_BYTES)?,
        // A Unix socket's path is not an IP address.
        0x31 => {
            let extensions = body
                .get(UNIX_ADDRESSES_BYTES..)
                .ok_or(ProxyHeaderError::Length)?;
            (Relayed::Unknown, extensions)
        }
        _ => return Err(ProxyHeaderError::Family),
    };
    verify_extensions(header, extensions)?;
    Ok(relayed)
}

/// The length of what follows the fixed part.
fn body_bytes(high: u8, low: u8) -> Result<usize, ProxyHeaderError> {
    let bytes = usize::from(u16::from_be_bytes([high, low]));
    if bytes > MAX_V2_BODY_BYTES {
        return Err(ProxyHeaderError::Length);
    }
    Ok(bytes)
}

/// The source, which stands first, and what follows the addresses.
fn from<const N: usize>(
    body: &[u8],
    addresses_bytes: usize,
) -> Result<(Relayed, &[u8]), ProxyHeaderError>
where
    IpAddr: From<[u8; N]>,
{
    let source: &[u8; N] = body.first_chunk().ok_or(ProxyHeaderError::Length)?;
    let extensions = body
        .get(addresses_bytes..)
        .ok_or(ProxyHeaderError::Length)?;
    let source = IpAddr::from(*source).to_canonical();
    Ok((Relayed::From(source), extensions))
}

/// Walks the extensions (type, length, value); compares the checksum, if there is one, with that of the whole header in
/// which the checksum itself counts as zero.
fn verify_extensions(header: &[u8], extensions: &[u8]) -> Result<(), ProxyHeaderError> {
    let mut rest = extensions;
    while !rest.is_empty() {
        let Some(([kind, high, low], after)) = rest.split_first_chunk() else {
            return Err(ProxyHeaderError::Extension);
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (value, next) = after
            .split_at_checked(length)
            .ok_or(ProxyHeaderError::Extension)?;
        if *kind == TLV_CRC32C {
            let given: [u8; 4] = value.try_into().map_err(|_| ProxyHeaderError::Extension)?;
            let before = header.len() - after.len();
            let (before, after) = header
                .split_at_checked(before)
                .ok_or(ProxyHeaderError::Extension)?;
            let after = after.get(given.len()..).unwrap_or_default();
            let zeroed = [before, &[0; 4], after].concat();
            if checksum(CrcAlgorithm::Crc32Iscsi, &zeroed) != u64::from(u32::from_be_bytes(given)) {
                return Err(ProxyHeaderError::Checksum);
            }
        }
        rest = next;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
