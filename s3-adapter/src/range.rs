//! The `Range` header (RFC 9110, 14.2).

/// A range as the client wrote it, before the object's size is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// `a-b`: both ends included, `first <= last`.
    Between {
        /// First byte.
        first: u64,
        /// Last byte; may lie behind the end of the object.
        last: u64,
    },
    /// `a-`: to the end.
    From {
        /// First byte.
        first: u64,
    },
    /// `-n`: the last `n` bytes.
    Suffix {
        /// How many; 0 can never be satisfied.
        length: u64,
    },
}

/// A range within an object: never empty, never behind its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResolvedRange {
    /// First byte.
    pub first: u64,
    /// Last byte, included.
    pub last: u64,
}

impl ResolvedRange {
    /// Its length in bytes, at least 1.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.last - self.first + 1
    }

    /// The value of `Content-Range` for an object of that size.
    #[must_use]
    pub fn content_range(&self, size: u64) -> String {
        format!("bytes {}-{}/{size}", self.first, self.last)
    }
}

/// The range lies behind the end of the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("range not satisfiable in {size} bytes")]
pub struct UnsatisfiableRange {
    /// The object's size.
    pub size: u64,
}

impl ByteRange {
    /// Reads the header. Nothing means the whole object: S3 ignores other units, several ranges and
    /// malformed ones (RFC 9110 lets a server do so), and clients rely on getting 200 then.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let (unit, set) = header.trim().split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (first, last) = set.trim().split_once('-')?;
        match (first.trim(), last.trim()) {
            ("", length) => Some(Self::Suffix {
                length: number(length)?,
            }),
            (first, "") => Some(Self::From {
                first: number(first)?,
            }),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::Between { first, last })
            }
        }
    }

    /// Places the range in an object of `size` bytes.
    ///
    /// # Errors
    /// [`UnsatisfiableRange`] if no byte of it lies inside; always for an empty object.
    pub fn resolve(self, size: u64) -> Result<ResolvedRange, UnsatisfiableRange> {
        let end = size.checked_sub(1).ok_or(UnsatisfiableRange { size })?;
        let (first, last) = match self {
            Self::Between { first, last } => (first, last.min(end)),
            Self::From { first } => (first, end),
            Self::Suffix { length: 0 } => return Err(UnsatisfiableRange { size }),
            Self::Suffix { length } => (size.saturating_sub(length), end),
        };
        if first > end {
            return Err(UnsatisfiableRange { size });
        }
        Ok(ResolvedRange { first, last })
    }
}

/// Digits only (no sign). More than 64 bits means "behind any end".
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_the_three_forms() {
        assert_eq!(
            ByteRange::parse("bytes=0-9"),
            Some(ByteRange::Between { first: 0, last: 9 })
        );
        assert_eq!(
            ByteRange::parse("bytes=5-"),
            Some(ByteRange::From { first: 5 })
        );
        assert_eq!(
            ByteRange::parse(" Bytes = -7 "),
            Some(ByteRange::Suffix { length: 7 })
        );
        let huge = ByteRange::parse("bytes=0-99999999999999999999999");
        assert_eq!(
            huge,
            Some(ByteRange::Between {
                first: 0,
                last: u64::MAX
            })
        );
    }

    #[test]
    fn ignores_what_s3_ignores() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-4",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=0-1,3-4",
            "items=0-1",
            "bytes=1--2",
            "bytes=٣-٤",
        ] {
            assert_eq!(ByteRange::parse(header), None, "{header}");
        }
    }

    #[test]
    fn resolves_against_the_size() {
        let range = |first, last| Ok(ResolvedRange { first, last });
        assert_eq!(
            ByteRange::Between { first: 2, last: 99 }.resolve(10),
            range(2, 9)
        );
        assert_eq!(ByteRange::From { first: 9 }.resolve(10), range(9, 9));
        assert_eq!(ByteRange::Suffix { length: 99 }.resolve(10), range(0, 9));
        assert_eq!(ByteRange::Suffix { length: 3 }.resolve(10), range(7, 9));
        let refused = Err(UnsatisfiableRange { size: 10 });
        assert_eq!(ByteRange::From { first: 10 }.resolve(10), refused);
        assert_eq!(ByteRange::Suffix { length: 0 }.resolve(10), refused);
        assert_eq!(
            ByteRange::From { first: 0 }.resolve(0),
            Err(UnsatisfiableRange { size: 0 })
        );
        let whole = ResolvedRange { first: 0, last: 9 };
        assert_eq!(
            (whole.length(), whole.content_range(10).as_str()),
            (10, "bytes 0-9/10")
        );
    }

    proptest! {
        #[test]
        fn never_panics(header in "\\PC*") {
            let _ = ByteRange::parse(&header);
        }

        #[test]
        fn resolved_ranges_lie_inside(first: u64, last: u64, size: u64, form in 0..3) {
            let range = match form {
                0 => ByteRange::Between { first: first.min(last), last: first.max(last) },
                1 => ByteRange::From { first },
                _ => ByteRange::Suffix { length: first },
            };
            if let Ok(found) = range.resolve(size) {
                prop_assert!(found.first <= found.last && found.last < size);
            }
        }
    }
}
