use crate::domain::ChecksumAlgorithm;
use crate::rules::checksums::lower;

/// A digest that the client declares, by the name that S3 has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Digest {
    ContentMd5,
    Chunk,
    Checksum(ChecksumAlgorithm),
    /// Declared for the object that an upload becomes.
    Object(ChecksumAlgorithm),
    Part {
        algorithm: ChecksumAlgorithm,
        number: u32,
    },
}

impl Digest {
    /// S3's sentence for one that differs.
    pub(super) fn mismatch(self) -> String {
        match self {
            Self::ContentMd5 => {
                "The Content-MD5 you specified did not match what we received.".to_owned()
            }
            Self::Chunk => "The CRC32C of a chunk did not match what we received.".to_owned(),
            Self::Checksum(algorithm) => {
                let name = algorithm.name();
                format!("The {name} you specified did not match the calculated checksum.")
            }
            Self::Object(algorithm) => {
                let name = lower(Some(algorithm));
                format!("The {name} you specified did not match the calculated checksum.")
            }
            Self::Part { algorithm, number } => {
                let name = lower(Some(algorithm));
                format!(
                    "The {name} you specified for part {number} did not match what we received."
                )
            }
        }
    }

    /// Its name, as a fact of the error.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ContentMd5 => "Content-MD5",
            Self::Chunk => "CRC32C of a chunk",
            Self::Checksum(algorithm) | Self::Object(algorithm) | Self::Part { algorithm, .. } => {
                algorithm.name()
            }
        }
    }
}
