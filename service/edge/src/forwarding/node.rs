use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Reads one hop of a forwarding header: an address, with brackets around IPv6 and a port if there is one, as in
/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` and `[2001:db8::1]:4711`.
///
/// The result is canonical: IPv4-mapped IPv6 is IPv4. None for all else: names, `unknown`, obfuscated identifiers
/// (`_hidden`), zone ids, and forms that some programs read as an address and others do not.
pub(super) fn parse_node(text: &str) -> Option<IpAddr> {
    // Not `SocketAddr`: its parser takes zone ids.
    let address = if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        if !port.is_empty() && !is_port(port.strip_prefix(':')?) {
            return None;
        }
        IpAddr::V6(address.parse::<Ipv6Addr>().ok()?)
    } else if let Ok(address) = text.parse::<IpAddr>() {
        address
    } else {
        let (address, port) = text.split_once(':')?;
        if !is_port(port) {
            return None;
        }
        IpAddr::V4(address.parse::<Ipv4Addr>().ok()?)
    };
    Some(address.to_canonical())
}

/// Decimal digits up to 65535. `u16` alone would take a sign.
fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() <= 5 && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn forms_of_an_address() {
        for (text, address) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("192.0.2.1:0", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:65535", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("[::ffff:c000:201]:80", "192.0.2.1"),
        ] {
            assert_eq!(parse_node(text), Some(address.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn everything_else_is_unknown() {
        for text in [
            "",
            " ",
            "unknown",
            "_hidden",
            "_SEVKISEK",
            "localhost",
            "example.com:80",
            "192.0.2",
            "192.0.2.1.",
            "192.0.2.01",
            "0xc0.0.2.1",
            "3221225985",
            "192.0.2.256",
            "192.0.2.1:",
            "192.0.2.1:+1",
            "192.0.2.1:65536",
            "192.0.2.1:000080",
            "192.0.2.1:_obf",
            "192.0.2.1 :80",
            "[192.0.2.1]",
            "[192.0.2.1]:80",
            "[2001:db8::1",
            "2001:db8::1]",
            "[2001:db8::1]80",
            "[2001:db8::1]:",
            "[[2001:db8::1]]",
            "fe80::1%eth0",
            "[fe80::1%eth0]",
            "[fe80::1%1]:80",
            "fe80::1%25eth0",
            "192.0.2.1/32",
            "\"192.0.2.1\"",
            "１９２.0.2.1",
            "192.0.2.1\u{0}",
        ] {
            assert_eq!(parse_node(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,60}") {
            let _ = parse_node(&text);
        }

        #[test]
        fn what_is_written_is_read(bits: u128, v4: u32, port: u16) {
            let (v6, v4) = (Ipv6Addr::from(bits), Ipv4Addr::from(v4));
            let canonical = IpAddr::V6(v6).to_canonical();
            prop_assert_eq!(parse_node(&v6.to_string()), Some(canonical));
            prop_assert_eq!(parse_node(&format!("[{v6}]:{port}")), Some(canonical));
            prop_assert_eq!(parse_node(&v4.to_string()), Some(IpAddr::V4(v4)));
            prop_assert_eq!(parse_node(&format!("{v4}:{port}")), Some(IpAddr::V4(v4)));
        }
    }
}
