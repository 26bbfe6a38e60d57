//! The one place where faults found at the edge become S3 errors; those of signatures are in
//! `signature`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;

use super::S3Error;
use crate::body::BodyError;
use crate::checksum::{DigestError, SDK_ALGORITHM, header_name};
use crate::chunked::ChunkError;
use crate::copy_source::CopySourceError;
use crate::headers::HeaderError;
use crate::length::LengthError;
use crate::query::QueryError;
use crate::range::UnsatisfiableRange;
use crate::target::TargetError;
use crate::xml::XmlError;

pub(super) fn bad_request(
    code: &'static str,
    message: impl Into<std::borrow::Cow<'static, str>>,
) -> S3Error {
    S3Error::new(code, StatusCode::BAD_REQUEST, message)
}

pub(super) fn signature_mismatch() -> S3Error {
    S3Error::new(
        "SignatureDoesNotMatch",
        StatusCode::FORBIDDEN,
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    )
}

/// `versionId=`, most often a client's variable that was never set: never "the current version".
pub(crate) fn empty_version() -> S3Error {
    S3Error::invalid_argument("versionId", "", "Version id cannot be the empty string")
}

fn incomplete_body() -> S3Error {
    bad_request(
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    )
}

impl From<TargetError> for S3Error {
    fn from(fault: TargetError) -> Self {
        match fault {
            TargetError::NotAbsolute | TargetError::MalformedPercent | TargetError::NotUtf8 => {
                bad_request("InvalidURI", "Couldn't parse the specified URI.")
            }
            TargetError::EmptyBucket => {
                bad_request("InvalidBucketName", "The specified bucket is not valid.")
            }
            TargetError::KeyTooLong { bytes } => {
                bad_request("KeyTooLongError", "Your key is too long")
                    .with_element("Size", bytes.to_string())
                    .with_element("MaxSizeAllowed", crate::target::MAX_KEY_BYTES.to_string())
            }
        }
    }
}

impl From<QueryError> for S3Error {
    fn from(fault: QueryError) -> Self {
        match fault {
            QueryError::MalformedPercent | QueryError::NotUtf8 => {
                bad_request("InvalidURI", "Couldn't parse the specified URI.")
            }
            QueryError::Conflicting { name } => S3Error::invalid_argument(
                name,
                "",
                "A query parameter was given more than once with different values.",
            ),
            QueryError::TooMany => bad_request("InvalidURI", "Too many query parameters."),
        }
    }
}

impl From<XmlError> for S3Error {
    fn from(fault: XmlError) -> Self {
        match fault {
            XmlError::TooLarge { .. }
            | XmlError::NotUtf8(_)
            | XmlError::TooDeep
            | XmlError::TooManyElements
            | XmlError::TooManyAttributes
            | XmlError::DocumentType
            | XmlError::ControlCharacter(_)
            | XmlError::UnknownEntity(_)
            | XmlError::OutsideRoot
            | XmlError::UnexpectedEnd
            | XmlError::Syntax(_)
            | XmlError::UnexpectedRoot { .. } => bad_request(
                "MalformedXML",
                "The XML you provided was not well-formed or did not validate against our published schema",
            ),
        }
    }
}

impl From<HeaderError> for S3Error {
    fn from(fault: HeaderError) -> Self {
        match fault {
            HeaderError::MetadataTooLarge { bytes } => bad_request(
                "MetadataTooLarge",
                "Your metadata headers exceed the maximum allowed metadata size",
            )
            .with_element("Size", bytes.to_string())
            .with_element(
                "MaxSizeAllowed",
                crate::headers::MAX_METADATA_BYTES.to_string(),
            ),
            HeaderError::InvalidMetadata { name } => S3Error::invalid_argument(
                format!("x-amz-meta-{name}"),
                "",
                "User metadata must be UTF-8 text.",
            ),
            HeaderError::InvalidEntityTags => {
                bad_request("InvalidArgument", "The entity tag list is malformed.")
            }
        }
    }
}

impl From<UnsatisfiableRange> for S3Error {
    fn from(fault: UnsatisfiableRange) -> Self {
        let size = fault.size.to_string();
        let error = S3Error::new(
            "InvalidRange",
            StatusCode::RANGE_NOT_SATISFIABLE,
            "The requested range is not satisfiable",
        );
        let content_range = crate::headers::header_value(&format!("bytes */{size}"));
        let error = error.with_element("ActualObjectSize", size);
        match content_range {
            Some(value) => error.with_header(http::header::CONTENT_RANGE, value),
            None => error,
        }
    }
}

impl From<CopySourceError> for S3Error {
    fn from(fault: CopySourceError) -> Self {
        match fault {
            CopySourceError::Malformed(value) | CopySourceError::UnknownQuery(value) => {
                S3Error::invalid_argument(
                    "x-amz-copy-source",
                    value,
                    "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
                )
            }
            CopySourceError::Encoding(value) => S3Error::invalid_argument(
                "x-amz-copy-source",
                value,
                "Invalid copy source encoding",
            ),
            CopySourceError::EmptyVersion(_) => empty_version(),
            CopySourceError::MalformedRange(value) => S3Error::invalid_argument(
                "x-amz-copy-source-range",
                value,
                "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
            ),
        }
    }
}

impl From<DigestError> for S3Error {
    fn from(fault: DigestError) -> Self {
        match fault {
            DigestError::InvalidContentMd5 => bad_request(
                "InvalidDigest",
                "The Content-MD5 you specified was invalid.",
            ),
            DigestError::InvalidChecksum { algorithm } => S3Error::invalid_request(format!(
                "Value for {} header is invalid.",
                header_name(algorithm)
            )),
            DigestError::SeveralChecksums => S3Error::invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            ),
            DigestError::Repeated { algorithm, value } => S3Error::invalid_argument(
                header_name(algorithm),
                value,
                "Only one value may be specified.",
            ),
            DigestError::UnknownHeader(_) => S3Error::invalid_request(
                "The algorithm type you specified in x-amz-checksum- header is invalid.",
            ),
            DigestError::UnknownAlgorithm(_) => S3Error::invalid_request(
                "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, MD5, SHA1, SHA256, SHA512, XXHASH128, XXHASH3, XXHASH64]",
            ),
            DigestError::UnknownType(_) => {
                S3Error::invalid_request("Value for x-amz-checksum-type header is invalid.")
            }
            DigestError::InvalidTrailer { algorithm } => S3Error::invalid_request(format!(
                "Value for {} trailing header is invalid.",
                header_name(algorithm)
            )),
            DigestError::AlgorithmMismatch => {
                S3Error::invalid_request(format!("Value for {SDK_ALGORITHM} header is invalid."))
            }
            DigestError::MissingChecksum => S3Error::invalid_request(format!(
                "{SDK_ALGORITHM} specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found."
            )),
            DigestError::MissingTrailer => bad_request(
                "MalformedTrailerError",
                "The request contained trailing data that was not well-formed or did not conform to our published schema.",
            ),
            DigestError::UnsupportedTrailer(_) => S3Error::invalid_request(
                "The value specified in the x-amz-trailer header is not supported",
            ),
            DigestError::ContentMd5Mismatch { declared, computed } => bad_request(
                "BadDigest",
                "The Content-MD5 you specified did not match what we received.",
            )
            .with_element("Digest", "Content-MD5")
            .with_element("ExpectedDigest", STANDARD.encode(declared))
            .with_element("CalculatedDigest", STANDARD.encode(computed)),
            DigestError::ContentSha256Mismatch { declared, computed } => bad_request(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            )
            .with_element("ClientComputedContentSHA256", hex::encode(declared))
            .with_element("S3ComputedContentSHA256", hex::encode(computed)),
            DigestError::ChecksumMismatch { declared, computed } => bad_request(
                "BadDigest",
                format!(
                    "The {} you specified did not match the calculated checksum.",
                    declared.algorithm.name()
                ),
            )
            .with_element("Digest", declared.algorithm.name())
            .with_element("ExpectedDigest", STANDARD.encode(declared.value))
            .with_element("CalculatedDigest", STANDARD.encode(computed)),
        }
    }
}

impl From<ChunkError> for S3Error {
    fn from(fault: ChunkError) -> Self {
        match fault {
            ChunkError::Malformed | ChunkError::HeaderTooLong | ChunkError::Truncated => {
                incomplete_body()
            }
            ChunkError::WrongLength { .. } => incomplete_body(),
            ChunkError::TrailerTooLong | ChunkError::MalformedTrailer => bad_request(
                "MalformedTrailerError",
                "The request contained trailing data that was not well-formed or did not conform to our published schema.",
            ),
            ChunkError::ChunkTooSmall { number, bytes } => bad_request(
                "InvalidChunkSizeError",
                "Only the last chunk is allowed to have a size less than 8192 bytes",
            )
            .with_element("Chunk", number.to_string())
            .with_element("BadChunkSize", bytes.to_string()),
            ChunkError::SignatureMismatch => signature_mismatch(),
            ChunkError::Checksum(fault) => fault.into(),
        }
    }
}

impl From<LengthError> for S3Error {
    fn from(fault: LengthError) -> Self {
        match fault {
            LengthError::Missing => S3Error::new(
                "MissingContentLength",
                StatusCode::LENGTH_REQUIRED,
                "You must provide the Content-Length HTTP header.",
            ),
            LengthError::Malformed { header, value } => {
                S3Error::invalid_argument(header, value, "The length is not a number.")
            }
            LengthError::NotFramed => S3Error::invalid_request(
                "x-amz-decoded-content-length requires a streaming x-amz-content-sha256.",
            ),
        }
    }
}

impl From<BodyError> for S3Error {
    fn from(fault: BodyError) -> Self {
        match fault {
            BodyError::Transport(_) | BodyError::WrongLength { .. } => incomplete_body(),
            BodyError::TooLarge { limit } => {
                bad_request("MaxMessageLengthExceeded", "Your request was too big.")
                    .with_element("MaxMessageLengthBytes", limit.to_string())
            }
            BodyError::Chunk(fault) => fault.into(),
            BodyError::Form(fault) => fault.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sigv4::{MalformedPart, SignatureError};

    fn code(error: impl Into<S3Error>) -> (String, u16) {
        let error: S3Error = error.into();
        (error.code().to_owned(), error.status().as_u16())
    }

    #[test]
    fn codes_that_clients_act_on() {
        for (found, expected, status) in [
            (
                code(TargetError::KeyTooLong { bytes: 1025 }),
                "KeyTooLongError",
                400,
            ),
            (code(XmlError::TooDeep), "MalformedXML", 400),
            (code(UnsatisfiableRange { size: 3 }), "InvalidRange", 416),
            (code(ChunkError::Truncated), "IncompleteBody", 400),
            (
                code(ChunkError::SignatureMismatch),
                "SignatureDoesNotMatch",
                403,
            ),
            (
                code(ChunkError::ChunkTooSmall {
                    number: 1,
                    bytes: 1,
                }),
                "InvalidChunkSizeError",
                400,
            ),
            (
                code(ChunkError::MalformedTrailer),
                "MalformedTrailerError",
                400,
            ),
            (
                code(ChunkError::Checksum(DigestError::ContentMd5Mismatch {
                    declared: [0; 16],
                    computed: [1; 16],
                })),
                "BadDigest",
                400,
            ),
            (code(DigestError::InvalidContentMd5), "InvalidDigest", 400),
            (
                code(BodyError::TooLarge { limit: 1 }),
                "MaxMessageLengthExceeded",
                400,
            ),
            (code(LengthError::Missing), "MissingContentLength", 411),
            (code(SignatureError::SessionToken), "InvalidToken", 400),
            (
                code(SignatureError::SigV2NotSupported),
                "InvalidRequest",
                400,
            ),
            (
                code(SignatureError::UnsupportedAlgorithm(String::new())),
                "NotImplemented",
                501,
            ),
            (
                code(SignatureError::HeadersNotSigned(Vec::new())),
                "AccessDenied",
                403,
            ),
            (
                code(SignatureError::MalformedHeader(MalformedPart::Signature)),
                "SignatureDoesNotMatch",
                403,
            ),
            (
                code(SignatureError::MalformedField {
                    field: "x-amz-signature",
                    value: "not hex".to_owned(),
                    part: MalformedPart::Signature,
                }),
                "SignatureDoesNotMatch",
                403,
            ),
            (
                code(SignatureError::MalformedHeader(MalformedPart::Credential)),
                "AuthorizationHeaderMalformed",
                400,
            ),
            (
                code(SignatureError::MalformedQuery(
                    MalformedPart::ExpiresTooLarge,
                )),
                "AuthorizationQueryParametersError",
                400,
            ),
        ] {
            assert_eq!(found, (expected.to_owned(), status));
        }
    }

    #[test]
    fn an_unsatisfiable_range_tells_the_size() {
        let error = S3Error::from(UnsatisfiableRange { size: 3 });
        assert_eq!(error.element("ActualObjectSize"), Some("3"));
        assert_eq!(
            error.headers().first().map(|(_, value)| value.as_bytes()),
            Some(&b"bytes */3"[..])
        );
    }
}
