//! Strict parser for one entry of a list of addresses (a token's IP rules, the trusted proxies), which names the reason
//! of every refusal.
//!
//! Other programs read `010.0.0.1` as octal and `127.1` as `127.0.0.1`: a rule that two readers understand differently
//! is a hole, so all such forms are refused rather than guessed at.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Prefix length that covers exactly `::ffff:0:0/96`, the IPv4-mapped block.
const MAPPED_PREFIX: u8 = 96;

/// Why an entry is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IpEntryProblem {
    /// Nothing but blanks.
    #[error("it is empty")]
    Empty,
    /// A character outside ASCII, such as full-width digits.
    #[error("it has characters outside ASCII")]
    NotAscii,
    /// `%eth0` or the like.
    #[error("it names a network interface (zone id)")]
    ZoneId,
    /// `a.b.c.d:80` or `[v6]:80`.
    #[error("it names a port")]
    Port,
    /// `[v6]`.
    #[error("it has brackets; give the address without them")]
    Brackets,
    /// `a-b`.
    #[error("it is a range; give addresses or CIDR blocks")]
    Range,
    /// `10.0.0.*`.
    #[error("it has a wildcard; give a CIDR block, as in 10.0.0.0/24")]
    Wildcard,
    /// Letters that belong to no address.
    #[error("it is a host name, not an address")]
    HostName,
    /// `010.0.0.1`: decimal to some, octal to others.
    #[error("a number has a leading zero")]
    LeadingZero,
    /// `0x7f.1`.
    #[error("it is in hexadecimal form")]
    Hexadecimal,
    /// `127.1` or `2130706433`.
    #[error("an IPv4 address has four numbers")]
    ShortForm,
    /// `256.0.0.1`.
    #[error("a number of an IPv4 address is above 255")]
    NumberTooLarge,
    /// The part after the slash is no plain number.
    #[error("the prefix length is not a number")]
    PrefixNotANumber,
    /// `10.0.0.0/255.0.0.0`.
    #[error("it has a netmask; give the prefix length, as in 10.0.0.0/8")]
    Netmask,
    /// Beyond 32 (IPv4) or 128 (IPv6).
    #[error("the prefix length is out of range: at most 32 for IPv4, 128 for IPv6")]
    PrefixOutOfRange,
    /// An IPv4-mapped IPv6 block that reaches beyond IPv4.
    #[error("an IPv4-mapped block needs a prefix length of 96 or more")]
    MappedTooWide,
    /// Anything else that is no address.
    #[error("it is not an IP address")]
    NotAnAddress,
}

/// Reads an address or CIDR block. Host bits are cleared; IPv4-mapped IPv6 becomes IPv4.
///
/// # Errors
/// The first [`IpEntryProblem`] found.
pub fn parse_ip_entry(text: &str) -> Result<IpNet, IpEntryProblem> {
    let text = text.trim_matches([' ', '\t']);
    if text.is_empty() {
        return Err(IpEntryProblem::Empty);
    }
    if !text.is_ascii() {
        return Err(IpEntryProblem::NotAscii);
    }
    if text.contains('%') {
        return Err(IpEntryProblem::ZoneId);
    }
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (parse_address(address)?, Some(parse_prefix(prefix)?)),
        None => (parse_address(text)?, None),
    };
    match address {
        IpAddr::V4(address) => v4_net(address, prefix.unwrap_or(32)),
        IpAddr::V6(address) => v6_net(address, prefix.unwrap_or(128)),
    }
}

fn v4_net(address: Ipv4Addr, prefix: u8) -> Result<IpNet, IpEntryProblem> {
    let net = Ipv4Net::new(address, prefix).map_err(|_| IpEntryProblem::PrefixOutOfRange)?;
    Ok(net.trunc().into())
}

fn v6_net(address: Ipv6Addr, prefix: u8) -> Result<IpNet, IpEntryProblem> {
    let net = Ipv6Net::new(address, prefix)
        .map_err(|_| IpEntryProblem::PrefixOutOfRange)?
        .trunc();
    if let Some(mapped) = address.to_ipv4_mapped() {
        let prefix = prefix
            .checked_sub(MAPPED_PREFIX)
            .ok_or(IpEntryProblem::MappedTooWide)?;
        return v4_net(mapped, prefix);
    }
    Ok(net.into())
}

fn parse_prefix(text: &str) -> Result<u8, IpEntryProblem> {
    if text.parse::<IpAddr>().is_ok() {
        return Err(IpEntryProblem::Netmask);
    }
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(IpEntryProblem::PrefixNotANumber);
    }
    if text.len() > 1 && text.starts_with('0') {
        return Err(IpEntryProblem::LeadingZero);
    }
    text.parse().map_err(|_| IpEntryProblem::PrefixOutOfRange)
}

fn parse_address(text: &str) -> Result<IpAddr, IpEntryProblem> {
    text.parse().map_err(|_| diagnose(text))
}

/// Names what is wrong with a text that the strict parser refused.
fn diagnose(text: &str) -> IpEntryProblem {
    if text.contains('*') {
        return IpEntryProblem::Wildcard;
    }
    if text.split_once('-').is_some_and(is_range) {
        return IpEntryProblem::Range;
    }
    let colons = text.bytes().filter(|&byte| byte == b':').count();
    if text.starts_with('[') && text.ends_with(']') {
        return IpEntryProblem::Brackets;
    }
    if text.starts_with('[') || (colons == 1 && text.contains('.')) {
        return IpEntryProblem::Port;
    }
    if colons > 0 {
        return IpEntryProblem::NotAnAddress;
    }
    diagnose_parts(text)
}

/// The same of a text that has neither port nor IPv6 in it.
fn diagnose_parts(text: &str) -> IpEntryProblem {
    let parts: Vec<&str> = text.split('.').collect();
    if parts.iter().any(|part| is_hexadecimal(part)) {
        return IpEntryProblem::Hexadecimal;
    }
    if text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return IpEntryProblem::HostName;
    }
    let number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !parts.iter().all(number) {
        return IpEntryProblem::NotAnAddress;
    }
    if parts
        .iter()
        .any(|part| part.len() > 1 && part.starts_with('0'))
    {
        return IpEntryProblem::LeadingZero;
    }
    match parts.len() {
        ..4 => IpEntryProblem::ShortForm,
        // Four plain numbers without leading zeros are an address unless one is too large.
        4 => IpEntryProblem::NumberTooLarge,
        _ => IpEntryProblem::NotAnAddress,
    }
}

/// Whether both ends look like addresses; `10.0.0.1-9` counts too.
fn is_range((from, to): (&str, &str)) -> bool {
    let end = |text: &str| {
        let text = text.trim_matches([' ', '\t']);
        let numbers = |byte: u8| byte.is_ascii_digit() || byte == b'.';
        text.parse::<IpAddr>().is_ok() || (!text.is_empty() && text.bytes().all(numbers))
    };
    end(from) && end(to)
}

fn is_hexadecimal(part: &str) -> bool {
    part.strip_prefix("0x")
        .or_else(|| part.strip_prefix("0X"))
        .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepted_forms() {
        for (text, expected) in [
            ("10.0.0.5", "10.0.0.5/32"),
            (" 10.0.0.5\t", "10.0.0.5/32"),
            ("10.0.0.5/24", "10.0.0.0/24"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("255.255.255.255", "255.255.255.255/32"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("2001:DB8:0:0::ffff/32", "2001:db8::/32"),
            ("::/0", "::/0"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:0a00:0001", "10.0.0.1/32"),
            ("::ffff:10.1.2.3/96", "0.0.0.0/0"),
        ] {
            assert_eq!(
                parse_ip_entry(text).unwrap().to_string(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn refused_forms_are_named() {
        use IpEntryProblem as P;
        for (text, expected) in [
            ("", P::Empty),
            (" \t", P::Empty),
            ("１２７.0.0.1", P::NotAscii),
            ("fe80::1%eth0", P::ZoneId),
            ("fe80::1%25eth0/64", P::ZoneId),
            ("1.2.3.4:80", P::Port),
            ("[2001:db8::1]:443", P::Port),
            ("[2001:db8::1]", P::Brackets),
            ("10.0.0.1-10.0.0.9", P::Range),
            ("10.0.0.1 - 10.0.0.9", P::Range),
            ("10.0.0.1-9", P::Range),
            ("2001:db8::1-2001:db8::9", P::Range),
            ("example.com", P::HostName),
            ("localhost", P::HostName),
            ("my-host", P::HostName),
            ("010.0.0.1", P::LeadingZero),
            ("10.0.00.1/8", P::LeadingZero),
            ("10.0.0.0/08", P::LeadingZero),
            ("0x7f.1", P::Hexadecimal),
            ("0x7f000001", P::Hexadecimal),
            ("0x7f.0x0.0x0.0x1", P::Hexadecimal),
            ("127.1", P::ShortForm),
            ("2130706433", P::ShortForm),
            ("10.0.0/24", P::ShortForm),
            ("1.2.3.4/33", P::PrefixOutOfRange),
            ("1.2.3.4/999", P::PrefixOutOfRange),
            ("2001:db8::/129", P::PrefixOutOfRange),
            ("::ffff:1.2.3.4/129", P::PrefixOutOfRange),
            ("::ffff:0:0/95", P::MappedTooWide),
            ("10.0.0.0/", P::PrefixNotANumber),
            ("10.0.0.0/+8", P::PrefixNotANumber),
            ("10.0.0.0/255.0.0.0", P::Netmask),
            ("10.0.0.0/٨", P::NotAscii),
            ("10.0.0.0/8/8", P::PrefixNotANumber),
            ("1.2.3.4.5", P::NotAnAddress),
            ("256.0.0.1", P::NumberTooLarge),
            ("99999999999.0.0.1", P::NumberTooLarge),
            ("10.0.0.1 ,10.0.0.2", P::NotAnAddress),
            ("1..2.3", P::NotAnAddress),
            ("2001:db8:::1", P::NotAnAddress),
            ("*", P::Wildcard),
            ("10.0.0.*", P::Wildcard),
        ] {
            assert_eq!(parse_ip_entry(text), Err(expected), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = parse_ip_entry(&text);
        }

        #[test]
        fn near_addresses_do_not_panic(text in "[0-9a-fx.:/%\\[\\] -]{0,24}") {
            let _ = parse_ip_entry(&text);
        }

        #[test]
        fn shown_form_is_read_back_and_never_mapped(bits: u128, prefix in 0_u8..=128) {
            if let Ok(net) = parse_ip_entry(&format!("{}/{prefix}", Ipv6Addr::from(bits))) {
                prop_assert_eq!(parse_ip_entry(&net.to_string()), Ok(net));
                prop_assert_eq!(net.trunc(), net);
            }
        }

        #[test]
        fn mapped_and_plain_ipv4_are_one(bits: u32, prefix in 0_u8..=32) {
            let address = Ipv4Addr::from(bits);
            let plain = parse_ip_entry(&format!("{address}/{prefix}"));
            let mapped = parse_ip_entry(&format!("::ffff:{address}/{}", prefix + 96));
            prop_assert!(plain.is_ok());
            prop_assert_eq!(plain, mapped);
        }
    }
}
