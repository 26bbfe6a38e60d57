//! Digests of an object from the digests of its parts.

use std::fmt;

use crc_fast::{CrcAlgorithm, checksum_combine};
use md5::Md5;
use sha2::Digest as _;

use super::digests::{DigestSet, Digests};
use super::value::ChecksumValue;
use crate::domain::ChecksumAlgorithm;

/// The ETag of an object that was uploaded in parts: the MD5 of the MD5s of the parts, and their
/// number. Displays as S3 writes it, without quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MultipartDigest {
    /// The MD5 of the concatenated MD5s.
    pub md5: [u8; 16],
    /// How many parts there are.
    pub parts: usize,
}

impl fmt::Display for MultipartDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", hex::encode(self.md5), self.parts)
    }
}

/// The ETag of an object whose parts, in order, have these MD5s.
#[must_use]
pub fn multipart_digest(parts: &[[u8; 16]]) -> MultipartDigest {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(part);
    }
    MultipartDigest {
        md5: md5.finalize().into(),
        parts: parts.len(),
    }
}

/// Checksums of parts that do not combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CombineError {
    /// There are no parts.
    #[error("no parts")]
    NoParts,
    /// The parts have checksums of different algorithms.
    #[error("part {part} has {found:?}, the first has {first:?}")]
    MixedAlgorithms {
        /// The place of the part, from 0.
        part: usize,
        /// The algorithm of the first part.
        first: ChecksumAlgorithm,
        /// The algorithm of this one.
        found: ChecksumAlgorithm,
    },
    /// Only CRCs of a whole can be computed from those of its parts.
    #[error("{algorithm:?} does not combine")]
    NotCombinable {
        /// The algorithm.
        algorithm: ChecksumAlgorithm,
    },
}

/// The composite checksum of an object whose parts, in order, have these checksums: the checksum
/// of the concatenated checksums. S3 writes it in base64, followed by `-` and the number of parts.
///
/// # Errors
///
/// [`CombineError::NoParts`] and [`CombineError::MixedAlgorithms`].
pub fn composite_checksum(parts: &[ChecksumValue]) -> Result<ChecksumValue, CombineError> {
    let first = parts.first().ok_or(CombineError::NoParts)?;
    let algorithm = one_algorithm(first, parts.iter())?;
    let mut digests = Digests::new(DigestSet::md5_only().with(algorithm));
    for part in parts {
        digests.update(part.as_bytes());
    }
    let values = digests.finish();
    // The set holds this very algorithm.
    values.checksum(algorithm).ok_or(CombineError::NoParts)
}

/// The CRC of an object whose parts, in order, have these CRCs and lengths in bytes.
///
/// # Errors
///
/// [`CombineError`]: only CRCs combine.
pub fn combine_full_object(parts: &[(ChecksumValue, u64)]) -> Result<ChecksumValue, CombineError> {
    let ((first, _), rest) = parts.split_first().ok_or(CombineError::NoParts)?;
    let algorithm = one_algorithm(first, parts.iter().map(|(value, _)| value))?;
    match algorithm {
        ChecksumAlgorithm::Crc32 | ChecksumAlgorithm::Crc32c | ChecksumAlgorithm::Crc64Nvme => {}
        ChecksumAlgorithm::Sha1
        | ChecksumAlgorithm::Sha256
        | ChecksumAlgorithm::Sha512
        | ChecksumAlgorithm::Md5
        | ChecksumAlgorithm::XxHash64
        | ChecksumAlgorithm::XxHash3
        | ChecksumAlgorithm::XxHash128 => return Err(CombineError::NotCombinable { algorithm }),
    }
    rest.iter()
        .try_fold(*first, |whole, (part, length)| {
            append(whole, *part, *length)
        })
        .ok_or(CombineError::NotCombinable { algorithm })
}

/// The CRC of data with CRC `whole`, followed by `length` bytes with CRC `part`.
fn append(whole: ChecksumValue, part: ChecksumValue, length: u64) -> Option<ChecksumValue> {
    match (whole, part) {
        (ChecksumValue::Crc32(a), ChecksumValue::Crc32(b)) => Some(ChecksumValue::Crc32(
            combine_32(CrcAlgorithm::Crc32IsoHdlc, a, b, length),
        )),
        (ChecksumValue::Crc32c(a), ChecksumValue::Crc32c(b)) => Some(ChecksumValue::Crc32c(
            combine_32(CrcAlgorithm::Crc32Iscsi, a, b, length),
        )),
        (ChecksumValue::Crc64Nvme(a), ChecksumValue::Crc64Nvme(b)) => {
            let (a, b) = (u64::from_be_bytes(a), u64::from_be_bytes(b));
            let whole = checksum_combine(CrcAlgorithm::Crc64Nvme, a, b, length);
            Some(ChecksumValue::Crc64Nvme(whole.to_be_bytes()))
        }
        _ => None,
    }
}

fn combine_32(algorithm: CrcAlgorithm, a: [u8; 4], b: [u8; 4], length: u64) -> [u8; 4] {
    let (a, b) = (u32::from_be_bytes(a), u32::from_be_bytes(b));
    let whole = checksum_combine(algorithm, u64::from(a), u64::from(b), length);
    (whole as u32).to_be_bytes()
}

fn one_algorithm<'a>(
    first: &ChecksumValue,
    parts: impl Iterator<Item = &'a ChecksumValue>,
) -> Result<ChecksumAlgorithm, CombineError> {
    let first = first.algorithm();
    for (part, value) in parts.enumerate() {
        if value.algorithm() != first {
            return Err(CombineError::MixedAlgorithms {
                part,
                first,
                found: value.algorithm(),
            });
        }
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn checksum(algorithm: ChecksumAlgorithm, data: &[u8]) -> ChecksumValue {
        let mut digests = Digests::new(DigestSet::md5_only().with(algorithm));
        digests.update(data);
        digests.finish().checksum(algorithm).unwrap()
    }

    #[test]
    fn the_etag_of_a_known_upload() {
        // Two parts of one byte each: md5(md5("a") + md5("b")), computed with md5sum.
        let md5 = |data: &[u8]| -> [u8; 16] { Md5::digest(data).into() };
        let digest = multipart_digest(&[md5(b"a"), md5(b"b")]);
        assert_eq!(digest.to_string(), "96e024ba2074fe77e8e965ba43a704be-2");
    }

    #[test]
    fn the_composite_checksum_of_a_known_upload() {
        // base64(sha256(sha256("a") + sha256("b"))), computed with sha256sum.
        let sha256 = |data: &[u8]| checksum(ChecksumAlgorithm::Sha256, data);
        let value = composite_checksum(&[sha256(b"a"), sha256(b"b")]).unwrap();
        assert_eq!(
            STANDARD.encode(value.as_bytes()),
            "5aAf7hTg7VxIcU8iGA8lrYNltT+XefedxKPX6Tlj+Uo="
        );
    }

    #[test]
    fn what_does_not_combine_is_refused() {
        let crc = checksum(ChecksumAlgorithm::Crc32, b"a");
        let sha = checksum(ChecksumAlgorithm::Sha1, b"a");
        assert_eq!(combine_full_object(&[]), Err(CombineError::NoParts));
        assert_eq!(composite_checksum(&[]), Err(CombineError::NoParts));
        let mixed = CombineError::MixedAlgorithms {
            part: 1,
            first: ChecksumAlgorithm::Crc32,
            found: ChecksumAlgorithm::Sha1,
        };
        assert_eq!(combine_full_object(&[(crc, 1), (sha, 1)]), Err(mixed));
        assert_eq!(composite_checksum(&[crc, sha]), Err(mixed));
        let crcs = [
            ChecksumAlgorithm::Crc32,
            ChecksumAlgorithm::Crc32c,
            ChecksumAlgorithm::Crc64Nvme,
        ];
        for algorithm in ChecksumAlgorithm::ALL {
            if crcs.contains(&algorithm) {
                continue;
            }
            let part = (checksum(algorithm, b"a"), 1);
            let refused = Err(CombineError::NotCombinable { algorithm });
            assert_eq!(combine_full_object(&[part]), refused);
            assert_eq!(combine_full_object(&[part, part]), refused);
        }
    }

    proptest! {
        #[test]
        fn crcs_of_parts_give_the_crc_of_the_whole(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5_000), 1..6),
        ) {
            for algorithm in [
                ChecksumAlgorithm::Crc32,
                ChecksumAlgorithm::Crc32c,
                ChecksumAlgorithm::Crc64Nvme,
            ] {
                let of_parts: Vec<_> = parts
                    .iter()
                    .map(|part| (checksum(algorithm, part), part.len() as u64))
                    .collect();
                let whole = checksum(algorithm, &parts.concat());
                prop_assert_eq!(combine_full_object(&of_parts), Ok(whole));
            }
        }

        #[test]
        fn composites_are_checksums_of_checksums(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 1..6),
        ) {
            for algorithm in ChecksumAlgorithm::ALL {
                let of_parts: Vec<_> = parts.iter().map(|part| checksum(algorithm, part)).collect();
                let joined: Vec<u8> = of_parts.iter().flat_map(|part| part.as_bytes().to_vec()).collect();
                prop_assert_eq!(composite_checksum(&of_parts), Ok(checksum(algorithm, &joined)));
            }
        }
    }
}
