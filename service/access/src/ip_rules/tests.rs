use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

fn rules(allowed: &[&str], disallowed: &[&str]) -> IpRules {
    IpRules::parse(allowed, disallowed).unwrap()
}

fn judge(rules: &IpRules, address: &str) -> IpVerdict {
    rules.judge(ClientAddress::known(address.parse().unwrap()))
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

#[test]
fn no_rules_allow_all_even_unknown() {
    assert_eq!(
        judge(&rules(&[], &[]), "203.0.113.9"),
        IpVerdict::Unrestricted
    );
    assert_eq!(
        IpRules::default().judge(ClientAddress::UNKNOWN),
        IpVerdict::Unrestricted
    );
}

#[test]
fn disallowed_beats_allowed() {
    let rules = rules(&["10.0.0.0/8"], &["10.1.0.0/16"]);
    assert_eq!(
        judge(&rules, "10.1.2.3"),
        IpVerdict::Disallowed(net("10.1.0.0/16"))
    );
    assert_eq!(
        judge(&rules, "10.2.2.3"),
        IpVerdict::Allowed(net("10.0.0.0/8"))
    );
    assert_eq!(judge(&rules, "11.0.0.1"), IpVerdict::NotListed);
}

#[test]
fn a_disallowed_list_alone_allows_the_rest() {
    let rules = rules(&[], &["203.0.113.7"]);
    assert_eq!(
        judge(&rules, "203.0.113.7"),
        IpVerdict::Disallowed(net("203.0.113.7/32"))
    );
    assert_eq!(judge(&rules, "203.0.113.8"), IpVerdict::Unrestricted);
    assert_eq!(judge(&rules, "2001:db8::1"), IpVerdict::Unrestricted);
}

#[test]
fn any_rule_refuses_an_unknown_address() {
    assert_eq!(
        rules(&["0.0.0.0/0", "::/0"], &[]).judge(ClientAddress::UNKNOWN),
        IpVerdict::UnknownAddress
    );
    assert_eq!(
        rules(&[], &["10.0.0.1"]).judge(ClientAddress::UNKNOWN),
        IpVerdict::UnknownAddress
    );
}

#[test]
fn a_dual_stack_listener_gives_the_same_answers() {
    let rules = rules(&["::ffff:10.0.0.0/104"], &["10.1.0.0/16"]);
    for (address, allowed) in [
        ("::ffff:10.2.3.4", true),
        ("10.2.3.4", true),
        ("::ffff:10.1.0.1", false),
    ] {
        assert_eq!(judge(&rules, address).is_allowed(), allowed, "{address}");
    }
}

#[test]
fn all_of_ipv4_covers_no_ipv6() {
    assert_eq!(
        judge(&rules(&["0.0.0.0/0"], &[]), "2001:db8::1"),
        IpVerdict::NotListed
    );
    assert_eq!(
        judge(&rules(&["::/0"], &[]), "192.0.2.1"),
        IpVerdict::NotListed
    );
}

#[test]
fn lists_are_sorted_and_free_of_duplicates() {
    let rules = rules(
        &[
            "2001:db8::/32",
            "10.0.0.9/8",
            "10.0.0.0/8",
            "::ffff:9.0.0.1",
        ],
        &[],
    );
    assert_eq!(
        rules.allowed(),
        [net("9.0.0.1/32"), net("10.0.0.0/8"), net("2001:db8::/32")]
    );
    assert_eq!(
        IpRules::from_nets(rules.allowed(), rules.disallowed()),
        rules
    );
}

#[test]
fn refusals_name_list_and_entry() {
    let long = "9".repeat(300);
    assert_eq!(
        IpRules::parse(&["10.0.0.1", "10.0.0.256"], &[] as &[&str]),
        Err(IpRulesError::Entry {
            list: IpList::Allowed,
            index: 1,
            entry: "10.0.0.256".into(),
            problem: IpEntryProblem::NumberTooLarge
        })
    );
    assert_eq!(
        IpRules::parse(&[] as &[&str], &["host.example"])
            .unwrap_err()
            .to_string(),
        "entry \"host.example\" of the disallowed list: it is a host name, not an address"
    );
    assert!(matches!(
        IpRules::parse(&[long], &[] as &[&str]),
        Err(IpRulesError::Entry { entry, .. }) if entry.len() == 64
    ));
}

#[test]
fn a_hundred_entries_and_no_more() {
    let entries: Vec<String> = (0..=MAX_IP_ENTRIES)
        .map(|n| format!("10.0.0.{n}"))
        .collect();
    assert_eq!(
        IpRules::parse(&entries[..100], &[] as &[&str])
            .unwrap()
            .allowed()
            .len(),
        100
    );
    assert_eq!(
        IpRules::parse(&[] as &[&str], &entries),
        Err(IpRulesError::TooMany {
            list: IpList::Disallowed,
            count: 101
        })
    );
}

#[test]
fn warnings_tell_what_is_probably_not_meant() {
    let here = ClientAddress::known("192.0.2.1".parse().unwrap());
    let both = ["192.0.2.0/24", "2001:db8::/32"];
    assert_eq!(rules(&both, &[]).warnings(here), []);
    assert_eq!(
        rules(&[], &["192.0.2.1"]).warnings(here),
        [IpRulesWarning::LocksOutEditor]
    );
    assert_eq!(
        rules(&["192.0.2.0/24"], &[]).warnings(here),
        [IpRulesWarning::AllowsIpv4Only]
    );
    assert_eq!(
        rules(&["2001:db8::/32"], &[]).warnings(here),
        [
            IpRulesWarning::LocksOutEditor,
            IpRulesWarning::AllowsIpv6Only
        ]
    );
    // Two halves together cover the whole.
    assert_eq!(
        rules(&both, &["192.0.2.128/25", "192.0.2.0/25"]).warnings(here),
        [
            IpRulesWarning::LocksOutEditor,
            IpRulesWarning::AllowedEntryCovered(net("192.0.2.0/24"))
        ]
    );
    assert_eq!(
        rules(&["10.0.0.0/8", "::1"], &["0.0.0.0/0", "::/0"]).warnings(here),
        [IpRulesWarning::LocksOutEditor, IpRulesWarning::AllowsNobody]
    );
}

fn any_address() -> impl Strategy<Value = IpAddr> {
    // A narrow space, so that rules and addresses meet.
    prop_oneof![
        (0_u32..64).prop_map(|bits| IpAddr::V4(Ipv4Addr::from(0x0a00_0000 | bits))),
        (0_u128..64).prop_map(|bits| IpAddr::V6(Ipv6Addr::from(0x2001_0db8_u128 << 96 | bits))),
    ]
}

fn any_entry() -> impl Strategy<Value = String> {
    prop_oneof![
        ((0_u32..64), 24_u8..=32)
            .prop_map(|(bits, prefix)| format!("{}/{prefix}", Ipv4Addr::from(0x0a00_0000 | bits))),
        ((0_u128..64), 120_u8..=128).prop_map(|(bits, prefix)| format!(
            "{}/{prefix}",
            Ipv6Addr::from(0x2001_0db8_u128 << 96 | bits)
        )),
    ]
}

proptest! {
    #[test]
    fn the_verdict_is_the_rule_in_words(
        allowed in prop::collection::vec(any_entry(), 0..5),
        disallowed in prop::collection::vec(any_entry(), 0..5),
        address in any_address(),
    ) {
        let rules = IpRules::parse(&allowed, &disallowed).unwrap();
        // The model compares bits by hand.
        let within = |entry: &String| {
            let (network, prefix) = entry.split_once('/').unwrap();
            let prefix: u32 = prefix.parse().unwrap();
            match (network.parse().unwrap(), address) {
                (IpAddr::V4(n), IpAddr::V4(a)) => {
                    let shift = 32 - prefix;
                    u64::from(u32::from(n)) >> shift == u64::from(u32::from(a)) >> shift
                }
                (IpAddr::V6(n), IpAddr::V6(a)) => u128::from(n) >> (128 - prefix) == u128::from(a) >> (128 - prefix),
                _ => false,
            }
        };
        let expected = !disallowed.iter().any(within) && (allowed.is_empty() || allowed.iter().any(within));
        prop_assert_eq!(rules.judge(ClientAddress::known(address)).is_allowed(), expected);
    }
}
