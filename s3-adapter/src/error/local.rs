//! The one place where faults found at the edge become S3 errors.

use http::StatusCode;

use super::S3Error;
use crate::body::BodyError;
use crate::checksum::DigestError;
use crate::chunked::ChunkError;
use crate::copy_source::CopySourceError;
use crate::headers::HeaderError;
use crate::query::QueryError;
use crate::range::UnsatisfiableRange;
use crate::sigv4::{MalformedPart, SignatureError};
use crate::target::TargetError;
use crate::xml::XmlError;

fn bad_request(code: &'static str, message: impl Into<std::borrow::Cow<'static, str>>) -> S3Error {
    S3Error::new(code, StatusCode::BAD_REQUEST, message)
}

fn signature_mismatch() -> S3Error {
    S3Error::new(
        "SignatureDoesNotMatch",
        StatusCode::FORBIDDEN,
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    )
}

fn incomplete_body() -> S3Error {
    bad_request(
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    )
}

fn sigv2_not_supported() -> S3Error {
    S3Error::invalid_request(
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
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
                algorithm.header()
            )),
            DigestError::SeveralChecksums => S3Error::invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            ),
            DigestError::UnknownAlgorithm(_) => S3Error::invalid_request(
                "The algorithm type you specified in x-amz-checksum- header is invalid.",
            ),
            DigestError::AlgorithmMismatch => S3Error::invalid_request(
                "Value for x-amz-sdk-checksum-algorithm header is invalid.",
            ),
            DigestError::MissingChecksum => S3Error::invalid_request(
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
            ),
            DigestError::UnsupportedTrailer(_) => S3Error::invalid_request(
                "The value specified in the x-amz-trailer header is not supported",
            ),
            DigestError::ContentMd5Mismatch => bad_request(
                "BadDigest",
                "The Content-MD5 you specified did not match what we received.",
            ),
            DigestError::ContentSha256Mismatch { declared, computed } => bad_request(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            )
            .with_element("ClientComputedContentSHA256", hex::encode(declared))
            .with_element("S3ComputedContentSHA256", hex::encode(computed)),
            DigestError::ChecksumMismatch { algorithm } => bad_request(
                "BadDigest",
                format!(
                    "The {} you specified did not match the calculated checksum.",
                    algorithm.wire_name()
                ),
            ),
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

impl From<BodyError> for S3Error {
    fn from(fault: BodyError) -> Self {
        match fault {
            BodyError::Transport(_) | BodyError::WrongLength { .. } => incomplete_body(),
            BodyError::TooLarge { limit } => {
                bad_request("MaxMessageLengthExceeded", "Your request was too big.")
                    .with_element("MaxMessageLengthBytes", limit.to_string())
            }
            BodyError::Chunk(fault) => fault.into(),
        }
    }
}

impl From<SignatureError> for S3Error {
    fn from(fault: SignatureError) -> Self {
        match fault {
            SignatureError::SeveralMechanisms => S3Error::invalid_argument(
                "Authorization",
                "",
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
            ),
            SignatureError::UnsupportedAuthorization(scheme) => {
                S3Error::invalid_argument("Authorization", scheme, "Unsupported Authorization Type")
            }
            SignatureError::SigV2NotSupported => sigv2_not_supported(),
            SignatureError::UnsupportedAlgorithm(_) => {
                S3Error::not_implemented("SigV4A is not implemented. Please use AWS4-HMAC-SHA256.")
            }
            SignatureError::SessionToken => bad_request(
                "InvalidToken",
                "The provided token is malformed or otherwise invalid.",
            ),
            SignatureError::MalformedHeader(part) => {
                bad_request("AuthorizationHeaderMalformed", header_text(&part))
            }
            SignatureError::MalformedQuery(part) => {
                bad_request("AuthorizationQueryParametersError", query_text(&part))
            }
            SignatureError::InvalidDate => S3Error::access_denied(
                "AWS authentication requires a valid Date or x-amz-date header",
            ),
            SignatureError::MalformedV2(_) => S3Error::access_denied(
                "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
            ),
            SignatureError::UnsignedParameter(name) => S3Error::invalid_argument(
                name,
                "",
                "This query parameter is not covered by a version 2 signature. Please use AWS4-HMAC-SHA256.",
            ),
            SignatureError::HeadersNotSigned(names) => S3Error::access_denied(
                "There were headers present in the request which were not signed",
            )
            .with_element("HeadersNotSigned", names.join(", ")),
            SignatureError::SignedHeadersMissing(_) => signature_mismatch(),
            SignatureError::ConflictingHeader(name) => S3Error::invalid_request(format!(
                "The header {name} differs from the query parameter of that name."
            )),
            SignatureError::MissingContentSha256 => S3Error::invalid_request(
                "Missing required header for this request: x-amz-content-sha256",
            ),
            SignatureError::InvalidContentSha256(value) => S3Error::invalid_argument(
                "x-amz-content-sha256",
                value,
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
            ),
            SignatureError::UnsignedStreaming => S3Error::invalid_request(
                "Signed chunks require a version 4 signature of the request.",
            ),
            SignatureError::InvalidTarget => {
                bad_request("InvalidURI", "Couldn't parse the specified URI.")
            }
        }
    }
}

fn header_text(part: &MalformedPart) -> String {
    let text = match part {
        MalformedPart::Components => {
            "the authorization header requires exactly the three components Credential, SignedHeaders and Signature."
        }
        MalformedPart::Signature => "the Signature is not 64 lower-case hexadecimal digits.",
        MalformedPart::SignedHeaders => {
            "the SignedHeaders are not a sorted list of lower-case header names."
        }
        MalformedPart::Credential
        | MalformedPart::AccessKeyId
        | MalformedPart::ScopeDate { .. }
        | MalformedPart::Service { .. }
        | MalformedPart::Terminator { .. } => {
            return format!(
                "The authorization header is malformed; {}",
                credential_text(part)
            );
        }
        MalformedPart::Algorithm
        | MalformedPart::Date
        | MalformedPart::ExpiresNotANumber
        | MalformedPart::ExpiresTooSmall
        | MalformedPart::ExpiresTooLarge => "it holds a component of the query form.",
    };
    format!("The authorization header is malformed; {text}")
}

fn query_text(part: &MalformedPart) -> String {
    let text = match part {
        MalformedPart::Components => {
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
        }
        MalformedPart::Signature => "X-Amz-Signature must be 64 lower-case hexadecimal digits",
        MalformedPart::SignedHeaders => {
            "X-Amz-SignedHeaders must be a sorted list of lower-case header names"
        }
        MalformedPart::Algorithm => "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"",
        MalformedPart::Date => {
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
        }
        MalformedPart::ExpiresNotANumber => "X-Amz-Expires should be a number",
        MalformedPart::ExpiresTooSmall => "X-Amz-Expires must be positive",
        MalformedPart::ExpiresTooLarge => {
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"
        }
        MalformedPart::Credential
        | MalformedPart::AccessKeyId
        | MalformedPart::ScopeDate { .. }
        | MalformedPart::Service { .. }
        | MalformedPart::Terminator { .. } => {
            return format!(
                "Error parsing the X-Amz-Credential parameter; {}",
                credential_text(part)
            );
        }
    };
    text.to_owned()
}

fn credential_text(part: &MalformedPart) -> String {
    match part {
        MalformedPart::ScopeDate { given } => {
            format!("Invalid credential date \"{given}\". This date is not the same as X-Amz-Date.")
        }
        MalformedPart::Service { given } => {
            format!("incorrect service \"{given}\". This endpoint belongs to \"s3\".")
        }
        MalformedPart::Terminator { given } => {
            format!("incorrect terminal \"{given}\". This endpoint uses \"aws4_request\".")
        }
        MalformedPart::Credential
        | MalformedPart::AccessKeyId
        | MalformedPart::Components
        | MalformedPart::SignedHeaders
        | MalformedPart::Signature
        | MalformedPart::Algorithm
        | MalformedPart::Date
        | MalformedPart::ExpiresNotANumber
        | MalformedPart::ExpiresTooSmall
        | MalformedPart::ExpiresTooLarge => {
            "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".".to_owned()
        }
    }
}
