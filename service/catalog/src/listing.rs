//! The mathematics of listing: where a page begins, what a key is rolled up to, and where to go on after a prefix. Texts are
//! UTF-8, and no byte of UTF-8 is `0xff`: so the last byte of a text can always be incremented.

/// Above every key.
pub(crate) const ABOVE_ALL: &[u8] = &[0xff];

/// What a listing asks for, as bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) delimiter: &'a str,
    pub(crate) after: &'a str,
}

/// A range of keys: from `start` on, below `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyRange {
    pub(crate) start: Vec<u8>,
    pub(crate) end: Vec<u8>,
}

impl Scope<'_> {
    /// The keys to look at. Empty if nothing can be listed.
    pub(crate) fn range(&self) -> KeyRange {
        let end = if self.prefix.is_empty() {
            ABOVE_ALL.to_vec()
        } else {
            successor(self.prefix.as_bytes())
        };
        let start = match self.rolled_up(self.after) {
            // A marker within a common prefix stands for all of it: the prefix was listed, or is not above the marker.
            Some(common) => successor(common.as_bytes()),
            None if self.after < self.prefix || self.after.is_empty() => {
                self.prefix.as_bytes().to_vec()
            }
            None => just_after(self.after.as_bytes()),
        };
        KeyRange { start, end }
    }

    /// The common prefix that the key belongs to: up to and including the first delimiter after the prefix.
    pub(crate) fn rolled_up<'k>(&self, key: &'k str) -> Option<&'k str> {
        if self.delimiter.is_empty() {
            return None;
        }
        let rest = key.strip_prefix(self.prefix)?;
        let end = self.prefix.len() + rest.find(self.delimiter)? + self.delimiter.len();
        key.get(..end)
    }
}

impl KeyRange {
    pub(crate) fn is_empty(&self) -> bool {
        self.start >= self.end
    }
}

/// The least byte string above everything that begins with `text`.
pub(crate) fn successor(text: &[u8]) -> Vec<u8> {
    let mut bytes = text.to_vec();
    match bytes.last_mut() {
        Some(last) => *last = last.saturating_add(1),
        None => bytes = ABOVE_ALL.to_vec(),
    }
    bytes
}

/// The least byte string above `text`.
pub(crate) fn just_after(text: &[u8]) -> Vec<u8> {
    [text, &[0]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn successor_is_above_all_extensions_and_no_more(text in "\\PC{1,8}", tail in "\\PC{0,4}", other in "\\PC{0,8}") {
            let above = successor(text.as_bytes());
            let extended = [text.as_bytes(), tail.as_bytes()].concat();
            prop_assert!(extended < above);
            if other.as_bytes() >= text.as_bytes() && !other.starts_with(&text) {
                prop_assert!(other.as_bytes() >= above.as_slice());
            }
        }

        #[test]
        fn nothing_is_between_a_key_and_what_is_just_after(text in "[a-c]{0,4}", other in "[a-c\\x00]{0,5}") {
            let after = just_after(text.as_bytes());
            prop_assert_eq!(other.as_bytes() > text.as_bytes(), other.as_bytes() >= after.as_slice());
        }
    }

    #[test]
    fn rolling_up() {
        let scope = Scope {
            prefix: "a/",
            delimiter: "/",
            after: "",
        };
        assert_eq!(scope.rolled_up("a/b/c"), Some("a/b/"));
        assert_eq!(scope.rolled_up("a//c"), Some("a//"));
        assert_eq!(scope.rolled_up("a/b"), None);
        assert_eq!(scope.rolled_up("b/b/c"), None);
    }
}
