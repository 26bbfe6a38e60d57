//! The one place where a status of the service becomes an S3 error.

use std::collections::HashMap;

use bucketry_contract::errors::{self, Explained};
use bucketry_contract::v1::ErrorReason;
use http::header::{CONTENT_RANGE, ETAG, LAST_MODIFIED, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tonic::{Code, Status};

use crate::binding::PART_NUMBER;
use crate::error::S3Error;
use crate::headers::{format_http_date, header_value};

/// `Retry-After` of `SlowDown`, in seconds.
const SECOND: HeaderValue = HeaderValue::from_static("1");

pub(crate) const BUCKET_REGION: HeaderName = HeaderName::from_static("x-amz-bucket-region");

/// Facts of an error that S3 shows as elements, in S3's order. A key with a time has its own rule below.
const ELEMENTS: [(&str, &str); 34] = [
    ("access_key_id", "AWSAccessKeyId"),
    ("string_to_sign", "StringToSign"),
    ("signature_provided", "SignatureProvided"),
    ("canonical_request", "CanonicalRequest"),
    ("region", "Region"),
    ("request_time", "RequestTime"),
    (
        "max_allowed_skew_milliseconds",
        "MaxAllowedSkewMilliseconds",
    ),
    ("x_amz_expires", "X-Amz-Expires"),
    ("field", "ArgumentName"),
    ("bucket", "BucketName"),
    ("key", "Key"),
    ("version_id", "VersionId"),
    ("upload_id", "UploadId"),
    ("part_number", "PartNumber"),
    ("part_etag", "ETag"),
    ("tag_key", "TagKey"),
    ("tag_value", "TagValue"),
    ("location_constraint", "LocationConstraint"),
    ("actual_part_count", "ActualPartCount"),
    ("part_number_requested", "PartNumberRequested"),
    ("condition", "Condition"),
    ("range_requested", "RangeRequested"),
    ("actual_object_size", "ActualObjectSize"),
    ("size", "Size"),
    ("proposed_size", "ProposedSize"),
    ("min_size_allowed", "MinSizeAllowed"),
    ("max_size_allowed", "MaxSizeAllowed"),
    ("expected", "NumberBytesExpected"),
    ("actual", "NumberBytesProvided"),
    ("digest", "Digest"),
    ("expected_digest", "ExpectedDigest"),
    ("calculated_digest", "CalculatedDigest"),
    (
        "client_computed_content_sha256",
        "ClientComputedContentSHA256",
    ),
    ("s3_computed_content_sha256", "S3ComputedContentSHA256"),
];

/// Facts that are seconds since 1970 and shown as ISO 8601.
const TIMES: [(&str, &str); 2] = [
    ("expires_seconds", "Expires"),
    ("server_time_seconds", "ServerTime"),
];

/// Texts that S3 shows a second time as bytes in hex, because the eye cannot see all differences.
const BYTES: [(&str, &str); 2] = [
    ("string_to_sign", "StringToSignBytes"),
    ("canonical_request", "CanonicalRequestBytes"),
];

impl From<Status> for S3Error {
    fn from(status: Status) -> Self {
        match errors::explain(&status) {
            Some(Explained { reason, metadata }) => {
                let field = metadata.get("field").map_or("", String::as_str);
                if (reason, field) == (ErrorReason::InvalidArgument, "attributes") {
                    return S3Error::invalid_request(NO_ATTRIBUTES);
                }
                let message = argument_message(field, status.message());
                with_facts(of_reason(reason, message), &metadata)
            }
            None => unexplained(&status),
        }
    }
}

/// Of GetObjectAttributes; to S3 this is no fault of an argument.
const NO_ATTRIBUTES: &str = "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty";

/// Fields of the contract by the names that S3 has for them.
const ARGUMENTS: [(&str, &str); 15] = [
    ("page_token", "continuation-token"),
    ("version_id", "versionId"),
    ("version_id_marker", "version-id-marker"),
    ("upload_id_marker", "upload-id-marker"),
    ("part_number", "partNumber"),
    ("part_number_marker", "part-number-marker"),
    ("page_size", "max-keys"),
    ("source_range", "x-amz-copy-source-range"),
    ("attributes.content_type", "Content-Type"),
    ("attributes.cache_control", "Cache-Control"),
    ("attributes.content_disposition", "Content-Disposition"),
    ("attributes.content_encoding", "Content-Encoding"),
    ("attributes.content_language", "Content-Language"),
    ("attributes.expires", "Expires"),
    ("attributes.metadata", "x-amz-meta-"),
];

fn argument(field: &str) -> &str {
    let found = ARGUMENTS.iter().find(|(known, _)| *known == field);
    found.map_or(field, |(_, name)| name)
}

/// The service's message about a refused argument, without the contract's name for it.
fn argument_message<'a>(field: &str, message: &'a str) -> &'a str {
    let problem = message
        .strip_prefix(field)
        .and_then(|rest| rest.strip_prefix(": "));
    match field {
        "part_number" => PART_NUMBER,
        _ => problem.filter(|_| !field.is_empty()).unwrap_or(message),
    }
}

/// The S3 error of a reason, for a result that is no status: one key of a batch delete.
pub(crate) fn of_reason(reason: ErrorReason, message: &str) -> S3Error {
    let row = errors::row(reason);
    let status = StatusCode::from_u16(row.http_status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match text(reason) {
        Some(text) if reason == ErrorReason::SlowDown => {
            S3Error::new(row.s3_code, status, text).with_header(RETRY_AFTER, SECOND)
        }
        Some(text) => S3Error::new(row.s3_code, status, text),
        None => {
            let field = message.split_once(": ").map_or("", |(field, _)| field);
            let known = ARGUMENTS.iter().any(|(name, _)| *name == field);
            let message = if known {
                argument_message(field, message)
            } else {
                message
            };
            S3Error::new(row.s3_code, status, message.to_owned())
        }
    }
}

/// A document that is XML and not what the operation takes.
pub(crate) fn malformed_xml() -> S3Error {
    of_reason(ErrorReason::MalformedXml, "")
}

/// A status that the service did not make: the way to it is broken, or it is at fault.
fn unexplained(status: &Status) -> S3Error {
    tracing::error!(code = ?status.code(), message = status.message(), "a call failed without a reason");
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => {
            of_reason(ErrorReason::ServiceUnavailable, "")
        }
        Code::ResourceExhausted => of_reason(ErrorReason::SlowDown, ""),
        Code::Unimplemented => of_reason(ErrorReason::NotImplemented, "Not implemented."),
        Code::Ok
        | Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Internal
        | Code::DataLoss
        | Code::Unauthenticated => S3Error::internal(),
    }
}

fn with_facts(mut error: S3Error, facts: &HashMap<String, String>) -> S3Error {
    let fact = |name: &str| facts.get(name).filter(|value| !value.is_empty());
    for (name, element) in ELEMENTS {
        match fact(name) {
            Some(field) if name == "field" => {
                error = error.with_element(element, argument(field));
            }
            Some(value) => error = error.with_element(element, value.clone()),
            None => {}
        }
    }
    for (name, element) in TIMES {
        if let Some(time) = fact(name).and_then(|seconds| iso8601(seconds)) {
            error = error.with_element(element, time);
        }
    }
    for (name, element) in BYTES {
        if let Some(value) = fact(name) {
            error = error.with_element(element, spaced_hex(value));
        }
    }
    let headers = [
        (ETAG, fact("etag").map(|etag| format!("\"{etag}\""))),
        (
            LAST_MODIFIED,
            fact("modified_seconds").and_then(|seconds| http_date(seconds)),
        ),
        (
            CONTENT_RANGE,
            fact("actual_object_size").map(|size| format!("bytes */{size}")),
        ),
        (BUCKET_REGION, fact("region").cloned()),
    ];
    for (name, value) in headers {
        if let Some(value) = value.as_deref().and_then(header_value) {
            error = error.with_header(name, value);
        }
    }
    error
}

fn moment(seconds: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(seconds.parse().ok()?).ok()
}

fn iso8601(seconds: &str) -> Option<String> {
    moment(seconds)?.format(&Rfc3339).ok()
}

fn http_date(seconds: &str) -> Option<String> {
    moment(seconds).map(format_http_date)
}

fn spaced_hex(text: &str) -> String {
    let pairs: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}

/// S3's own words where clients or people search for them; else the service's.
fn text(reason: ErrorReason) -> Option<&'static str> {
    use ErrorReason as Reason;
    match reason {
        Reason::AccessDenied | Reason::CredentialsRequired => Some("Access Denied"),
        Reason::InvalidAccessKeyId => {
            Some("The AWS Access Key Id you provided does not exist in our records.")
        }
        Reason::SignatureDoesNotMatch => Some(
            "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
        ),
        Reason::RequestTimeTooSkewed => {
            Some("The difference between the request time and the current time is too large.")
        }
        Reason::NoSuchBucket => Some("The specified bucket does not exist"),
        Reason::NoSuchKey => Some("The specified key does not exist."),
        Reason::NoSuchVersion => Some("The specified version does not exist."),
        Reason::NoSuchUpload => Some(
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
        ),
        Reason::NoSuchTagSet => Some("The TagSet does not exist"),
        Reason::NoSuchCorsConfiguration => Some("The CORS configuration does not exist"),
        Reason::NoSuchLifecycleConfiguration => Some("The lifecycle configuration does not exist"),
        Reason::EncryptionConfigurationNotFound => {
            Some("The server side encryption configuration was not found")
        }
        Reason::ObjectLockConfigurationNotFound => {
            Some("Object Lock configuration does not exist for this bucket")
        }
        Reason::NoSuchBucketPolicy => Some("The bucket policy does not exist"),
        Reason::NoSuchWebsiteConfiguration => {
            Some("The specified bucket does not have a website configuration")
        }
        Reason::ReplicationConfigurationNotFound => {
            Some("The replication configuration was not found")
        }
        Reason::OwnershipControlsNotFound => Some("The bucket ownership controls were not found"),
        Reason::BucketAlreadyExists => Some(
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
        ),
        Reason::BucketAlreadyOwnedByYou => Some(
            "Your previous request to create the named bucket succeeded and you already own it.",
        ),
        Reason::BucketNotEmpty => Some("The bucket you tried to delete is not empty"),
        Reason::PreconditionFailed => {
            Some("At least one of the pre-conditions you specified did not hold")
        }
        Reason::NotModified => Some("Not Modified"),
        Reason::IncompleteBody => Some(
            "You did not provide the number of bytes specified by the Content-Length HTTP header",
        ),
        Reason::ContentSha256Mismatch => {
            Some("The provided 'x-amz-content-sha256' header does not match what was computed.")
        }
        Reason::MissingContentLength => Some("You must provide the Content-Length HTTP header."),
        Reason::EntityTooLarge => Some("Your proposed upload exceeds the maximum allowed size"),
        Reason::EntityTooSmall => {
            Some("Your proposed upload is smaller than the minimum allowed size")
        }
        Reason::InvalidPart => Some(
            "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        ),
        Reason::InvalidPartOrder => Some(
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
        ),
        Reason::InvalidRange => Some("The requested range is not satisfiable"),
        Reason::InvalidPartNumber => Some("The requested partnumber is not satisfiable"),
        Reason::MethodNotAllowed => {
            Some("The specified method is not allowed against this resource.")
        }
        Reason::SlowDown => Some("Please reduce your request rate."),
        Reason::ServiceUnavailable => Some("Service is unable to handle request."),
        Reason::InvalidBucketName => Some("The specified bucket is not valid."),
        Reason::InvalidPageToken => Some("The continuation token provided is incorrect"),
        Reason::InvalidLocationConstraint => Some("The specified location-constraint is not valid"),
        Reason::InvalidRedirectLocation => Some(
            "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
        ),
        Reason::MetadataTooLarge => {
            Some("Your metadata headers exceed the maximum allowed metadata size")
        }
        Reason::KeyTooLong => Some("Your key is too long"),
        Reason::MalformedXml => Some(
            "The XML you provided was not well-formed or did not validate against our published schema",
        ),
        // What happened inside is for the operator.
        Reason::Unspecified | Reason::Internal | Reason::DataCorrupt => {
            Some("We encountered an internal error. Please try again.")
        }
        // Their texts name the very thing that is wrong.
        Reason::AuthorizationHeaderMalformed
        | Reason::AuthorizationQueryParametersError
        | Reason::HeadersNotSigned
        | Reason::RequestExpired
        | Reason::InvalidToken
        | Reason::InsecureTransport
        | Reason::InvalidArgument
        | Reason::InvalidRequest
        | Reason::InvalidUri
        | Reason::InvalidTag
        | Reason::TooManyTags
        | Reason::IllegalLocationConstraint
        | Reason::AccessControlListNotSupported
        | Reason::MissingAccessControlList
        | Reason::ImmutableField
        | Reason::NoSuchToken
        | Reason::NoSuchAccount
        | Reason::ConditionalRequestConflict
        | Reason::VersionConflict
        | Reason::AccountAlreadyExists
        | Reason::TokenRevoked
        | Reason::TokenUsable
        | Reason::LastAdminKey
        | Reason::ByteLimitExceeded
        | Reason::BadDigest
        | Reason::InvalidDigest
        | Reason::InvalidChunkSize
        | Reason::MalformedTrailer
        | Reason::InvalidWriteOffset
        | Reason::TooManyUploads
        | Reason::NotImplemented
        | Reason::InsufficientStorage
        | Reason::RequestTimeout => None,
    }
}

#[cfg(test)]
mod tests;
