//! PROXY protocol headers, versions 1 and 2.

use bucketry::server::{MAX_V1_BYTES, MAX_V2_BODY_BYTES, Relayed, parse_proxy_v1, parse_proxy_v2};

use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "proxy_protocol",
    run,
    seeds,
};

const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn run(input: &[u8]) {
    let (first, second) = (parse_proxy_v1(input), parse_proxy_v2(input));
    assert!(
        first.is_err() || second.is_err(),
        "one header of both versions"
    );
    if first.is_ok() {
        assert!(input.len() <= MAX_V1_BYTES && input.ends_with(b"\r\n"));
    }
    if second.is_ok() {
        assert!(input.starts_with(V2) && input.len() <= V2.len() + 4 + MAX_V2_BODY_BYTES);
    }
    if let Ok(Relayed::From(address)) = first.or(second) {
        assert_eq!(address, address.to_canonical(), "two forms of one address");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let v2 = |command: u8, family: u8, length: u8, body: &[u8]| {
        [V2, &[command, family, 0, length], body].concat()
    };
    let v4 = [192, 0, 2, 1, 10, 0, 0, 1, 0x12, 0x67, 0, 80];
    let v6 = [[0x20, 1, 0xd, 0xb8].as_slice(), &[0; 28], &[0, 1, 0, 2]].concat();
    vec![
        b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\r\n".to_vec(),
        b"PROXY TCP6 2001:db8::1 ::1 65535 0\r\n".to_vec(),
        b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(),
        v2(0x21, 0x11, 12, &v4),
        v2(0x21, 0x21, 36, &v6),
        v2(0x21, 0x31, 216, &[b'a'; 216]),
        v2(0x20, 0x00, 0, &[]),
        // With extensions: a name, and a checksum.
        v2(
            0x21,
            0x11,
            22,
            &[&v4[..], &[2, 0, 0, 3, 0, 4, 0, 0, 0, 0]].concat(),
        ),
    ]
}
