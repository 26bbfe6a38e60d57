use std::sync::Arc;

/// An object key: 1 to 1,024 bytes of UTF-8. Any characters are allowed, control characters, `//` and `..` included;
/// nothing is ever normalised. Keys are ordered by their bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(Arc<str>);

/// Why bytes are not an object key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectKeyError {
    /// No bytes at all.
    #[error("an object key is not empty")]
    Empty,
    /// More than 1,024 bytes: how many.
    #[error("an object key has at most 1024 bytes, not {0}")]
    TooLong(usize),
    /// Not UTF-8 from this offset on.
    #[error("an object key is UTF-8: see offset {0}")]
    NotUtf8(usize),
}

impl ObjectKey {
    /// The longest key in bytes.
    pub const MAX_BYTES: usize = 1024;

    /// Takes a text as a key.
    ///
    /// # Errors
    /// [`ObjectKeyError::Empty`] or [`ObjectKeyError::TooLong`].
    pub fn new(text: &str) -> Result<Self, ObjectKeyError> {
        match text.len() {
            0 => Err(ObjectKeyError::Empty),
            length if length > Self::MAX_BYTES => Err(ObjectKeyError::TooLong(length)),
            _ => Ok(Self(text.into())),
        }
    }

    /// Takes bytes as a key.
    ///
    /// # Errors
    /// As [`ObjectKey::new`], and [`ObjectKeyError::NotUtf8`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ObjectKeyError> {
        // The length goes first, so that an enormous input is not scanned.
        if bytes.len() > Self::MAX_BYTES {
            return Err(ObjectKeyError::TooLong(bytes.len()));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| ObjectKeyError::NotUtf8(error.valid_up_to()))?;
        Self::new(text)
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl AsRef<str> for ObjectKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

// Keys may hold control characters: a log line must not be forged by one.
impl std::fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn limits() {
        assert_eq!(ObjectKey::new(""), Err(ObjectKeyError::Empty));
        assert!(ObjectKey::new(&"k".repeat(1024)).is_ok());
        assert_eq!(
            ObjectKey::new(&"k".repeat(1025)),
            Err(ObjectKeyError::TooLong(1025))
        );
        assert_eq!(
            ObjectKey::from_bytes(b"ab\xff"),
            Err(ObjectKeyError::NotUtf8(2))
        );
        assert!(ObjectKey::new("a//../\u{0}\r\n").is_ok());
    }

    proptest! {
        #[test]
        fn text_order_is_byte_order(a in "\\PC{1,20}", b in "\\PC{1,20}") {
            let (a, b) = (ObjectKey::new(&a), ObjectKey::new(&b));
            if let (Ok(a), Ok(b)) = (a, b) {
                prop_assert_eq!(a.cmp(&b), a.as_bytes().cmp(b.as_bytes()));
            }
        }

        #[test]
        fn bytes_round_trip(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(key) = ObjectKey::from_bytes(&bytes) {
                prop_assert_eq!(key.as_bytes(), bytes.as_slice());
            }
        }
    }
}
