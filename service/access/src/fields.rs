//! Length-prefixed fields: the one encoding of everything that is authenticated here.
//!
//! A length before every field keeps `("ab", "c")` and `("a", "bc")` apart, which mere concatenation does not.

/// Appends a field: its length as 4 bytes, big-endian, then its bytes.
pub(super) fn push_field(buffer: &mut Vec<u8>, field: &[u8]) {
    // Every field here is far below 4 GiB; a saturated length would only make the result unreadable.
    let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
    buffer.extend_from_slice(&length.to_be_bytes());
    buffer.extend_from_slice(field);
}

/// Appends an optional field: one byte that tells whether it is there, then the field.
pub(super) fn push_optional(buffer: &mut Vec<u8>, field: Option<&[u8]>) {
    buffer.push(u8::from(field.is_some()));
    if let Some(field) = field {
        push_field(buffer, field);
    }
}

/// Reads what the functions above wrote, front to back.
pub(super) struct FieldReader<'a>(&'a [u8]);

impl<'a> FieldReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn field(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(u32::from_be_bytes(self.array()?)).ok()?;
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(head)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.field()?).ok()
    }

    /// `Some(None)` is a field that was written as absent.
    pub(super) fn optional_text(&mut self) -> Option<Option<&'a str>> {
        match self.byte()? {
            0 => Some(None),
            1 => self.text().map(Some),
            _ => None,
        }
    }

    /// Succeeds only when nothing is left.
    pub(super) fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(first in "\\PC{0,20}", second in prop::option::of("\\PC{0,20}"), number: i64) {
            let mut buffer = Vec::new();
            push_field(&mut buffer, first.as_bytes());
            push_optional(&mut buffer, second.as_deref().map(str::as_bytes));
            buffer.extend_from_slice(&number.to_be_bytes());
            let mut reader = FieldReader::new(&buffer);
            prop_assert_eq!(reader.text(), Some(first.as_str()));
            prop_assert_eq!(reader.optional_text(), Some(second.as_deref()));
            prop_assert_eq!(reader.array().map(i64::from_be_bytes), Some(number));
            prop_assert!(reader.end().is_some());
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let mut reader = FieldReader::new(&bytes);
            let _ = (reader.field(), reader.optional_text(), reader.byte());
        }
    }
}
