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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn from(text: &str) -> Result<Relayed, ProxyHeaderError> {
        Ok(Relayed::From(text.parse().unwrap()))
    }

    /// A header of version 2 with the right length.
    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [V2_SIGNATURE, [command, family].as_slice(), &length, body].concat()
    }

    /// Source and destination with ports, of IPv4.
    const V4: [u8; 12] = [192, 0, 2, 1, 10, 0, 0, 1, 0x12, 0x67, 0, 80];

    fn v6(source: &str) -> Vec<u8> {
        let source: Ipv6Addr = source.parse().unwrap();
        [source.octets().as_slice(), &[0; 16], &[0, 1, 0, 2]].concat()
    }

    /// Adds a checksum over all of it.
    fn with_checksum(mut header: Vec<u8>) -> Vec<u8> {
        header.extend([TLV_CRC32C, 0, 4, 0, 0, 0, 0]);
        let body = u16::try_from(header.len() - V2_FIXED_BYTES).unwrap();
        header[14..16].copy_from_slice(&body.to_be_bytes());
        let sum = u32::try_from(checksum(CrcAlgorithm::Crc32Iscsi, &header)).unwrap();
        let at = header.len() - 4;
        header[at..].copy_from_slice(&sum.to_be_bytes());
        header
    }

    #[test]
    fn lines_of_version_1() {
        for (line, expected) in [
            (
                "PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\r\n",
                from("192.0.2.1"),
            ),
            (
                "PROXY TCP6 2001:db8::1 ::1 0 65535\r\n",
                from("2001:db8::1"),
            ),
            ("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", from("192.0.2.1")),
            ("PROXY UNKNOWN\r\n", Ok(Relayed::Unknown)),
            ("PROXY UNKNOWN 1.2.3.4 whatever\r\n", Ok(Relayed::Unknown)),
        ] {
            assert_eq!(parse_proxy_v1(line.as_bytes()), expected, "{line:?}");
        }
    }

    #[test]
    fn what_is_no_line_of_version_1() {
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(MAX_V1_BYTES));
        for line in [
            "",
            "PROXY \r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 1 2\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 1 2",
            "proxy TCP4 192.0.2.1 10.0.0.1 1 2\r\n",
            "PROXY  TCP4 192.0.2.1 10.0.0.1 1 2\r\n",
            "PROXY TCP4 192.0.2.1  10.0.0.1 1 2\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 1 2 \r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 1\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 1 2 3\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 1 65536\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 +1 2\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 01 2\r\n",
            "PROXY TCP4 192.0.2.01 10.0.0.1 1 2\r\n",
            "PROXY TCP4 192.0.2.1 host 1 2\r\n",
            "PROXY TCP4 2001:db8::1 ::1 1 2\r\n",
            "PROXY TCP6 192.0.2.1 10.0.0.1 1 2\r\n",
            "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
            "PROXY TCP4 192.0.2.1 ::1 1 2\r\n",
            "PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n",
            "PROXY UNKNOWNS\r\n",
            &long,
        ] {
            let refused = Err(ProxyHeaderError::Line);
            assert_eq!(parse_proxy_v1(line.as_bytes()), refused, "{line:?}");
        }
    }

    #[test]
    fn headers_of_version_2() {
        let tlv = [0x04, 0, 2, 7, 7];
        for (header, expected) in [
            (v2(0x21, 0x11, &V4), from("192.0.2.1")),
            (v2(0x21, 0x11, &[&V4[..], &tlv].concat()), from("192.0.2.1")),
            (v2(0x21, 0x21, &v6("2001:db8::1")), from("2001:db8::1")),
            (v2(0x21, 0x21, &v6("::ffff:192.0.2.1")), from("192.0.2.1")),
            (v2(0x21, 0x00, &[]), Ok(Relayed::Unknown)),
            (v2(0x21, 0x00, &[1, 2, 3]), Ok(Relayed::Unknown)),
            (v2(0x21, 0x31, &[b'/'; 216]), Ok(Relayed::Unknown)),
            (v2(0x20, 0x00, &[]), Ok(Relayed::Local)),
            (v2(0x20, 0x11, &V4), Ok(Relayed::Local)),
            (v2(0x20, 0xff, &[1, 2, 3]), Ok(Relayed::Local)),
            (with_checksum(v2(0x21, 0x11, &V4)), from("192.0.2.1")),
            (
                with_checksum(v2(0x21, 0x21, &[v6("::1"), tlv.into()].concat())),
                from("::1"),
            ),
        ] {
            assert_eq!(parse_proxy_v2(&header), expected, "{header:x?}");
        }
    }

    #[test]
    fn what_is_no_header_of_version_2() {
        use ProxyHeaderError::{Absent, Checksum, Command, Extension, Family, Length};
        let mut other_source = with_checksum(v2(0x21, 0x11, &V4));
        other_source[V2_FIXED_BYTES] ^= 1;
        let mut too_long = v2(0x21, 0x11, &V4);
        too_long.push(0);
        let large = vec![0; MAX_V2_BODY_BYTES + 1];
        let with = |extension: &[u8]| v2(0x21, 0x11, &[&V4, extension].concat());
        for (header, expected) in [
            (vec![], Absent),
            (V2_SIGNATURE[..11].to_vec(), Absent),
            (V2_SIGNATURE.to_vec(), Length),
            (v2(0x21, 0x11, &V4)[..27].to_vec(), Length),
            (too_long, Length),
            (v2(0x21, 0x11, &V4[..11]), Length),
            (v2(0x21, 0x21, &V4), Length),
            (v2(0x21, 0x31, &[0; 215]), Length),
            (v2(0x21, 0x00, &large), Length),
            (v2(0x11, 0x11, &V4), Command),
            (v2(0x22, 0x11, &V4), Command),
            (v2(0x21, 0x12, &V4), Family),
            (v2(0x21, 0x10, &V4), Family),
            (v2(0x21, 0x41, &V4), Family),
            (with(&[4]), Extension),
            (with(&[4, 0, 2, 1]), Extension),
            (with(&[TLV_CRC32C, 0, 3, 0, 0, 0]), Extension),
            (with(&[TLV_CRC32C, 0, 4, 0, 0, 0, 0]), Checksum),
            (other_source, Checksum),
        ] {
            assert_eq!(parse_proxy_v2(&header), Err(expected), "{header:x?}");
        }
    }

    #[tokio::test]
    async fn the_header_is_read_and_nothing_after_it() {
        for header in [
            b"PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\n".to_vec(),
            with_checksum(v2(0x21, 0x11, &V4)),
        ] {
            let wire = [&header[..], b"GET / HTTP/1.1\r\n"].concat();
            let mut connection = wire.as_slice();
            let read = read_proxy_header(&mut connection).await.unwrap();
            assert_eq!(read, Relayed::From([192, 0, 2, 1].into()));
            assert_eq!(connection, b"GET / HTTP/1.1\r\n");
        }
    }

    #[tokio::test]
    async fn what_is_no_header_is_not_read_on() {
        let endless = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 4096]].concat();
        let huge = [
            V2_SIGNATURE,
            [0x21, 0x11, 0xff, 0xff].as_slice(),
            &[0; 70_000],
        ]
        .concat();
        for (wire, left, expected) in [
            (
                b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
                15,
                ProxyHeaderError::Absent,
            ),
            (
                endless.clone(),
                endless.len() - MAX_V1_BYTES,
                ProxyHeaderError::Line,
            ),
            (huge, 70_000, ProxyHeaderError::Length),
        ] {
            let mut connection = wire.as_slice();
            let refused = read_proxy_header(&mut connection).await.unwrap_err();
            assert!(
                matches!(refused, ReadProxyHeaderError::Header(found) if found == expected),
                "{refused}"
            );
            assert_eq!(connection.len(), left);
        }
        for cut in [
            &b""[..],
            b"PROXY TCP4 19",
            &V2_SIGNATURE[..],
            &v2(0x21, 0x11, &V4)[..20],
        ] {
            let mut connection = cut;
            let ended = read_proxy_header(&mut connection).await.unwrap_err();
            assert!(matches!(ended, ReadProxyHeaderError::Ended(_)), "{ended}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..120),
            command in 0x1f_u8..=0x22,
            family: u8,
            line in "(TCP[46]|UNKNOWN)?[ 0-9a-f:.]{0,90}",
        ) {
            let _ = (parse_proxy_v1(&bytes), parse_proxy_v2(&bytes));
            let _ = parse_proxy_v1(format!("PROXY {line}\r\n").as_bytes());
            let _ = parse_proxy_v2(&v2(command, family, &bytes));
            let _ = parse_proxy_v2(&v2(0x21, 0x11, &[&V4, bytes.as_slice()].concat()));
        }

        #[test]
        fn what_is_written_is_read(source: u128, v4: u32, ports: (u16, u16)) {
            let (source, v4) = (Ipv6Addr::from(source), Ipv4Addr::from(v4));
            let canonical = IpAddr::V6(source).to_canonical();
            let line = format!("PROXY TCP6 {source} ::1 {} {}\r\n", ports.0, ports.1);
            prop_assert_eq!(parse_proxy_v1(line.as_bytes()), Ok(Relayed::From(canonical)));
            let line = format!("PROXY TCP4 {v4} 0.0.0.0 {} {}\r\n", ports.0, ports.1);
            prop_assert_eq!(parse_proxy_v1(line.as_bytes()), Ok(Relayed::From(v4.into())));
            let header = with_checksum(v2(0x21, 0x21, &v6(&source.to_string())));
            prop_assert_eq!(parse_proxy_v2(&header), Ok(Relayed::From(canonical)));
        }
    }
}
