//! Lists of addresses and networks, one entry a line.

use std::net::IpAddr;

use bucketry::access::{ClientAddress, IpRules, MAX_IP_ENTRIES};

use super::texts;
use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "ip_list",
    run,
    seeds,
};

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let entries: Vec<&str> = text.lines().collect();
    let Ok(rules) = IpRules::parse(&entries, &[] as &[&str]) else {
        return;
    };
    assert!(rules.allowed().len() <= MAX_IP_ENTRIES);
    let shown: Vec<String> = rules.allowed().iter().map(ToString::to_string).collect();
    let none: &[&str] = &[];
    let again = IpRules::parse(&shown, none).map(|again| again.allowed().to_vec());
    assert_eq!(again.as_deref(), Ok(rules.allowed()));
    let denied = IpRules::parse(&shown, &shown);
    for net in rules.allowed() {
        assert_eq!(*net, net.trunc());
        if let IpAddr::V6(address) = net.network() {
            assert!(
                address.to_ipv4_mapped().is_none(),
                "two forms of one address"
            );
        }
        let ends = [net.network(), net.broadcast()];
        // The last address of ::/80 is an IPv4-mapped one, and those are IPv4, which no IPv6 network covers.
        let of_family = ends.into_iter().filter(|end| *end == end.to_canonical());
        for address in of_family.map(ClientAddress::known) {
            assert!(rules.judge(address).is_allowed());
            assert!(
                denied
                    .as_ref()
                    .is_ok_and(|denied| !denied.judge(address).is_allowed())
            );
        }
    }
    if !rules.is_empty() {
        assert!(!rules.judge(ClientAddress::UNKNOWN).is_allowed());
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts(&[
        "::/80\n::/32",
        "10.0.0.1\n10.0.0.0/8\n192.0.2.5/24",
        "::1\n2001:db8::/32\nfe80::1",
        "::ffff:10.0.0.1\n::ffff:10.0.0.0/104",
        "0.0.0.0/0\n::/0",
        "010.0.0.1",
        "0x7f.1",
        "127.1",
        "fe80::1%eth0",
        "1.2.3.4/33",
        "1.2.3.4:80",
        "10.0.0.1-10.0.0.9",
    ])
}
