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
