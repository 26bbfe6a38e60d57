//! Checksum algorithms and values.

use crate::domain::ChecksumAlgorithm;

/// A checksum with its algorithm. CRCs and xxHashes are big-endian, as S3 encodes them.
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
    /// See [`ChecksumAlgorithm::Sha512`].
    Sha512([u8; 64]),
    /// See [`ChecksumAlgorithm::Md5`].
    Md5([u8; 16]),
    /// See [`ChecksumAlgorithm::XxHash64`].
    XxHash64([u8; 8]),
    /// See [`ChecksumAlgorithm::XxHash3`].
    XxHash3([u8; 8]),
    /// See [`ChecksumAlgorithm::XxHash128`].
    XxHash128([u8; 16]),
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
            ChecksumAlgorithm::Sha512 => Self::Sha512(bytes.try_into().ok()?),
            ChecksumAlgorithm::Md5 => Self::Md5(bytes.try_into().ok()?),
            ChecksumAlgorithm::XxHash64 => Self::XxHash64(bytes.try_into().ok()?),
            ChecksumAlgorithm::XxHash3 => Self::XxHash3(bytes.try_into().ok()?),
            ChecksumAlgorithm::XxHash128 => Self::XxHash128(bytes.try_into().ok()?),
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
            Self::Sha512(_) => ChecksumAlgorithm::Sha512,
            Self::Md5(_) => ChecksumAlgorithm::Md5,
            Self::XxHash64(_) => ChecksumAlgorithm::XxHash64,
            Self::XxHash3(_) => ChecksumAlgorithm::XxHash3,
            Self::XxHash128(_) => ChecksumAlgorithm::XxHash128,
        }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Crc32(bytes) | Self::Crc32c(bytes) => bytes,
            Self::Crc64Nvme(bytes) | Self::XxHash64(bytes) | Self::XxHash3(bytes) => bytes,
            Self::Md5(bytes) | Self::XxHash128(bytes) => bytes,
            Self::Sha1(bytes) => bytes,
            Self::Sha256(bytes) => bytes,
            Self::Sha512(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_length_of_their_algorithm() {
        let lengths = [4, 4, 8, 20, 32, 64, 16, 8, 8, 16];
        for (algorithm, length) in ChecksumAlgorithm::ALL.into_iter().zip(lengths) {
            for other in 0..70_u8 {
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
