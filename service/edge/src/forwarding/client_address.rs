use std::net::IpAddr;

use http::{HeaderMap, HeaderValue};

use super::forwarded::{Malformed, parse_forwarded};
use super::node::parse_node;
use super::trusted_proxies::{ForwardedHeader, Forwarding};

/// The most hops that a forwarding header may name.
pub const MAX_HOPS: usize = 20;

/// The most bytes that all lines of a forwarding header may have together, a byte for each joint included.
pub const MAX_FORWARDED_BYTES: usize = 4096;

/// A client's address, and how it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DerivedAddress {
    /// In canonical form: IPv4-mapped IPv6 is IPv4. None: unknown, which every IP rule refuses.
    pub address: Option<IpAddr>,
    /// How it was found, or why it was not.
    pub basis: AddressBasis,
}

/// How an address was found, or why it is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressBasis {
    /// The peer's own: it is not a trusted proxy, so no header was read.
    Peer,
    /// Unknown: the peer has no address.
    NoPeer,
    /// What the header names, seen from the nearest proxy: the first address that is not a trusted proxy.
    Header,
    /// The first that the header names: all of it are trusted proxies.
    HeaderAllTrusted,
    /// Unknown: the trusted proxy sent no such header. Its own address would let a client that gets the header dropped
    /// on the way pass for the proxy.
    HeaderMissing,
    /// Unknown: a hop that had to be read is not an address.
    HeaderUnreadable,
    /// Unknown: over [`MAX_HOPS`] or [`MAX_FORWARDED_BYTES`].
    HeaderTooLong,
    /// Unknown: a header of one address came twice or as a list.
    HeaderRepeated,
}

/// The client's address by the other end of the connection and the lines of the one header that is read.
///
/// `lines` are all the lines of [`Forwarding::header`] in their order; they are looked at only if the peer is a trusted
/// proxy. A list is walked from its end, where the nearest proxy wrote, past trusted proxies to the first other address:
/// what stands before that was written by an untrusted party and is ignored.
pub fn client_address<T: AsRef<str>>(
    peer: Option<IpAddr>,
    forwarding: &Forwarding,
    lines: &[T],
) -> DerivedAddress {
    let Some(peer) = peer else {
        return unknown(AddressBasis::NoPeer);
    };
    let Some(header) = forwarding.header().filter(|_| forwarding.trusts(peer)) else {
        return known(peer.to_canonical(), AddressBasis::Peer);
    };
    if lines.is_empty() {
        return unknown(AddressBasis::HeaderMissing);
    }
    let length: usize = lines.iter().map(|line| line.as_ref().len() + 1).sum();
    if length > MAX_FORWARDED_BYTES {
        return unknown(AddressBasis::HeaderTooLong);
    }
    match header {
        ForwardedHeader::XForwardedFor => walk(&listed(lines), forwarding),
        ForwardedHeader::Forwarded => match forwarded(lines) {
            Ok(hops) => walk(&hops, forwarding),
            Err(Malformed) => unknown(AddressBasis::HeaderUnreadable),
        },
        ForwardedHeader::Single(_) => single(lines),
    }
}

/// [`client_address`] of a request's headers.
#[must_use]
pub fn client_address_of(
    peer: Option<IpAddr>,
    forwarding: &Forwarding,
    headers: &HeaderMap,
) -> DerivedAddress {
    let trusted = peer.is_some_and(|peer| forwarding.trusts(peer));
    let lines: Vec<String> = match forwarding.header() {
        Some(header) if trusted => headers.get_all(header.name()).iter().map(line).collect(),
        _ => Vec::new(),
    };
    client_address(peer, forwarding, &lines)
}

/// The text of a line. Bytes that are not text become a character that no address contains.
fn line(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn known(address: IpAddr, basis: AddressBasis) -> DerivedAddress {
    DerivedAddress {
        address: Some(address),
        basis,
    }
}

fn unknown(basis: AddressBasis) -> DerivedAddress {
    DerivedAddress {
        address: None,
        basis,
    }
}

/// The hops of `X-Forwarded-For`, in order.
fn listed<T: AsRef<str>>(lines: &[T]) -> Vec<Option<IpAddr>> {
    let hops = lines.iter().flat_map(|line| line.as_ref().split(','));
    hops.map(|hop| parse_node(hop.trim_matches([' ', '\t'])))
        .collect()
}

/// The hops of `Forwarded`, in order.
fn forwarded<T: AsRef<str>>(lines: &[T]) -> Result<Vec<Option<IpAddr>>, Malformed> {
    let mut hops = Vec::new();
    for line in lines {
        hops.extend(parse_forwarded(line.as_ref())?);
    }
    Ok(hops)
}

fn walk(hops: &[Option<IpAddr>], forwarding: &Forwarding) -> DerivedAddress {
    if hops.len() > MAX_HOPS {
        return unknown(AddressBasis::HeaderTooLong);
    }
    let mut leftmost = None;
    for hop in hops.iter().rev() {
        match *hop {
            None => return unknown(AddressBasis::HeaderUnreadable),
            Some(address) if !forwarding.trusts(address) => {
                return known(address, AddressBasis::Header);
            }
            Some(proxy) => leftmost = Some(proxy),
        }
    }
    match leftmost {
        Some(address) => known(address, AddressBasis::HeaderAllTrusted),
        None => unknown(AddressBasis::HeaderMissing),
    }
}

/// The client's address in a header that holds nothing else: no port, no brackets.
fn single<T: AsRef<str>>(lines: &[T]) -> DerivedAddress {
    let [line] = lines else {
        return unknown(AddressBasis::HeaderRepeated);
    };
    let text = line.as_ref().trim_matches([' ', '\t']);
    if text.contains(',') {
        return unknown(AddressBasis::HeaderRepeated);
    }
    match text.parse::<IpAddr>() {
        Ok(address) => known(address.to_canonical(), AddressBasis::Header),
        Err(_) => unknown(AddressBasis::HeaderUnreadable),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    const PEER: &str = "10.0.0.7";

    fn forwarding(header: &str) -> Forwarding {
        let proxies = ["10.0.0.0/8", "2001:db8::/32"].map(|text| text.parse().unwrap());
        Forwarding::new(&proxies, Some(header.parse().unwrap())).unwrap()
    }

    /// What is found, as text.
    fn seen(header: &str, peer: &str, lines: &[&str]) -> (String, AddressBasis) {
        let peer = Some(peer.parse().unwrap());
        let found = client_address(peer, &forwarding(header), lines);
        let address = found.address;
        (
            address.map_or_else(|| "unknown".to_owned(), |address| address.to_string()),
            found.basis,
        )
    }

    #[test]
    fn a_peer_that_is_not_trusted_is_the_client_whatever_it_says() {
        for header in ["x-forwarded-for", "forwarded", "x-real-ip"] {
            for lines in [&[][..], &["1.2.3.4"], &["for=1.2.3.4"], &["unknown"], &[""]] {
                let expected = ("192.0.2.9".to_owned(), AddressBasis::Peer);
                assert_eq!(seen(header, "192.0.2.9", lines), expected);
                assert_eq!(seen(header, "::ffff:192.0.2.9", lines), expected);
            }
        }
        let nobody = client_address(
            Some(PEER.parse().unwrap()),
            &Forwarding::default(),
            &["1.2.3.4"],
        );
        assert_eq!(nobody, known(PEER.parse().unwrap(), AddressBasis::Peer));
    }

    #[test]
    fn a_peer_without_address_is_unknown() {
        let found = client_address(None, &forwarding("x-forwarded-for"), &["1.2.3.4"]);
        assert_eq!(found, unknown(AddressBasis::NoPeer));
    }

    #[test]
    fn x_forwarded_for_is_walked_from_its_end() {
        use AddressBasis::{Header, HeaderAllTrusted, HeaderMissing, HeaderUnreadable};
        for (lines, address, basis) in [
            (&["192.0.2.1"][..], "192.0.2.1", Header),
            (&["203.0.113.66, 192.0.2.1"], "192.0.2.1", Header),
            (&["192.0.2.1, 10.0.0.8,10.0.0.9"], "192.0.2.1", Header),
            (
                &["203.0.113.66", "192.0.2.1", "10.0.0.8"],
                "192.0.2.1",
                Header,
            ),
            (&["203.0.113.66,", "192.0.2.1"], "192.0.2.1", Header),
            (&[" \t192.0.2.1\t "], "192.0.2.1", Header),
            (&["192.0.2.1:4711 , [2001:db8::8]:80"], "192.0.2.1", Header),
            (&["[2001:db9::1]"], "2001:db9::1", Header),
            (&["::ffff:192.0.2.1, ::ffff:10.0.0.8"], "192.0.2.1", Header),
            // What an untrusted party wrote is ignored.
            (&["unknown, 192.0.2.1"], "192.0.2.1", Header),
            (&["", "192.0.2.1"], "192.0.2.1", Header),
            (&["10.0.0.8, 10.0.0.9"], "10.0.0.8", HeaderAllTrusted),
            (&["10.0.0.8", "2001:db8::9"], "10.0.0.8", HeaderAllTrusted),
            (&[], "unknown", HeaderMissing),
            (&[""], "unknown", HeaderUnreadable),
            (&["192.0.2.1,"], "unknown", HeaderUnreadable),
            (&["192.0.2.1", ""], "unknown", HeaderUnreadable),
            (&["192.0.2.1,,10.0.0.8"], "unknown", HeaderUnreadable),
            (
                &["192.0.2.1, unknown, 10.0.0.8"],
                "unknown",
                HeaderUnreadable,
            ),
            (&["192.0.2.1, _hidden"], "unknown", HeaderUnreadable),
            (&["192.0.2.1; 10.0.0.8"], "unknown", HeaderUnreadable),
            (&["for=192.0.2.1"], "unknown", HeaderUnreadable),
            (&["fe80::1%eth0"], "unknown", HeaderUnreadable),
            (&["192.0.2.1\u{fffd}"], "unknown", HeaderUnreadable),
        ] {
            let expected = (address.to_owned(), basis);
            assert_eq!(seen("x-forwarded-for", PEER, lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn forwarded_is_walked_from_its_end() {
        use AddressBasis::{Header, HeaderAllTrusted, HeaderMissing, HeaderUnreadable};
        for (lines, address, basis) in [
            (&["for=192.0.2.1"][..], "192.0.2.1", Header),
            (
                &["for=203.0.113.66, for=\"192.0.2.1:80\";by=10.0.0.7"],
                "192.0.2.1",
                Header,
            ),
            (
                &["for=unknown", "for=192.0.2.1, for=10.0.0.8"],
                "192.0.2.1",
                Header,
            ),
            (&["for=\"[2001:db9::1]:80\""], "2001:db9::1", Header),
            (&["for=10.0.0.8"], "10.0.0.8", HeaderAllTrusted),
            (&[], "unknown", HeaderMissing),
            (&["for=192.0.2.1, for=unknown"], "unknown", HeaderUnreadable),
            (
                &["for=192.0.2.1, for=_x, for=10.0.0.8"],
                "unknown",
                HeaderUnreadable,
            ),
            (&["for=192.0.2.1, proto=http"], "unknown", HeaderUnreadable),
            (&["for=192.0.2.1,"], "unknown", HeaderUnreadable),
            (&["192.0.2.1"], "unknown", HeaderUnreadable),
            // The end of the first line is ambiguous, so the list is rejected.
            (
                &["for=203.0.113.66;x=\"", "for=192.0.2.1"],
                "unknown",
                HeaderUnreadable,
            ),
            (
                &["for=203.0.113.66;x=\", for=192.0.2.1;by=\"_y\""],
                "unknown",
                HeaderUnreadable,
            ),
        ] {
            let expected = (address.to_owned(), basis);
            assert_eq!(seen("forwarded", PEER, lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_header_of_one_address_has_one() {
        use AddressBasis::{Header, HeaderMissing, HeaderRepeated, HeaderUnreadable};
        for (lines, address, basis) in [
            (&["192.0.2.1"][..], "192.0.2.1", Header),
            (&[" 2001:db8::1 "], "2001:db8::1", Header),
            (&["10.0.0.8"], "10.0.0.8", Header),
            (&[], "unknown", HeaderMissing),
            (&["192.0.2.1", "192.0.2.1"], "unknown", HeaderRepeated),
            (&["192.0.2.1, 192.0.2.2"], "unknown", HeaderRepeated),
            (&["192.0.2.1:80"], "unknown", HeaderUnreadable),
            (&["[2001:db8::1]"], "unknown", HeaderUnreadable),
            (&[""], "unknown", HeaderUnreadable),
            (&["unknown"], "unknown", HeaderUnreadable),
        ] {
            let expected = (address.to_owned(), basis);
            assert_eq!(seen("cf-connecting-ip", PEER, lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn long_headers_are_not_read() {
        let too_long = ("unknown".to_owned(), AddressBasis::HeaderTooLong);
        let hops = vec!["192.0.2.1"; MAX_HOPS];
        let found = ("192.0.2.1".to_owned(), AddressBasis::Header);
        assert_eq!(seen("x-forwarded-for", PEER, &hops), found);
        assert_eq!(seen("x-forwarded-for", PEER, &[&hops.join(",")]), found);
        let hops = vec!["192.0.2.1"; MAX_HOPS + 1];
        assert_eq!(seen("x-forwarded-for", PEER, &hops), too_long);
        assert_eq!(seen("x-forwarded-for", PEER, &[&hops.join(",")]), too_long);
        let elements = vec!["for=192.0.2.1"; MAX_HOPS + 1].join(",");
        assert_eq!(seen("forwarded", PEER, &[&elements]), too_long);
        let padded = |length: usize| format!("{:>length$}", "192.0.2.1");
        for header in ["x-forwarded-for", "x-real-ip"] {
            let fits = padded(MAX_FORWARDED_BYTES - 1);
            assert_eq!(seen(header, PEER, &[&fits]), found, "{header}");
            let over = padded(MAX_FORWARDED_BYTES);
            assert_eq!(seen(header, PEER, &[&over]), too_long, "{header}");
        }
        let many = vec![""; MAX_FORWARDED_BYTES];
        assert_eq!(seen("x-forwarded-for", PEER, &many), too_long);
    }

    #[test]
    fn headers_of_a_request() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "203.0.113.66".parse().unwrap());
        headers.append("x-real-ip", "203.0.113.67".parse().unwrap());
        headers.append("x-forwarded-for", "192.0.2.1".parse().unwrap());
        let found = |headers: &HeaderMap| {
            let peer = Some(PEER.parse().unwrap());
            client_address_of(peer, &forwarding("x-forwarded-for"), headers)
        };
        let expected = known("192.0.2.1".parse().unwrap(), AddressBasis::Header);
        assert_eq!(found(&headers), expected);
        let bytes = HeaderValue::from_bytes(b"192.0.2.2\xff").unwrap();
        headers.append("x-forwarded-for", bytes);
        assert_eq!(found(&headers), unknown(AddressBasis::HeaderUnreadable));
    }

    fn any_header() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec!["x-forwarded-for", "forwarded", "x-real-ip"])
    }

    /// Text that is near to what the parsers read.
    fn near() -> impl Strategy<Value = String> {
        prop_oneof![
            "\\PC{0,40}",
            "[for=\";,:.\\\\ 0-9\\[\\]_\t]{0,60}",
            "(for=)?\"?1[.0-9:]{0,9}"
        ]
    }

    proptest! {
        #[test]
        fn no_lines_panic_and_untrusted_peers_are_themselves(
            header in any_header(),
            lines in prop::collection::vec(near(), 0..6),
            peer: u32,
        ) {
            let peer = IpAddr::V4(Ipv4Addr::from(peer));
            let forwarding = forwarding(header);
            let found = client_address(Some(peer), &forwarding, &lines);
            if !forwarding.trusts(peer) {
                prop_assert_eq!(found, known(peer, AddressBasis::Peer));
            }
        }

        /// What a client sends never becomes its address: it gets the one that the proxy saw, or none.
        #[test]
        fn a_client_cannot_choose_its_address(
            sent in prop::collection::vec(near(), 0..4),
            joined: bool,
            v6: bool,
            hops in 0_usize..3,
        ) {
            let client: IpAddr = if v6 { "2001:db9::9" } else { "198.51.100.9" }.parse().unwrap();
            for header in ["x-forwarded-for", "forwarded"] {
                let hop = |address: &str| match (header, address.contains(':')) {
                    ("forwarded", true) => format!("for=\"[{address}]\";by=\"_p\""),
                    ("forwarded", false) => format!("for={address}"),
                    _ => address.to_owned(),
                };
                let mut added = vec![hop(&client.to_string())];
                added.extend(std::iter::repeat_n(hop("10.0.0.8"), hops));
                let mut lines = sent.clone();
                match lines.last_mut() {
                    Some(last) if joined => *last = format!("{last}, {}", added.join(", ")),
                    _ => lines.push(added.join(", ")),
                }
                let peer = Some(PEER.parse().unwrap());
                let found = client_address(peer, &forwarding(header), &lines).address;
                prop_assert!(found.is_none() || found == Some(client), "{lines:?}: {found:?}");
                if header == "x-forwarded-for" && found.is_none() {
                    // Only the number of hops can spoil a list that is simply split.
                    let commas: usize = lines.iter().map(|line| line.matches(',').count() + 1).sum();
                    prop_assert!(commas > MAX_HOPS, "{lines:?}");
                }
            }
        }

        /// The model: the last address of the chain that is not a trusted proxy, else the first.
        #[test]
        fn the_nearest_untrusted_hop_is_the_client(
            chain in prop::collection::vec((any::<bool>(), 1_u8..=250), 1..=MAX_HOPS),
            cuts in prop::collection::vec(any::<bool>(), MAX_HOPS),
        ) {
            let chain: Vec<Ipv4Addr> = chain
                .into_iter()
                .map(|(proxy, n)| if proxy { Ipv4Addr::new(10, 0, 0, n) } else { Ipv4Addr::new(192, 0, 2, n) })
                .collect();
            let expected = chain.iter().rev().find(|hop| hop.octets()[0] != 10).unwrap_or(&chain[0]);
            for header in ["x-forwarded-for", "forwarded"] {
                let mut lines: Vec<String> = Vec::new();
                for (hop, cut) in chain.iter().zip(&cuts) {
                    let hop = if header == "forwarded" { format!("for={hop}") } else { hop.to_string() };
                    match lines.last_mut() {
                        Some(last) if !cut => *last = format!("{last} ,\t{hop}"),
                        _ => lines.push(hop),
                    }
                }
                let found = client_address(Some(PEER.parse().unwrap()), &forwarding(header), &lines);
                prop_assert_eq!(found.address, Some(IpAddr::V4(*expected)));
            }
        }
    }
}
