//! Which checksums an upload, its parts and its completion may name.
//!
//! The texts are those of S3. The rules are from the user guide, "Checking object integrity for data uploads", and the
//! API reference of CreateMultipartUpload, UploadPart and CompleteMultipartUpload.

use crate::domain::{ChecksumAlgorithm, ChecksumType};

/// The algorithm and type of an upload that names none.
pub(crate) const DEFAULT: (ChecksumAlgorithm, ChecksumType) =
    (ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject);

/// Why the checksums of an upload do not fit together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UploadChecksumError {
    #[error("The {} checksum type cannot be used with the {} checksum algorithm.", kind.name(), lower(Some(*algorithm)))]
    TypeOfAlgorithm {
        kind: ChecksumType,
        algorithm: ChecksumAlgorithm,
    },
    #[error(
        "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
    )]
    TypeWithoutAlgorithm,
    #[error(
        "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
        lower(*expected),
        lower(*actual)
    )]
    Algorithm {
        expected: Option<ChecksumAlgorithm>,
        actual: Option<ChecksumAlgorithm>,
    },
    #[error(
        "The upload was created using the {} checksum mode. The complete request must use the same checksum mode.",
        expected.name()
    )]
    Type { expected: ChecksumType },
    #[error(
        "The upload was created using a {} checksum. The complete request must include the checksum for each part. \
         It was missing for part {number} in the request.",
        lower(Some(*algorithm))
    )]
    MissingInPart {
        algorithm: ChecksumAlgorithm,
        number: u32,
    },
}

/// As S3 writes algorithms within sentences.
pub(crate) fn lower(algorithm: Option<ChecksumAlgorithm>) -> String {
    algorithm.map_or_else(|| "null".to_owned(), |known| known.name().to_lowercase())
}

/// What an upload is created with: the types that the algorithm may have, and the one it has if none is given. Only CRCs
/// of the whole can be computed from those of the parts; CRC64NVME is never composite.
pub(crate) fn of_upload(
    algorithm: Option<ChecksumAlgorithm>,
    kind: Option<ChecksumType>,
) -> Result<Option<(ChecksumAlgorithm, ChecksumType)>, UploadChecksumError> {
    use ChecksumAlgorithm as A;
    let Some(algorithm) = algorithm else {
        return match kind {
            None => Ok(None),
            Some(_) => Err(UploadChecksumError::TypeWithoutAlgorithm),
        };
    };
    let (default, other) = match algorithm {
        A::Crc32 | A::Crc32c => (ChecksumType::Composite, Some(ChecksumType::FullObject)),
        A::Crc64Nvme => (ChecksumType::FullObject, None),
        A::Sha1 | A::Sha256 | A::Sha512 | A::Md5 | A::XxHash64 | A::XxHash3 | A::XxHash128 => {
            (ChecksumType::Composite, None)
        }
    };
    match kind {
        None => Ok(Some((algorithm, default))),
        Some(kind) if kind == default || Some(kind) == other => Ok(Some((algorithm, kind))),
        Some(kind) => Err(UploadChecksumError::TypeOfAlgorithm { kind, algorithm }),
    }
}

/// Whether a part may come with this checksum. An upload that names no algorithm takes any; one that is composite needs
/// its own with every part, because the client must repeat its parts' checksums at the end.
pub(crate) fn check_part(
    upload: Option<(ChecksumAlgorithm, ChecksumType)>,
    part: Option<ChecksumAlgorithm>,
) -> Result<(), UploadChecksumError> {
    let Some((expected, kind)) = upload else {
        return Ok(());
    };
    match (part, kind) {
        (Some(actual), _) if actual == expected => Ok(()),
        (None, ChecksumType::FullObject) => Ok(()),
        (actual, ChecksumType::FullObject | ChecksumType::Composite) => {
            Err(UploadChecksumError::Algorithm {
                expected: Some(expected),
                actual,
            })
        }
    }
}

/// What a completion's checksum of the whole object means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WholeChecksum {
    /// It must be that of the object.
    Verify,
    /// "Accepted but not validated or stored": CRC32, CRC32C, SHA-1 and SHA-256 of an upload that names no algorithm.
    Ignore,
}

/// Whether a completion may name this checksum of the object. The newer algorithms must be named by the upload too.
pub(crate) fn check_whole(
    upload: Option<(ChecksumAlgorithm, ChecksumType)>,
    actual: ChecksumAlgorithm,
) -> Result<WholeChecksum, UploadChecksumError> {
    use ChecksumAlgorithm as A;
    let expected = upload.map(|(algorithm, _)| algorithm);
    let refused = Err(UploadChecksumError::Algorithm {
        expected,
        actual: Some(actual),
    });
    match (expected, actual) {
        (Some(expected), actual) if expected == actual => Ok(WholeChecksum::Verify),
        (None, A::Crc64Nvme) => Ok(WholeChecksum::Verify),
        (None, A::Crc32 | A::Crc32c | A::Sha1 | A::Sha256) => Ok(WholeChecksum::Ignore),
        (None, A::Sha512 | A::Md5 | A::XxHash64 | A::XxHash3 | A::XxHash128) => refused,
        (Some(_), _) => refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ChecksumAlgorithm as A;
    use ChecksumType::{Composite, FullObject};

    #[test]
    fn the_types_that_each_algorithm_may_have() {
        for algorithm in A::ALL {
            let (default, composite, full) = match algorithm {
                A::Crc32 | A::Crc32c => (Composite, true, true),
                A::Crc64Nvme => (FullObject, false, true),
                _ => (Composite, true, false),
            };
            assert_eq!(
                of_upload(Some(algorithm), None),
                Ok(Some((algorithm, default)))
            );
            for (kind, allowed) in [(Composite, composite), (FullObject, full)] {
                let found = of_upload(Some(algorithm), Some(kind));
                match allowed {
                    true => assert_eq!(found, Ok(Some((algorithm, kind)))),
                    false => assert_eq!(
                        found,
                        Err(UploadChecksumError::TypeOfAlgorithm { kind, algorithm })
                    ),
                }
            }
        }
        assert_eq!(of_upload(None, None), Ok(None));
        assert_eq!(
            of_upload(None, Some(Composite)),
            Err(UploadChecksumError::TypeWithoutAlgorithm)
        );
    }

    #[test]
    fn parts_have_the_algorithm_of_their_upload() {
        for algorithm in A::ALL {
            assert_eq!(check_part(None, Some(algorithm)), Ok(()));
            assert_eq!(
                check_part(Some((algorithm, Composite)), Some(algorithm)),
                Ok(())
            );
        }
        assert_eq!(check_part(None, None), Ok(()));
        assert_eq!(check_part(Some((A::Crc32, FullObject)), None), Ok(()));
        assert!(check_part(Some((A::Crc32, FullObject)), Some(A::Crc32c)).is_err());
        let missing = check_part(Some((A::Sha256, Composite)), None);
        assert_eq!(
            missing.unwrap_err().to_string(),
            "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: null"
        );
    }

    #[test]
    fn the_checksum_of_the_whole_object() {
        for algorithm in A::ALL {
            let named = Some((algorithm, Composite));
            assert_eq!(check_whole(named, algorithm), Ok(WholeChecksum::Verify));
            let unnamed = match algorithm {
                A::Crc64Nvme => Ok(WholeChecksum::Verify),
                A::Crc32 | A::Crc32c | A::Sha1 | A::Sha256 => Ok(WholeChecksum::Ignore),
                _ => Err(UploadChecksumError::Algorithm {
                    expected: None,
                    actual: Some(algorithm),
                }),
            };
            assert_eq!(check_whole(None, algorithm), unnamed);
        }
        assert!(check_whole(Some((A::Crc32, FullObject)), A::Crc64Nvme).is_err());
    }

    #[test]
    fn the_texts_are_those_of_s3() {
        let kind = FullObject;
        let algorithm = A::Sha256;
        for (error, text) in [
            (
                UploadChecksumError::TypeOfAlgorithm { kind, algorithm },
                "The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm.",
            ),
            (
                UploadChecksumError::Type { expected: kind },
                "The upload was created using the FULL_OBJECT checksum mode. The complete request must use the same \
                 checksum mode.",
            ),
            (
                UploadChecksumError::MissingInPart {
                    algorithm,
                    number: 1,
                },
                "The upload was created using a sha256 checksum. The complete request must include the checksum for \
                 each part. It was missing for part 1 in the request.",
            ),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }
}
