//! The content of a value follows from its number, so that whatever is read can be judged without having kept it.

use md5::{Digest, Md5};

use crate::linearizability::Value;
use crate::random::Random;

const KIBIBYTE: u64 = 1024;

/// S3's smallest part but the last.
const PART: usize = 5 * 1024 * 1024;
/// Marks values that are uploaded in two parts.
const TWO_PARTS: Value = 1 << 63;

/// The value as one that is uploaded in two parts.
pub(super) fn in_two_parts(value: Value) -> Value {
    value | TWO_PARTS
}

/// The size of a value in bytes, at most 300,000 (nothing, inline, or in a blob), and a part more in two parts.
pub(super) fn size(value: Value) -> usize {
    if value & TWO_PARTS != 0 {
        return PART + size(value & !TWO_PARTS).max(1);
    }
    let mut random = Random::of("size", value);
    let size = match random.below(100) {
        0..3 => 0,
        3..55 => 1 + random.below(8 * KIBIBYTE),
        55..90 => 8 * KIBIBYTE + random.below(64 * KIBIBYTE),
        _ => 72 * KIBIBYTE + random.below(300_000 - 72 * KIBIBYTE),
    };
    usize::try_from(size).unwrap_or(usize::MAX)
}

/// The content of a value.
pub(super) fn content(value: Value) -> Vec<u8> {
    let size = size(value);
    let mut random = Random::of("content", value);
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        bytes.extend_from_slice(&random.draw().to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// The content as an upload sends it.
pub(super) fn parts(content: &[u8]) -> Vec<&[u8]> {
    match content.split_at_checked(PART) {
        Some((first, last)) => vec![first, last],
        None => vec![content],
    }
}

/// The ETag of an object that was put at once, with its quotes.
pub(super) fn etag(content: &[u8]) -> String {
    format!("\"{}\"", hex::encode(Md5::digest(content)))
}

/// The ETag of an object that was uploaded in these parts, with its quotes.
pub(super) fn etag_of_upload(parts: &[&[u8]]) -> String {
    let digests: Vec<u8> = parts.iter().flat_map(Md5::digest).collect();
    format!("\"{}-{}\"", hex::encode(Md5::digest(digests)), parts.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_has_its_size_and_is_unique() {
        for value in 0..200 {
            assert_eq!(content(value).len(), size(value));
        }
        assert!((0..200).any(|value| size(value) == 0));
        assert!((0..200).any(|value| size(value) > 100_000));
        let (some, other) = (content(4), content(5));
        assert_ne!(some.get(..8), other.get(..8));
        let large = content(in_two_parts(1));
        let parts = parts(&large);
        assert_eq!(parts[0].len(), PART);
        assert_eq!(parts.concat(), large);
    }

    #[test]
    fn etags_are_those_of_s3() {
        assert_eq!(etag(b""), "\"d41d8cd98f00b204e9800998ecf8427e\"");
        assert_eq!(
            etag_of_upload(&[b""]),
            "\"59adb24ef3cdbe0297f05b395827453f-1\""
        );
    }
}
