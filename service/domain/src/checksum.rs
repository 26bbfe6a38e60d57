/// The checksum algorithms that S3 clients may choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChecksumAlgorithm {
    /// CRC-32 (ISO HDLC), 4 bytes.
    Crc32,
    /// CRC-32C (Castagnoli), 4 bytes.
    Crc32c,
    /// CRC-64/NVME, 8 bytes.
    Crc64Nvme,
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-512, 64 bytes.
    Sha512,
    /// MD5, 16 bytes.
    Md5,
    /// XXH64 with seed 0, 8 bytes.
    XxHash64,
    /// XXH3 of 64 bits with seed 0, 8 bytes.
    XxHash3,
    /// XXH3 of 128 bits with seed 0, 16 bytes.
    XxHash128,
}

/// What a checksum was computed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChecksumType {
    /// The content.
    FullObject,
    /// The joined checksums of the parts.
    Composite,
}

impl ChecksumType {
    /// The name as S3 writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FullObject => "FULL_OBJECT",
            Self::Composite => "COMPOSITE",
        }
    }
}

/// The longest value of any algorithm: SHA-512.
const MAX_BYTES: usize = 64;

/// A checksum: big-endian raw bytes of the length that the algorithm has.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Checksum {
    algorithm: ChecksumAlgorithm,
    kind: ChecksumType,
    bytes: [u8; MAX_BYTES],
}

/// Why bytes are not a checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChecksumError {
    /// The algorithm has another length.
    #[error("a {algorithm:?} checksum has {} bytes, not {length}", algorithm.byte_length())]
    Length {
        /// The algorithm asked for.
        algorithm: ChecksumAlgorithm,
        /// The number of bytes given.
        length: usize,
    },
    /// The packed form has an unknown algorithm or type.
    #[error("the packed checksum has an unknown head")]
    Head,
}

impl ChecksumAlgorithm {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
        Self::Sha512,
        Self::Md5,
        Self::XxHash64,
        Self::XxHash3,
        Self::XxHash128,
    ];

    /// The length of a value in bytes.
    pub const fn byte_length(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme | Self::XxHash64 | Self::XxHash3 => 8,
            Self::Md5 | Self::XxHash128 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The name as S3 writes it: `CRC32`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
            Self::Md5 => "MD5",
            Self::XxHash64 => "XXHASH64",
            Self::XxHash3 => "XXHASH3",
            Self::XxHash128 => "XXHASH128",
        }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Crc32 => 1,
            Self::Crc32c => 2,
            Self::Crc64Nvme => 3,
            Self::Sha1 => 4,
            Self::Sha256 => 5,
            Self::Sha512 => 6,
            Self::Md5 => 7,
            Self::XxHash64 => 8,
            Self::XxHash3 => 9,
            Self::XxHash128 => 10,
        }
    }
}

impl Checksum {
    /// Takes raw bytes.
    ///
    /// # Errors
    /// [`ChecksumError::Length`] if the algorithm's values have another length.
    pub fn new(
        algorithm: ChecksumAlgorithm,
        kind: ChecksumType,
        value: &[u8],
    ) -> Result<Self, ChecksumError> {
        let mut bytes = [0; MAX_BYTES];
        match bytes.get_mut(..algorithm.byte_length()) {
            Some(place) if place.len() == value.len() => place.copy_from_slice(value),
            _ => {
                return Err(ChecksumError::Length {
                    algorithm,
                    length: value.len(),
                });
            }
        }
        Ok(Self {
            algorithm,
            kind,
            bytes,
        })
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> ChecksumAlgorithm {
        self.algorithm
    }

    /// What it covers.
    pub const fn kind(&self) -> ChecksumType {
        self.kind
    }

    /// The raw bytes.
    pub fn value(&self) -> &[u8] {
        self.bytes
            .get(..self.algorithm.byte_length())
            .unwrap_or_default()
    }

    /// One byte for the algorithm, one for the type, then the value: the stored form.
    pub fn pack(&self) -> Vec<u8> {
        let kind = match self.kind {
            ChecksumType::FullObject => 0,
            ChecksumType::Composite => 1,
        };
        [&[self.algorithm.code(), kind], self.value()].concat()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`ChecksumError`] if it is not one that [`Checksum::pack`] made.
    pub fn unpack(packed: &[u8]) -> Result<Self, ChecksumError> {
        match Self::unpack_first(packed)? {
            (checksum, []) => Ok(checksum),
            (checksum, rest) => Err(ChecksumError::Length {
                algorithm: checksum.algorithm,
                length: checksum.value().len() + rest.len(),
            }),
        }
    }

    /// Reads one stored form and gives what is behind it.
    ///
    /// # Errors
    /// As for [`Checksum::unpack`].
    pub fn unpack_first(packed: &[u8]) -> Result<(Self, &[u8]), ChecksumError> {
        let [code, kind, value @ ..] = packed else {
            return Err(ChecksumError::Head);
        };
        let algorithm = ChecksumAlgorithm::ALL
            .into_iter()
            .find(|known| known.code() == *code);
        let kind = match kind {
            0 => ChecksumType::FullObject,
            1 => ChecksumType::Composite,
            _ => return Err(ChecksumError::Head),
        };
        let algorithm = algorithm.ok_or(ChecksumError::Head)?;
        let length = algorithm.byte_length().min(value.len());
        let (value, rest) = value.split_at(length);
        Ok((Self::new(algorithm, kind, value)?, rest))
    }
}

impl std::fmt::Debug for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:?}/{:?}:{}",
            self.algorithm,
            self.kind,
            hex::encode(self.value())
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pack_round_trip(which in 0usize..10, composite in any::<bool>(), bytes in any::<[u8; MAX_BYTES]>()) {
            let algorithm = ChecksumAlgorithm::ALL[which];
            let kind = if composite { ChecksumType::Composite } else { ChecksumType::FullObject };
            let checksum = Checksum::new(algorithm, kind, &bytes[..algorithm.byte_length()]);
            prop_assert_eq!(checksum.and_then(|checksum| Checksum::unpack(&checksum.pack())), checksum);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..70)) {
            if let Ok(checksum) = Checksum::unpack(&bytes) {
                prop_assert_eq!(checksum.pack(), bytes);
            }
        }
    }
}
