//! The content of a value follows from its number, so that whatever is read can be judged without having kept it.

use md5::{Digest, Md5};

use crate::linearizability::Value;
use crate::random::Random;

const KIBIBYTE: u64 = 1024;

/// The size of a value in bytes, at most 300,000: nothing, inline, or in a blob.
pub(super) fn size(value: Value) -> usize {
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

/// The ETag of an object that was put at once, with its quotes.
pub(super) fn etag(content: &[u8]) -> String {
    format!("\"{}\"", hex::encode(Md5::digest(content)))
}

/// The ETag of an object that was uploaded in one part, with its quotes.
pub(super) fn etag_of_upload(content: &[u8]) -> String {
    let parts = Md5::digest(Md5::digest(content));
    format!("\"{}-1\"", hex::encode(parts))
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
    }

    #[test]
    fn etags_are_those_of_s3() {
        assert_eq!(etag(b""), "\"d41d8cd98f00b204e9800998ecf8427e\"");
        assert_eq!(
            etag_of_upload(b""),
            "\"59adb24ef3cdbe0297f05b395827453f-1\""
        );
    }
}
