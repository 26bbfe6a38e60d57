use bucketry_contract::v1;

use crate::domain::{Checksum, ChecksumAlgorithm, ChecksumType};
use crate::error::Error;

/// A checksum that the writer says its content has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeclaredChecksum {
    pub(crate) algorithm: ChecksumAlgorithm,
    pub(crate) value: Vec<u8>,
}

/// Digests that the writer says its content has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DeclaredDigests {
    pub(crate) md5: Option<[u8; 16]>,
    pub(crate) sha256: Option<[u8; 32]>,
    pub(crate) checksum: Option<DeclaredChecksum>,
}

impl DeclaredDigests {
    /// Adds what came in the last message.
    pub(crate) fn merge(self, later: Self) -> Self {
        Self {
            md5: later.md5.or(self.md5),
            sha256: later.sha256.or(self.sha256),
            checksum: later.checksum.or(self.checksum),
        }
    }
}

/// Digests as sent.
pub(crate) fn declared_digests(sent: Option<v1::ContentDigests>) -> Result<DeclaredDigests, Error> {
    let sent = sent.unwrap_or_default();
    Ok(DeclaredDigests {
        md5: fixed("digests.md5", "MD5", &sent.md5)?,
        sha256: fixed("digests.sha256", "SHA-256", &sent.sha256)?,
        checksum: sent.checksum.map(declared_checksum).transpose()?,
    })
}

fn declared_checksum(sent: v1::Checksum) -> Result<DeclaredChecksum, Error> {
    let algorithm = algorithm_from_proto("digests.checksum.algorithm", sent.algorithm)?
        .ok_or_else(|| Error::InvalidArgument {
            field: "digests.checksum.algorithm",
            problem: "a checksum needs its algorithm".to_owned(),
        })?;
    if sent.value.len() != algorithm.byte_length() {
        return Err(Error::InvalidDigest {
            field: "digests.checksum.value",
            digest: algorithm.name(),
        });
    }
    Ok(DeclaredChecksum {
        algorithm,
        value: sent.value.to_vec(),
    })
}

fn fixed<const N: usize>(
    field: &'static str,
    digest: &'static str,
    value: &[u8],
) -> Result<Option<[u8; N]>, Error> {
    if value.is_empty() {
        return Ok(None);
    }
    value
        .try_into()
        .map(Some)
        .map_err(|_| Error::InvalidDigest { field, digest })
}

/// An algorithm as sent; none if unspecified.
pub(crate) fn algorithm_from_proto(
    field: &'static str,
    sent: i32,
) -> Result<Option<ChecksumAlgorithm>, Error> {
    use v1::ChecksumAlgorithm as Sent;
    match Sent::try_from(sent) {
        Ok(Sent::Unspecified) => Ok(None),
        Ok(Sent::Crc32) => Ok(Some(ChecksumAlgorithm::Crc32)),
        Ok(Sent::Crc32c) => Ok(Some(ChecksumAlgorithm::Crc32c)),
        Ok(Sent::Crc64nvme) => Ok(Some(ChecksumAlgorithm::Crc64Nvme)),
        Ok(Sent::Sha1) => Ok(Some(ChecksumAlgorithm::Sha1)),
        Ok(Sent::Sha256) => Ok(Some(ChecksumAlgorithm::Sha256)),
        Ok(Sent::Sha512) => Ok(Some(ChecksumAlgorithm::Sha512)),
        Ok(Sent::Md5) => Ok(Some(ChecksumAlgorithm::Md5)),
        Ok(Sent::Xxhash64) => Ok(Some(ChecksumAlgorithm::XxHash64)),
        Ok(Sent::Xxhash3) => Ok(Some(ChecksumAlgorithm::XxHash3)),
        Ok(Sent::Xxhash128) => Ok(Some(ChecksumAlgorithm::XxHash128)),
        Err(_) => Err(Error::InvalidArgument {
            field,
            problem: format!("there is no checksum algorithm {sent}"),
        }),
    }
}

/// An algorithm for the wire.
pub(crate) fn algorithm_to_proto(algorithm: ChecksumAlgorithm) -> v1::ChecksumAlgorithm {
    match algorithm {
        ChecksumAlgorithm::Crc32 => v1::ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32c => v1::ChecksumAlgorithm::Crc32c,
        ChecksumAlgorithm::Crc64Nvme => v1::ChecksumAlgorithm::Crc64nvme,
        ChecksumAlgorithm::Sha1 => v1::ChecksumAlgorithm::Sha1,
        ChecksumAlgorithm::Sha256 => v1::ChecksumAlgorithm::Sha256,
        ChecksumAlgorithm::Sha512 => v1::ChecksumAlgorithm::Sha512,
        ChecksumAlgorithm::Md5 => v1::ChecksumAlgorithm::Md5,
        ChecksumAlgorithm::XxHash64 => v1::ChecksumAlgorithm::Xxhash64,
        ChecksumAlgorithm::XxHash3 => v1::ChecksumAlgorithm::Xxhash3,
        ChecksumAlgorithm::XxHash128 => v1::ChecksumAlgorithm::Xxhash128,
    }
}

/// A checksum's type for the wire.
pub(crate) fn checksum_type_to_proto(kind: ChecksumType) -> v1::ChecksumType {
    match kind {
        ChecksumType::FullObject => v1::ChecksumType::FullObject,
        ChecksumType::Composite => v1::ChecksumType::Composite,
    }
}

/// A checksum for the wire. `parts` counts for composite ones only.
pub(crate) fn checksum_to_proto(checksum: &Checksum, parts: u32) -> v1::Checksum {
    let composite = checksum.kind() == ChecksumType::Composite;
    v1::Checksum {
        algorithm: algorithm_to_proto(checksum.algorithm()).into(),
        value: bytes::Bytes::copy_from_slice(checksum.value()),
        r#type: checksum_type_to_proto(checksum.kind()).into(),
        part_count: if composite {
            i32::try_from(parts).unwrap_or(i32::MAX)
        } else {
            0
        },
    }
}
