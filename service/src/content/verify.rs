//! Compares content with the digests that its client declares.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::convert::DeclaredDigests;
use crate::digest::DigestValues;
use crate::domain::{Checksum, ChecksumAlgorithm, ChecksumType};
use crate::error::{Digest, Error};

/// Compares a chunk with its declared CRC.
pub(super) fn check_chunk(declared: u32, data: &[u8]) -> Result<(), Error> {
    let actual = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, data);
    if u64::from(declared) == actual {
        return Ok(());
    }
    Err(Error::BadDigest {
        digest: Digest::Chunk,
        declared: format!("{declared:08x}"),
        actual: format!("{actual:08x}"),
    })
}

/// Compares everything declared with what came, and gives the checksum to be stored.
pub(super) fn verify(
    values: &DigestValues,
    declared: &DeclaredDigests,
    stored: ChecksumAlgorithm,
) -> Result<Checksum, Error> {
    if let Some(md5) = declared.md5
        && md5 != values.md5
    {
        return Err(Error::BadDigest {
            digest: Digest::ContentMd5,
            declared: STANDARD.encode(md5),
            actual: STANDARD.encode(values.md5),
        });
    }
    let value = |algorithm| {
        values
            .checksum(algorithm)
            .ok_or_else(|| Error::InvalidRequest(
                "a checksum that is declared after the content needs its algorithm declared before it",
            ))
    };
    if let Some(sha256) = declared.sha256 {
        let actual = value(ChecksumAlgorithm::Sha256)?;
        if actual.as_bytes() != sha256 {
            return Err(Error::ContentSha256Mismatch {
                declared: hex::encode(sha256),
                actual: hex::encode(actual.as_bytes()),
            });
        }
    }
    let actual = value(stored)?;
    if let Some(checksum) = &declared.checksum
        && checksum.value != actual.as_bytes()
    {
        return Err(Error::BadDigest {
            digest: Digest::Checksum(checksum.algorithm),
            declared: STANDARD.encode(&checksum.value),
            actual: STANDARD.encode(actual.as_bytes()),
        });
    }
    Checksum::new(stored, ChecksumType::FullObject, actual.as_bytes())
        .map_err(|_| Error::internal("a digest of the wrong length"))
}

/// The checksum of content by one of the algorithms that were computed.
pub(crate) fn full_object(
    values: &DigestValues,
    algorithm: ChecksumAlgorithm,
) -> Result<Option<Checksum>, Error> {
    values
        .checksum(algorithm)
        .map(|value| Checksum::new(algorithm, ChecksumType::FullObject, value.as_bytes()))
        .transpose()
        .map_err(|_| Error::internal("a digest of the wrong length"))
}
