use std::fmt::Write as _;

use super::{LetterCase, SearchObjects};

/// What keys must contain.
#[derive(Clone, Debug)]
pub(super) enum Needle {
    /// Nothing: every key matches.
    Empty,
    /// These bytes.
    Exact(Vec<u8>),
    /// These bytes, where ASCII letters, here in lower case, stand for both cases.
    IgnoringCase(Vec<u8>),
}

impl Needle {
    pub(super) fn of(query: &SearchObjects) -> Self {
        match (query.contains.is_empty(), query.letter_case) {
            (true, _) => Self::Empty,
            (false, LetterCase::Exact) => Self::Exact(query.contains.clone().into_bytes()),
            (false, LetterCase::Ignored) => {
                Self::IgnoringCase(query.contains.to_ascii_lowercase().into_bytes())
            }
        }
    }

    pub(super) fn is_in(&self, key: &[u8]) -> bool {
        match self {
            Self::Empty => true,
            Self::Exact(bytes) => {
                let first = bytes.first();
                let mut places = key.windows(bytes.len());
                places.any(|place| place.first() == first && place == bytes)
            }
            Self::IgnoringCase(bytes) => {
                let mut places = key.windows(bytes.len());
                places.any(|place| place.eq_ignore_ascii_case(bytes))
            }
        }
    }
}

/// What `encode(…, 'escape')` of Postgres makes of bytes. It encodes each byte by itself, so that a text contains another only
/// if its encoding contains the other's.
pub(super) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'\\' => text.push_str("\\\\"),
            1..=0x7f => text.push(char::from(*byte)),
            0 | 0x80.. => {
                // Writing to a string does not fail.
                let _ = write!(text, "\\{byte:03o}");
            }
        }
    }
    text
}

/// A regular expression of Postgres for texts in hexadecimal digits: matches what contains the bytes, ASCII letters of
/// either case.
pub(super) fn hexadecimal_pattern(bytes: &[u8]) -> String {
    let mut pattern = String::with_capacity(6 + 5 * bytes.len());
    // Whole bytes before it.
    pattern.push_str("^(?:..)*");
    for byte in bytes {
        let (high, low) = (byte >> 4, byte & 0xf);
        let _ = match byte.is_ascii_alphabetic() {
            // `A` and `a` differ in the bit of 0x20.
            true => write!(pattern, "[{:x}{:x}]{low:x}", high & !2, high | 2),
            false => write!(pattern, "{high:x}{low:x}"),
        };
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_has_a_meaning_of_its_own() {
        let exact = |needle: &str| Needle::Exact(needle.into());
        for (needle, key, is_in) in [
            ("a", "bab", true),
            ("%", "ab", false),
            ("_", "ab", false),
            ("a%b", "a%b", true),
            ("\\", "a\\b", true),
            ("\\", "a/b", false),
            ("\0", "a\0b", true),
            ("A", "a", false),
            ("long", "lon", false),
            ("aab", "aaab", true),
        ] {
            assert_eq!(
                exact(needle).is_in(key.as_bytes()),
                is_in,
                "{needle:?} in {key:?}"
            );
        }
    }

    #[test]
    fn only_ascii_letters_have_two_cases() {
        let ignoring = |needle: &str| Needle::IgnoringCase(needle.to_ascii_lowercase().into());
        for (needle, key, is_in) in [
            ("AbC", "xaBcx", true),
            ("@", "`", false),
            ("[", "{", false),
            ("Ä", "ä", false),
            ("Ä", "xÄ", true),
        ] {
            assert_eq!(
                ignoring(needle).is_in(key.as_bytes()),
                is_in,
                "{needle:?} in {key:?}"
            );
        }
    }

    #[test]
    fn texts_for_postgres() {
        assert_eq!(escaped("a\\%\0ÿ".as_bytes()), "a\\\\%\\000\\303\\277");
        assert_eq!(hexadecimal_pattern(b"a1Z."), "^(?:..)*[46]131[57]a2e");
    }
}
