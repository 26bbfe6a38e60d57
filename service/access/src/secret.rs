//! Secret keys: how they look, how they are made, and how they are kept from being seen.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::entropy::{EntropyError, random_characters};

/// First characters of every generated secret. The underscore is in no base64 or base62 alphabet, so a scanner for
/// leaked keys finds the prefix without false positives, and a double click still selects the whole word.
pub const SECRET_PREFIX: &str = "bkty_";

/// Random base62 characters of a generated secret: 238 bits.
const RANDOM_CHARACTERS: usize = 40;

/// Base62 characters of the checksum: 62^6 is more than 2^32.
const CHECKSUM_CHARACTERS: usize = 6;

/// Length of a generated secret in characters.
pub const GENERATED_SECRET_LENGTH: usize =
    SECRET_PREFIX.len() + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS;

/// Shortest and longest secret that is taken over from outside, in characters.
pub const SECRET_LENGTH_RANGE: std::ops::RangeInclusive<usize> = 8..=256;

pub(super) const BASE62: &[u8; 62] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A secret access key. Masked in `Debug`, wiped when dropped, and compared in constant time only.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey(String);

/// Why a text is no secret key. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretKeyError {
    /// The number of characters is outside [`SECRET_LENGTH_RANGE`].
    #[error("a secret key has 8 to 256 characters, not {length}")]
    Length {
        /// The number of bytes given.
        length: usize,
    },
    /// Something else than visible ASCII.
    #[error("a secret key consists of visible ASCII characters")]
    Character,
}

/// What the text of a secret says about itself, before any lookup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretShape {
    /// Made here: prefix, length and checksum agree.
    Generated,
    /// Begins like a secret made here, but length or checksum do not agree: a typing or pasting fault.
    Mistyped,
    /// Made elsewhere (root credentials given by the operator).
    Foreign,
}

impl SecretKey {
    /// Makes a new secret from the operating system's generator.
    ///
    /// # Errors
    /// [`EntropyError`] when the generator fails.
    pub fn generate() -> Result<Self, EntropyError> {
        let random = Zeroizing::new(random_characters(BASE62, RANDOM_CHARACTERS)?);
        // Full capacity at once: a growing string would leave unwiped copies behind.
        let mut text = String::with_capacity(GENERATED_SECRET_LENGTH);
        text.push_str(SECRET_PREFIX);
        text.push_str(&random);
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Ok(Self(text))
    }

    /// Takes over a secret from outside: 8 to 256 visible ASCII characters.
    ///
    /// # Errors
    /// [`SecretKeyError`] for any other text; the text is wiped.
    pub fn parse(text: String) -> Result<Self, SecretKeyError> {
        let text = Self(text);
        let length = text.0.len();
        if !SECRET_LENGTH_RANGE.contains(&length) {
            return Err(SecretKeyError::Length { length });
        }
        if !text.0.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SecretKeyError::Character);
        }
        Ok(text)
    }

    /// The secret itself. Named so that every place which sees it is found by one search.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `claimed` is this secret. Takes the same time wherever the two differ; only the length can be told.
    #[must_use]
    pub fn matches(&self, claimed: &str) -> bool {
        self.0.as_bytes().ct_eq(claimed.as_bytes()).into()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(***)")
    }
}

impl SecretShape {
    /// Tells a typing fault from a secret that is merely wrong.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if !text.starts_with(SECRET_PREFIX) {
            return Self::Foreign;
        }
        let body_length = GENERATED_SECRET_LENGTH - CHECKSUM_CHARACTERS;
        match (text.get(..body_length), text.get(body_length..)) {
            (Some(body), Some(claimed)) if checksum(body) == claimed => Self::Generated,
            _ => Self::Mistyped,
        }
    }
}

/// The CRC-32 (ISO-HDLC) of `body` as six base62 digits, most significant first.
fn checksum(body: &str) -> String {
    let mut rest = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, body.as_bytes());
    let mut digits = [b'0'; CHECKSUM_CHARACTERS];
    for digit in digits.iter_mut().rev() {
        // The remainder is below 62, hence within the alphabet.
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|&digit| char::from(digit)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn generated_secrets_have_the_promised_form() {
        let mut seen = HashSet::new();
        for _ in 0..500 {
            let secret = SecretKey::generate().unwrap();
            let text = secret.expose().to_owned();
            assert_eq!(text.len(), 51);
            assert!(text.starts_with("bkty_"));
            assert!(text[5..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert_eq!(SecretShape::of(&text), SecretShape::Generated);
            assert!(SecretKey::parse(text.clone()).is_ok());
            assert!(seen.insert(text));
        }
    }

    #[test]
    fn checksum_is_the_published_crc32_in_base62() {
        // CRC-32 of "123456789" is 0xCBF43926 = 3421780262.
        let value = BASE62.iter().position(|&c| c == b'3').unwrap();
        assert_eq!(value, 3);
        let digits = checksum("123456789");
        let decoded = digits.bytes().fold(0_u64, |sum, byte| {
            sum * 62 + BASE62.iter().position(|&c| c == byte).unwrap() as u64
        });
        assert_eq!(decoded, 0xCBF4_3926);
    }

    #[test]
    fn debug_shows_nothing() {
        let secret = SecretKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()).unwrap();
        assert_eq!(format!("{secret:?}"), "SecretKey(***)");
    }

    #[test]
    fn matches_only_itself() {
        let secret = SecretKey::parse("minioadmin".into()).unwrap();
        assert!(secret.matches("minioadmin"));
        for other in ["minioadmiN", "minioadmi", "minioadmin ", ""] {
            assert!(!secret.matches(other), "{other}");
        }
    }

    #[test]
    fn foreign_texts_are_bounded() {
        assert_eq!(
            SecretKey::parse("short".into()).err(),
            Some(SecretKeyError::Length { length: 5 })
        );
        assert_eq!(
            SecretKey::parse("a".repeat(257)).err(),
            Some(SecretKeyError::Length { length: 257 })
        );
        assert_eq!(
            SecretKey::parse("with space".into()).err(),
            Some(SecretKeyError::Character)
        );
        assert_eq!(
            SecretKey::parse("pässword1".into()).err(),
            Some(SecretKeyError::Character)
        );
        assert_eq!(
            SecretShape::of("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            SecretShape::Foreign
        );
    }

    proptest! {
        #[test]
        fn one_changed_character_is_a_typing_fault(position in 5_usize..51, replacement in "[0-9A-Za-z]") {
            let text = SecretKey::generate().unwrap().expose().to_owned();
            let mut changed = text.clone();
            changed.replace_range(position..=position, &replacement);
            let expected = if changed == text { SecretShape::Generated } else { SecretShape::Mistyped };
            prop_assert_eq!(SecretShape::of(&changed), expected);
        }

        #[test]
        fn any_text_has_a_shape(text in "\\PC*") {
            let _ = SecretShape::of(&text);
            let _ = SecretShape::of(&format!("bkty_{text}"));
        }
    }
}
