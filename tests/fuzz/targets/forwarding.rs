//! Forwarding headers: the name of the header that is read, then its lines.

use std::net::IpAddr;

use bucketry_edge::forwarding::{AddressBasis, ForwardedHeader, Forwarding, client_address};

use super::texts;
use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "forwarding",
    run,
    seeds,
};

const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 7));
const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 9));

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let (header, lines) = text.split_once('\n').unwrap_or((text, ""));
    let lines: Vec<&str> = lines.lines().collect();
    let proxies = ["10.0.0.0/8", "2001:db8::/32"].map(str::parse);
    let ([Ok(four), Ok(six)], Ok(header)) = (proxies, header.parse::<ForwardedHeader>()) else {
        return;
    };
    let Ok(forwarding) = Forwarding::new(&[four, six], Some(header.clone())) else {
        return;
    };
    let found = client_address(Some(STRANGER), &forwarding, &lines);
    assert_eq!(
        (found.address, found.basis),
        (Some(STRANGER), AddressBasis::Peer)
    );

    let found = client_address(Some(PROXY), &forwarding, &lines);
    if let Some(address) = found.address {
        assert_eq!(address, address.to_canonical(), "two forms of one address");
    }
    if matches!(header, ForwardedHeader::Single(_)) {
        return;
    }
    match found.basis {
        AddressBasis::Header => {
            assert!(
                found
                    .address
                    .is_some_and(|address| !forwarding.trusts(address))
            );
            // What the client wrote before it changes nothing, but that there is more of it.
            let before = [&["203.0.113.66"], lines.as_slice()].concat();
            if matches!(header, ForwardedHeader::XForwardedFor) {
                let again = client_address(Some(PROXY), &forwarding, &before);
                let full = again.basis == AddressBasis::HeaderTooLong;
                assert!(full || again == found);
            }
        }
        AddressBasis::HeaderAllTrusted => {
            assert!(
                found
                    .address
                    .is_some_and(|address| forwarding.trusts(address))
            );
        }
        AddressBasis::Peer => panic!("the proxy passes for the client"),
        _ => assert_eq!(found.address, None),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts(&[
        "x-forwarded-for\n192.0.2.1, 10.0.0.8\n10.0.0.9",
        "x-forwarded-for\n192.0.2.1:4711 , [2001:db8::8]:80",
        "x-forwarded-for\n::ffff:192.0.2.1",
        "x-forwarded-for\nunknown, 10.0.0.8",
        "forwarded\nfor=192.0.2.60;proto=http;by=203.0.113.43, for=\"[2001:db8:cafe::17]:4711\"",
        "forwarded\nFor=_gazonk;Host=\"a;b\\\"c\"\nfor=192.0.2.43",
        "cf-connecting-ip\n192.0.2.1",
    ])
}
