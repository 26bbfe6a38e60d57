use std::ops::Deref;
use std::str::FromStr;

/// An entity tag as S3 makes them: the MD5 of the content, or of the parts' MD5s with their count (`-N`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ETag {
    md5: [u8; 16],
    parts: Option<u32>,
}

/// A text is not an entity tag of ours. Such a tag matches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an entity tag is 32 hexadecimal digits, with -N after them for N parts")]
pub struct ETagError;

impl ETag {
    /// The tag of content sent whole.
    pub const fn of_content(md5: [u8; 16]) -> Self {
        Self { md5, parts: None }
    }

    /// The tag of `parts` parts whose MD5s, joined, have this MD5.
    pub const fn of_parts(md5: [u8; 16], parts: u32) -> Self {
        Self {
            md5,
            parts: Some(parts),
        }
    }

    /// The MD5: of the content, or of the parts' MD5s.
    pub const fn md5(&self) -> [u8; 16] {
        self.md5
    }

    /// The text of the tag, without quotes and without an allocation.
    pub fn text(&self) -> ETagText {
        let mut text = ETagText::empty();
        for byte in self.md5 {
            text.push(HEX_DIGITS[usize::from(byte >> 4)]);
            text.push(HEX_DIGITS[usize::from(byte & 0xf)]);
        }
        if let Some(parts) = self.parts {
            text.push(b'-');
            text.push_number(parts);
        }
        text
    }

    /// How many parts, if it was sent in parts.
    pub const fn parts(&self) -> Option<u32> {
        self.parts
    }
}

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The digits of `u32::MAX`.
const MAX_COUNT_DIGITS: usize = 10;

/// Two digits per byte of the MD5, a hyphen and the number of parts.
const MAX_TEXT_BYTES: usize = 2 * 16 + 1 + MAX_COUNT_DIGITS;

/// The text of an [`ETag`].
pub struct ETagText {
    /// ASCII.
    bytes: [u8; MAX_TEXT_BYTES],
    length: usize,
}

impl ETagText {
    const fn empty() -> Self {
        Self {
            bytes: [0; MAX_TEXT_BYTES],
            length: 0,
        }
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    fn push_number(&mut self, number: u32) {
        let mut divisor = 1;
        while number / divisor >= 10 {
            divisor *= 10;
        }
        while divisor > 0 {
            self.push(HEX_DIGITS[(number / divisor % 10) as usize]);
            divisor /= 10;
        }
    }
}

impl Deref for ETagText {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl std::fmt::Display for ETag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}

impl FromStr for ETag {
    type Err = ETagError;

    /// Reads the tag without quotes; hexadecimal digits of either case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, parts) = match text.split_once('-') {
            Some((digits, count)) => (digits, Some(parse_count(count)?)),
            None => (text, None),
        };
        let mut md5 = [0; 16];
        hex::decode_to_slice(digits, &mut md5).map_err(|_| ETagError)?;
        Ok(Self { md5, parts })
    }
}

fn parse_count(text: &str) -> Result<u32, ETagError> {
    let canonical = !text.is_empty()
        && !text.starts_with('0')
        && text.bytes().all(|byte| byte.is_ascii_digit());
    if canonical {
        text.parse().map_err(|_| ETagError)
    } else {
        Err(ETagError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_round_trip(md5 in any::<[u8; 16]>(), parts in proptest::option::of(1u32..20_000)) {
            let tag = ETag { md5, parts };
            prop_assert_eq!(tag.to_string().parse(), Ok(tag));
            prop_assert_eq!(tag.to_string().to_uppercase().parse(), Ok(tag));
        }

        #[test]
        fn the_text_is_hexadecimal_with_the_number_of_parts(md5 in any::<[u8; 16]>(), parts in proptest::option::of(any::<u32>())) {
            let digits = hex::encode(md5);
            let expected = parts.map_or(digits.clone(), |parts| format!("{digits}-{parts}"));
            prop_assert_eq!(&*ETag { md5, parts }.text(), expected);
        }

        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,40}|[0-9a-f]{30,34}-?[0-9+]{0,4}") {
            if let Ok(tag) = text.parse::<ETag>() {
                prop_assert_eq!(tag.to_string(), text.to_lowercase());
            }
        }
    }
}
