//! Checksum algorithms and values.

use crate::domain::ChecksumAlgorithm;

/// A checksum with its algorithm. CRCs are big-endian, as S3 encodes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChecksumValue {
    /// See [`ChecksumAlgorithm::Crc32`].
    Crc32([u8; 4]),
    /// See [`ChecksumAlgorithm::Crc32c`].
    Crc32c([u8; 4]),
    /// See [`ChecksumAlgorithm::Crc64Nvme`].
    Crc64Nvme([u8; 8]),
    /// See [`ChecksumAlgorithm::Sha1`].
    Sha1([u8; 20]),
    /// See [`ChecksumAlgorithm::Sha256`].
    Sha256([u8; 32]),
}

impl ChecksumValue {
    /// The checksum whose bytes are `bytes`, or `None` where the algorithm's have another length.
    #[must_use]
    pub fn from_bytes(algorithm: ChecksumAlgorithm, bytes: &[u8]) -> Option<Self> {
        Some(match algorithm {
            ChecksumAlgorithm::Crc32 => Self::Crc32(bytes.try_into().ok()?),
            ChecksumAlgorithm::Crc32c => Self::Crc32c(bytes.try_into().ok()?),
            ChecksumAlgorithm::Crc64Nvme => Self::Crc64Nvme(bytes.try_into().ok()?),
            ChecksumAlgorithm::Sha1 => Self::Sha1(bytes.try_into().ok()?),
            ChecksumAlgorithm::Sha256 => Self::Sha256(bytes.try_into().ok()?),
        })
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> ChecksumAlgorithm {
        match self {
            Self::Crc32(_) => ChecksumAlgorithm::Crc32,
            Self::Crc32c(_) => ChecksumAlgorithm::Crc32c,
            Self::Crc64Nvme(_) => ChecksumAlgorithm::Crc64Nvme,
            Self::Sha1(_) => ChecksumAlgorithm::Sha1,
            Self::Sha256(_) => ChecksumAlgorithm::Sha256,
        }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Crc32(bytes) | Self::Crc32c(bytes) => bytes,
            Self::Crc64Nvme(bytes) => bytes,
            Self::Sha1(bytes) => bytes,
            Self::Sha256(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_length_of_their_algorithm() {
        for (algorithm, length) in ChecksumAlgorithm::ALL.into_iter().zip([4, 4, 8, 20, 32]) {
            for other in 0..40_u8 {
                let bytes: Vec<u8> = (0..other).collect();
                let value = ChecksumValue::from_bytes(algorithm, &bytes);
                assert_eq!(value.is_some(), other == length);
                if let Some(value) = value {
                    assert_eq!((value.algorithm(), value.as_bytes()), (algorithm, &*bytes));
                }
            }
        }
    }
}
