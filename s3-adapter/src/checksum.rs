//! Checksums that a client declares for a body: names, values, and the check of small bodies.
//!
//! The digests of object data are computed by the service from what is declared here; bodies that
//! the adapter itself reads whole (XML) are checked by [`RequestDigests::verify`].

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bucketry_domain::ChecksumAlgorithm;
use http::HeaderMap;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;
use twox_hash::{XxHash3_64, XxHash3_128, XxHash64};

use crate::header_names::{CONTENT_MD5, X_AMZ_SDK_CHECKSUM_ALGORITHM, X_AMZ_TRAILER};
use crate::sigv4::PayloadHash;

/// The header or trailer that carries a value, base64.
#[must_use]
pub fn header_name(algorithm: ChecksumAlgorithm) -> &'static str {
    match algorithm {
        ChecksumAlgorithm::Crc32 => "x-amz-checksum-crc32",
        ChecksumAlgorithm::Crc32c => "x-amz-checksum-crc32c",
        ChecksumAlgorithm::Crc64Nvme => "x-amz-checksum-crc64nvme",
        ChecksumAlgorithm::Sha1 => "x-amz-checksum-sha1",
        ChecksumAlgorithm::Sha256 => "x-amz-checksum-sha256",
        ChecksumAlgorithm::Sha512 => "x-amz-checksum-sha512",
        ChecksumAlgorithm::Md5 => "x-amz-checksum-md5",
        ChecksumAlgorithm::XxHash64 => "x-amz-checksum-xxhash64",
        ChecksumAlgorithm::XxHash3 => "x-amz-checksum-xxhash3",
        ChecksumAlgorithm::XxHash128 => "x-amz-checksum-xxhash128",
    }
}

/// The algorithm of a header or trailer name, whatever its case.
#[must_use]
pub fn algorithm_of_header(name: &str) -> Option<ChecksumAlgorithm> {
    ChecksumAlgorithm::ALL
        .into_iter()
        .find(|algorithm| header_name(*algorithm).eq_ignore_ascii_case(name))
}

/// The element that carries a value in XML, base64.
#[must_use]
pub fn element_name(algorithm: ChecksumAlgorithm) -> &'static str {
    match algorithm {
        ChecksumAlgorithm::Crc32 => "ChecksumCRC32",
        ChecksumAlgorithm::Crc32c => "ChecksumCRC32C",
        ChecksumAlgorithm::Crc64Nvme => "ChecksumCRC64NVME",
        ChecksumAlgorithm::Sha1 => "ChecksumSHA1",
        ChecksumAlgorithm::Sha256 => "ChecksumSHA256",
        ChecksumAlgorithm::Sha512 => "ChecksumSHA512",
        ChecksumAlgorithm::Md5 => "ChecksumMD5",
        ChecksumAlgorithm::XxHash64 => "ChecksumXXHASH64",
        ChecksumAlgorithm::XxHash3 => "ChecksumXXHASH3",
        ChecksumAlgorithm::XxHash128 => "ChecksumXXHASH128",
    }
}

/// The algorithm of a name, whatever its case (SDKs differ).
#[must_use]
pub fn algorithm_of_name(name: &str) -> Option<ChecksumAlgorithm> {
    ChecksumAlgorithm::ALL
        .into_iter()
        .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
}

/// The checksum of a small body.
#[must_use]
pub fn compute(algorithm: ChecksumAlgorithm, data: &[u8]) -> Vec<u8> {
    match algorithm {
        ChecksumAlgorithm::Crc32 => crc_bytes(crc_fast::CrcAlgorithm::Crc32IsoHdlc, data, 4),
        ChecksumAlgorithm::Crc32c => crc_bytes(crc_fast::CrcAlgorithm::Crc32Iscsi, data, 4),
        ChecksumAlgorithm::Crc64Nvme => crc_bytes(crc_fast::CrcAlgorithm::Crc64Nvme, data, 8),
        ChecksumAlgorithm::Sha1 => Sha1::digest(data).to_vec(),
        ChecksumAlgorithm::Sha256 => Sha256::digest(data).to_vec(),
        ChecksumAlgorithm::Sha512 => Sha512::digest(data).to_vec(),
        ChecksumAlgorithm::Md5 => Md5::digest(data).to_vec(),
        ChecksumAlgorithm::XxHash64 => XxHash64::oneshot(0, data).to_be_bytes().to_vec(),
        ChecksumAlgorithm::XxHash3 => XxHash3_64::oneshot(data).to_be_bytes().to_vec(),
        ChecksumAlgorithm::XxHash128 => XxHash3_128::oneshot(data).to_be_bytes().to_vec(),
    }
}

/// Big-endian, as S3 encodes CRCs; the crate gives the value in the low bytes.
fn crc_bytes(algorithm: crc_fast::CrcAlgorithm, data: &[u8], length: usize) -> Vec<u8> {
    let value = crc_fast::checksum(algorithm, data).to_be_bytes();
    value.iter().copied().skip(value.len() - length).collect()
}

/// A checksum with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientChecksum {
    /// The algorithm.
    pub algorithm: ChecksumAlgorithm,
    /// The value, as long as the algorithm's [`ChecksumAlgorithm::byte_length`].
    pub value: Vec<u8>,
}

impl ClientChecksum {
    /// Reads a value in base64.
    ///
    /// # Errors
    /// [`DigestError::InvalidChecksum`] if it is not base64 of the right length.
    pub fn parse(algorithm: ChecksumAlgorithm, value: &str) -> Result<Self, DigestError> {
        let decoded = STANDARD.decode(value).ok();
        let decoded = decoded.filter(|bytes| bytes.len() == algorithm.byte_length());
        let value = decoded.ok_or(DigestError::InvalidChecksum { algorithm })?;
        Ok(Self { algorithm, value })
    }
}

/// Where the client puts the checksum of the body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ChecksumLocation {
    /// Nowhere.
    #[default]
    None,
    /// In a header: the value is known before the body.
    Header(ClientChecksum),
    /// In the trailer of an aws-chunked body: only the algorithm is known before.
    Trailer(ChecksumAlgorithm),
}

/// Everything that a client declares about the content of a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestDigests {
    /// `Content-MD5`.
    pub content_md5: Option<[u8; 16]>,
    /// The hash in `x-amz-content-sha256`, if that is one.
    pub content_sha256: Option<[u8; 32]>,
    /// One of S3's additional checksums.
    pub checksum: ChecksumLocation,
}

/// Why a declared digest was refused, or did not match.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// `Content-MD5` is not base64 of 16 bytes.
    #[error("invalid Content-MD5")]
    InvalidContentMd5,
    /// The value is not base64 of the algorithm's length.
    #[error("invalid value for {}", header_name(*algorithm))]
    InvalidChecksum {
        /// The algorithm whose value is malformed.
        algorithm: ChecksumAlgorithm,
    },
    /// The same checksum twice.
    #[error("{} more than once", header_name(*algorithm))]
    Repeated {
        /// The algorithm.
        algorithm: ChecksumAlgorithm,
        /// The second value.
        value: String,
    },
    /// More than one checksum, counting headers and the trailer.
    #[error("several checksums for one body")]
    SeveralChecksums,
    /// A header that begins like one of a checksum, of an unknown algorithm.
    #[error("unknown checksum header {0:?}")]
    UnknownHeader(String),
    /// `x-amz-checksum-algorithm` names an unknown algorithm.
    #[error("unknown checksum algorithm {0:?}")]
    UnknownAlgorithm(String),
    /// `x-amz-sdk-checksum-algorithm` names an unknown algorithm, or another one than that of the checksum sent.
    #[error("{SDK_ALGORITHM} does not match the checksum")]
    AlgorithmMismatch,
    /// `x-amz-sdk-checksum-algorithm` names an algorithm, and no value came.
    #[error("{SDK_ALGORITHM} without a checksum")]
    MissingChecksum,
    /// `x-amz-checksum-type` has an unknown value.
    #[error("unknown checksum type {0:?}")]
    UnknownType(String),
    /// The value in the trailer is not base64 of the algorithm's length.
    #[error("invalid value in the trailer for {}", header_name(*algorithm))]
    InvalidTrailer {
        /// The algorithm whose value is malformed.
        algorithm: ChecksumAlgorithm,
    },
    /// A trailer was announced and did not come.
    #[error("the announced trailer did not come")]
    MissingTrailer,
    /// `x-amz-trailer` names something else than one known checksum, or the body has no trailer.
    #[error("unsupported trailer {0:?}")]
    UnsupportedTrailer(String),
    /// The content has another MD5 than `Content-MD5`.
    #[error("Content-MD5 mismatch")]
    ContentMd5Mismatch {
        /// From the header.
        declared: [u8; 16],
        /// Of the content.
        computed: [u8; 16],
    },
    /// The content has another SHA-256 than `x-amz-content-sha256`.
    #[error("content SHA-256 mismatch")]
    ContentSha256Mismatch {
        /// From the header.
        declared: [u8; 32],
        /// Of the content.
        computed: [u8; 32],
    },
    /// The content has another checksum than declared.
    #[error("checksum mismatch")]
    ChecksumMismatch {
        /// What was sent.
        declared: ClientChecksum,
        /// Of the content.
        computed: Vec<u8>,
    },
}

/// Headers that begin like a checksum and are none.
const NOT_CHECKSUMS: [&str; 3] = [
    "x-amz-checksum-mode",
    "x-amz-checksum-algorithm",
    "x-amz-checksum-type",
];

/// Names the algorithm of a checksum which stands elsewhere. `x-amz-checksum-algorithm` does not: it has a meaning for
/// operations without content only (CreateMultipartUpload, CopyObject), and S3 ignores it elsewhere.
pub(crate) const SDK_ALGORITHM: &str = "x-amz-sdk-checksum-algorithm";

impl RequestDigests {
    /// Reads what the headers of a request with a body declare. Hoisted query parameters must have
    /// been merged into them. Not for CompleteMultipartUpload, whose checksum header describes the
    /// object and not the body.
    ///
    /// # Errors
    /// Every [`DigestError`] but the mismatches of content.
    pub fn from_headers(headers: &HeaderMap, payload: &PayloadHash) -> Result<Self, DigestError> {
        let content_sha256 = match payload {
            PayloadHash::Hex(hash) => Some(*hash),
            PayloadHash::Unsigned
            | PayloadHash::StreamingSigned
            | PayloadHash::StreamingSignedTrailer
            | PayloadHash::StreamingUnsignedTrailer => None,
        };
        let checksum = match (
            header_checksum(headers)?,
            trailer_checksum(headers, payload)?,
        ) {
            (Some(_), Some(_)) => return Err(DigestError::SeveralChecksums),
            (Some(checksum), None) => ChecksumLocation::Header(checksum),
            (None, Some(algorithm)) => ChecksumLocation::Trailer(algorithm),
            (None, None) => ChecksumLocation::None,
        };
        check_algorithm(headers, &checksum)?;
        Ok(Self {
            content_md5: content_md5(headers)?,
            content_sha256,
            checksum,
        })
    }

    /// Checks a body that was read whole. `trailer` is what came behind it.
    ///
    /// # Errors
    /// The mismatches, and `MissingTrailer`.
    pub fn verify(&self, body: &[u8], trailer: Option<&ClientChecksum>) -> Result<(), DigestError> {
        if let Some(declared) = self.content_md5 {
            let computed: [u8; 16] = Md5::digest(body).into();
            if !bool::from(computed.ct_eq(&declared)) {
                return Err(DigestError::ContentMd5Mismatch { declared, computed });
            }
        }
        if let Some(declared) = self.content_sha256 {
            let computed: [u8; 32] = Sha256::digest(body).into();
            if !bool::from(computed.ct_eq(&declared)) {
                return Err(DigestError::ContentSha256Mismatch { declared, computed });
            }
        }
        let checksum = match &self.checksum {
            ChecksumLocation::None => return Ok(()),
            ChecksumLocation::Header(checksum) => checksum,
            ChecksumLocation::Trailer(_) => trailer.ok_or(DigestError::MissingTrailer)?,
        };
        let computed = compute(checksum.algorithm, body);
        if !bool::from(computed.ct_eq(&checksum.value)) {
            return Err(DigestError::ChecksumMismatch {
                declared: checksum.clone(),
                computed,
            });
        }
        Ok(())
    }
}

/// Whether the headers that a presigned URL carries in its query declare the checksum of an empty body. AWS SDKs (that
/// for JavaScript v3 since 3.729) sign it into each URL for PutObject and UploadPart, because there is no body yet; S3
/// verifies no checksum of a query. Any other one was asked for and is verified.
pub(crate) fn is_of_no_body(hoisted: &HeaderMap) -> bool {
    matches!(header_checksum(hoisted), Ok(Some(checksum))
        if checksum.value == compute(checksum.algorithm, b""))
}

fn content_md5(headers: &HeaderMap) -> Result<Option<[u8; 16]>, DigestError> {
    let mut values = headers.get_all(&CONTENT_MD5).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let decoded = STANDARD.decode(value.as_bytes()).ok();
    let decoded = decoded.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    match (decoded, values.next()) {
        (Some(md5), None) => Ok(Some(md5)),
        (Some(_), Some(_)) | (None, _) => Err(DigestError::InvalidContentMd5),
    }
}

fn header_checksum(headers: &HeaderMap) -> Result<Option<ClientChecksum>, DigestError> {
    let mut found: Option<ClientChecksum> = None;
    for (name, value) in headers {
        let name = name.as_str();
        if !name.starts_with("x-amz-checksum-") || NOT_CHECKSUMS.contains(&name) {
            continue;
        }
        let algorithm =
            algorithm_of_header(name).ok_or_else(|| DigestError::UnknownHeader(name.to_owned()))?;
        if let Some(first) = &found {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            return Err(match first.algorithm == algorithm {
                true => DigestError::Repeated { algorithm, value },
                false => DigestError::SeveralChecksums,
            });
        }
        let value = value
            .to_str()
            .map_err(|_| DigestError::InvalidChecksum { algorithm })?;
        found = Some(ClientChecksum::parse(algorithm, value)?);
    }
    Ok(found)
}

fn trailer_checksum(
    headers: &HeaderMap,
    payload: &PayloadHash,
) -> Result<Option<ChecksumAlgorithm>, DigestError> {
    let mut values = headers.get_all(&X_AMZ_TRAILER).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    let algorithm = algorithm_of_header(text.trim());
    match (algorithm, values.next()) {
        (Some(algorithm), None) if payload.has_trailer() => Ok(Some(algorithm)),
        (Some(_), _) | (None, _) => Err(DigestError::UnsupportedTrailer(text.into_owned())),
    }
}

fn check_algorithm(headers: &HeaderMap, checksum: &ChecksumLocation) -> Result<(), DigestError> {
    let Some(value) = headers.get(&X_AMZ_SDK_CHECKSUM_ALGORITHM) else {
        return Ok(());
    };
    let name = String::from_utf8_lossy(value.as_bytes());
    let named = algorithm_of_name(name.trim());
    let given = match checksum {
        ChecksumLocation::None => return Err(DigestError::MissingChecksum),
        ChecksumLocation::Header(checksum) => checksum.algorithm,
        ChecksumLocation::Trailer(algorithm) => *algorithm,
    };
    match named {
        Some(named) if named == given => Ok(()),
        Some(_) | None => Err(DigestError::AlgorithmMismatch),
    }
}

#[cfg(test)]
mod tests;
