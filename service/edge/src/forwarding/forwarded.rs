use std::net::IpAddr;

use super::node::parse_node;

/// A line that does not follow RFC 7239's grammar, so that its elements cannot be separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// Reads one line of `Forwarded` (RFC 7239 section 4): for each element the address of its `for` parameter, in order;
/// `None` where it has no `for`, or one that is not an address.
///
/// A line is read by itself: a quoted string that began in one line and ended in another would let a client hide what a
/// proxy adds.
pub(super) fn parse_forwarded(line: &str) -> Result<Vec<Option<IpAddr>>, Malformed> {
    let mut rest = Rest(line);
    let mut elements = Vec::new();
    loop {
        let (node, more) = element(&mut rest)?;
        elements.push(node);
        if !more {
            return Ok(elements);
        }
    }
}

/// One element, and whether a comma follows it.
fn element(rest: &mut Rest<'_>) -> Result<(Option<IpAddr>, bool), Malformed> {
    let mut node = None;
    let mut seen = false;
    loop {
        rest.skip_blanks();
        // A pair may be empty, as in `for=a;` and in an empty element.
        if !matches!(rest.first(), None | Some(b';' | b',')) {
            let name = rest.token()?;
            rest.expect(b'=')?;
            let value = rest.value()?;
            if name.eq_ignore_ascii_case("for") {
                // RFC 7239 section 4: each parameter at most once in an element.
                if seen {
                    return Err(Malformed);
                }
                seen = true;
                node = for_node(&value);
            }
            rest.skip_blanks();
        }
        match rest.first() {
            None => return Ok((node, false)),
            Some(b',') => {
                rest.advance(1);
                return Ok((node, true));
            }
            Some(b';') => rest.advance(1),
            Some(_) => return Err(Malformed),
        }
    }
}

/// IPv6 needs its brackets here (RFC 7239 section 6): without them the end could be a port.
fn for_node(value: &str) -> Option<IpAddr> {
    let bare = !value.starts_with('[') && value.matches(':').count() > 1;
    if bare { None } else { parse_node(value) }
}

/// The unread rest of a line.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn first(&self) -> Option<u8> {
        self.0.as_bytes().first().copied()
    }

    /// Only past ASCII, so that the rest stays text.
    fn advance(&mut self, bytes: usize) {
        self.0 = self.0.get(bytes..).unwrap_or_default();
    }

    fn skip_blanks(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.first() != Some(byte) {
            return Err(Malformed);
        }
        self.advance(1);
        Ok(())
    }

    fn token(&mut self) -> Result<&'a str, Malformed> {
        let end = self.0.bytes().take_while(|&byte| is_tchar(byte)).count();
        let (token, rest) = self.0.split_at_checked(end).ok_or(Malformed)?;
        if token.is_empty() {
            return Err(Malformed);
        }
        self.0 = rest;
        Ok(token)
    }

    /// A token or a quoted string, without its quotes and escapes.
    fn value(&mut self) -> Result<String, Malformed> {
        if self.first() != Some(b'"') {
            return self.token().map(str::to_owned);
        }
        let mut value = String::new();
        let mut characters = self.0.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.advance(at + 1);
                    return Ok(value);
                }
                '\\' => value.push(characters.next().ok_or(Malformed)?.1),
                other => value.push(other),
            }
        }
        Err(Malformed)
    }
}

/// RFC 9110 section 5.6.2.
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nodes(line: &str) -> Result<Vec<Option<String>>, Malformed> {
        let parsed = parse_forwarded(line)?;
        let shown = |node: Option<IpAddr>| node.map(|address| address.to_string());
        Ok(parsed.into_iter().map(shown).collect())
    }

    #[test]
    fn elements_of_the_rfc() {
        for (line, expected) in [
            (
                "for=192.0.2.43, for=198.51.100.17",
                &["192.0.2.43", "198.51.100.17"][..],
            ),
            ("For=\"[2001:db8:cafe::17]:4711\"", &["2001:db8:cafe::17"]),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", &["192.0.2.60"]),
            (
                "for=192.0.2.43,for=\"[2001:db8::1]\"",
                &["192.0.2.43", "2001:db8::1"],
            ),
            (
                "proto=https ; FOR=\"192.0.2.1:80\" ; by=_x;",
                &["192.0.2.1"],
            ),
            ("host=\"a,b;for=192.0.2.9\";for=192.0.2.1", &["192.0.2.1"]),
            ("ext=\"a\\\"b\";for=192.0.2.1", &["192.0.2.1"]),
            ("for=\"1\\92.0.2.1\"", &["192.0.2.1"]),
        ] {
            let expected = expected
                .iter()
                .map(|text| Some((*text).to_owned()))
                .collect();
            assert_eq!(nodes(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn hops_that_are_no_address() {
        for line in [
            "",
            " ",
            ";",
            "for=unknown",
            "for=_gazonk",
            "for=_SEVKISEK",
            "proto=http",
            "for=\"\"",
            "for=\"_hidden:80\"",
            "for=\"2001:db8::1\"",
            "for=\"192.0.2.1:_port\"",
            "for=\"[fe80::1%eth0]\"",
        ] {
            assert_eq!(nodes(line), Ok(vec![None]), "{line:?}");
        }
        assert_eq!(nodes(","), Ok(vec![None, None]));
    }

    #[test]
    fn what_is_no_list_of_elements() {
        for line in [
            "192.0.2.1",
            "for",
            "for=",
            "=192.0.2.1",
            "for =192.0.2.1",
            "for= 192.0.2.1",
            "for=192.0.2.1:80",
            "for=[2001:db8::1]",
            "for=\"192.0.2.1",
            "for=\"192.0.2.1\\",
            "for=\"192.0.2.1\"x",
            "for=192.0.2.1 for=192.0.2.2",
            "for=192.0.2.1;for=192.0.2.2",
            "for=192.0.2.1;FOR=192.0.2.1",
            "fo\u{fc}r=192.0.2.1",
            "for=192.0.2.1\u{fffd}",
        ] {
            assert_eq!(parse_forwarded(line), Err(Malformed), "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(line in "\\PC{0,80}", near in "[for=\";,:.\\\\ 0-9\\[\\]_]{0,80}") {
            let _ = parse_forwarded(&line);
            let _ = parse_forwarded(&near);
        }
    }
}
