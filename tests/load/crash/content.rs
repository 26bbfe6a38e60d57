//! What the objects of a crash run hold: derived from key and version, so that anything that is read can be judged
//! without having kept it.

use bucketry_tests::random::Random;
use bytes::Bytes;

const KIBIBYTE: u64 = 1024;
const MEBIBYTE: u64 = 1024 * KIBIBYTE;
/// S3's smallest part but the last.
const PART: u64 = 5 * MEBIBYTE;
/// Content begins with its sequence number.
const MARK: usize = 8;

/// How an object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// In one put.
    Single,
    /// As an upload of two parts.
    Multipart,
}

/// One version of a key: no two of the same key have the same content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    /// Moves with every write of the key.
    pub(crate) sequence: u64,
    /// How it is written.
    pub(crate) shape: Shape,
}

/// The size of a version in bytes, at least 8: inline, small, of many blocks, or more than one part.
pub(crate) fn size(key: &str, version: Version) -> u64 {
    let mut random = Random::of(key, version.sequence);
    match (version.shape, random.below(100)) {
        (Shape::Single, 0..50) => MARK as u64 + random.below(8 * KIBIBYTE),
        (Shape::Single, 50..85) => 8 * KIBIBYTE + random.below(248 * KIBIBYTE),
        (Shape::Single, _) => 256 * KIBIBYTE + random.below(2 * MEBIBYTE),
        (Shape::Multipart, _) => PART + 1 + random.below(MEBIBYTE),
    }
}

/// The content of a version.
pub(crate) fn content(key: &str, version: Version) -> Bytes {
    let size = usize::try_from(size(key, version)).unwrap_or(usize::MAX);
    let mut random = Random::of(key, !version.sequence);
    let mut bytes = Vec::with_capacity(size + MARK);
    bytes.extend_from_slice(&version.sequence.to_le_bytes());
    while bytes.len() < size {
        bytes.extend_from_slice(&random.draw().to_le_bytes());
    }
    bytes.truncate(size);
    bytes.into()
}

/// The content cut into parts as an upload sends it.
pub(crate) fn parts(content: &Bytes) -> Vec<Bytes> {
    let part = usize::try_from(PART)
        .unwrap_or(usize::MAX)
        .min(content.len());
    vec![content.slice(..part), content.slice(part..)]
}

/// The sequence number that content claims to have.
pub(crate) fn claimed_sequence(content: &[u8]) -> Option<u64> {
    content
        .first_chunk::<MARK>()
        .map(|mark| u64::from_le_bytes(*mark))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(sequence: u64, shape: Shape) -> Version {
        Version { sequence, shape }
    }

    proptest! {
        #[test]
        fn content_has_its_size_and_names_its_sequence(key in "[a-z0-9/]{1,20}", sequence in 0_u64..1_000_000) {
            let content = content(&key, version(sequence, Shape::Single));
            prop_assert_eq!(content.len() as u64, size(&key, version(sequence, Shape::Single)));
            prop_assert_eq!(claimed_sequence(&content), Some(sequence));
        }
    }

    #[test]
    fn versions_and_keys_differ_beyond_the_mark() {
        let tail =
            |key: &str, sequence| content(key, version(sequence, Shape::Multipart)).slice(MARK..64);
        assert_eq!(tail("a", 1), tail("a", 1));
        assert_ne!(tail("a", 1), tail("a", 2));
        assert_ne!(tail("a", 1), tail("b", 1));
    }

    #[test]
    fn an_upload_has_a_first_part_of_the_least_size_and_a_last_one() {
        let content = content("a", version(1, Shape::Multipart));
        let parts = parts(&content);
        assert_eq!(parts[0].len() as u64, PART);
        assert!(!parts[1].is_empty());
        assert_eq!(parts.concat(), content);
    }

    #[test]
    fn sizes_reach_every_class() {
        let sizes: Vec<_> = (0..200)
            .map(|sequence| size("key", version(sequence, Shape::Single)))
            .collect();
        assert!(sizes.iter().any(|size| *size < 8 * KIBIBYTE));
        assert!(
            sizes
                .iter()
                .any(|size| (8 * KIBIBYTE..256 * KIBIBYTE).contains(size))
        );
        assert!(sizes.iter().any(|size| *size > 256 * KIBIBYTE));
    }
}
