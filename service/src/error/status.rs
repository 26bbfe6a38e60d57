//! Errors as statuses: the one place where that is decided.

use std::collections::HashMap;

use bucketry_contract::errors;
use bucketry_contract::v1::ErrorReason;
use tonic::Status;

use super::Error;
use super::claim_status::claim_parts;
use crate::rules::cors::CorsError;
use crate::rules::tags::TagError;

/// The reason of an error, and the facts that the client may act on.
pub(crate) struct StatusParts {
    pub(crate) reason: ErrorReason,
    pub(crate) facts: HashMap<String, String>,
}

/// The status of an error. What is for the operator only is logged here and nowhere else.
pub(crate) fn to_status(error: &Error) -> Status {
    if let Error::Stream(status) = error {
        return Status::clone(status);
    }
    if let Some(source) = std::error::Error::source(error) {
        tracing::error!(error = %chain(source), "{error}");
    }
    let StatusParts { reason, facts } = status_parts(error);
    errors::status(reason, error.to_string(), facts)
}

/// A refusal of the edge itself, marked so that it is not taken for one of the edge's client.
pub(crate) fn about_the_edge(error: &Error) -> Status {
    let status = to_status(error);
    match errors::explain(&status) {
        Some(mut explained) => {
            let about = errors::ABOUT_EDGE;
            (explained.metadata).insert(about.0.to_owned(), about.1.to_owned());
            errors::status(explained.reason, status.message(), explained.metadata)
        }
        None => status,
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

pub(super) fn facts<const N: usize>(pairs: [(&str, String); N]) -> HashMap<String, String> {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// What an error is on the wire. Exhaustive: a new error does not compile until it has its row here.
#[allow(clippy::too_many_lines, reason = "one table, one row an error")]
pub(crate) fn status_parts(error: &Error) -> StatusParts {
    use ErrorReason as Reason;
    let (reason, facts) = match error {
        Error::AccessDenied
        | Error::InvalidSession
        | Error::EdgeKeyNeeded
        | Error::ClientCertificateNeeded => (Reason::AccessDenied, facts([])),
        Error::SessionEnded | Error::ChallengeEnded => (Reason::InvalidToken, facts([])),
        Error::OtherEndpoint { dialled, .. } => (
            Reason::InvalidArgument,
            facts([
                ("field", "endpoint".to_owned()),
                ("endpoint", dialled.clone()),
            ]),
        ),
        Error::CredentialsRequired => (Reason::CredentialsRequired, facts([])),
        Error::InvalidAccessKeyId { access_key_id } => (
            Reason::InvalidAccessKeyId,
            facts([("access_key_id", access_key_id.clone())]),
        ),
        Error::SecretMismatch | Error::ChallengeFailed => {
            (Reason::SignatureDoesNotMatch, facts([]))
        }
        Error::InsecureTransport => (Reason::InsecureTransport, facts([])),
        Error::Claim(claim) => claim_parts(claim),
        Error::InvalidArgument { field, .. } => (
            Reason::InvalidArgument,
            facts([("field", (*field).to_owned())]),
        ),
        Error::InvalidUrlSpec { index, field, .. } => (
            Reason::InvalidArgument,
            facts([("field", format!("urls[{index}].{field}"))]),
        ),
        Error::InvalidRequest(_) | Error::KeyringRefused { .. } => {
            (Reason::InvalidRequest, facts([]))
        }
        Error::InvalidBucketName { name, .. } => {
            (Reason::InvalidBucketName, facts([("bucket", name.clone())]))
        }
        Error::KeyTooLong { length } => (
            Reason::KeyTooLong,
            facts([
                ("size", length.to_string()),
                ("max_size_allowed", "1024".into()),
            ]),
        ),
        Error::InvalidRange { asked, size } => (
            Reason::InvalidRange,
            facts([
                ("range_requested", asked.clone()),
                ("actual_object_size", size.to_string()),
            ]),
        ),
        Error::InvalidPartNumber { asked, count } => (
            Reason::InvalidPartNumber,
            facts([
                ("actual_part_count", count.to_string()),
                ("part_number_requested", asked.to_string()),
            ]),
        ),
        Error::InvalidTag(error) => tag_parts(error),
        Error::InvalidRegion { region } => (
            Reason::InvalidLocationConstraint,
            facts([("location_constraint", region.clone())]),
        ),
        Error::OtherRegion { region } => (
            Reason::IllegalLocationConstraint,
            facts([("location_constraint", region.clone())]),
        ),
        Error::InvalidRedirect => (Reason::InvalidRedirectLocation, facts([])),
        Error::InvalidCors(CorsError::RuleCount { count: 0 } | CorsError::Empty { .. }) => {
            (Reason::MalformedXml, facts([]))
        }
        Error::InvalidCors(_) | Error::Checksum(_) => (Reason::InvalidRequest, facts([])),
        Error::AclNotSupported => (Reason::AccessControlListNotSupported, facts([])),
        Error::MissingAcl => (Reason::MissingAccessControlList, facts([])),
        Error::MetadataTooLarge { size, most } => (
            Reason::MetadataTooLarge,
            facts([
                ("size", size.to_string()),
                ("max_size_allowed", most.to_string()),
            ]),
        ),
        Error::ImmutableField { field } => {
            (Reason::ImmutableField, facts([("field", field.clone())]))
        }
        Error::InvalidPageToken => (
            Reason::InvalidPageToken,
            facts([("field", "page_token".to_owned())]),
        ),
        Error::NoSuchBucket { bucket } => {
            (Reason::NoSuchBucket, facts([("bucket", bucket.clone())]))
        }
        Error::NoSuchKey { key } => (Reason::NoSuchKey, facts([("key", key.clone())])),
        Error::NoSuchVersion { key, version_id } => (
            Reason::NoSuchVersion,
            facts([("key", key.clone()), ("version_id", version_id.clone())]),
        ),
        Error::NoSuchUpload { upload_id } => (
            Reason::NoSuchUpload,
            facts([("upload_id", upload_id.clone())]),
        ),
        Error::NoSuchToken { token_id } => {
            (Reason::NoSuchToken, facts([("token_id", token_id.clone())]))
        }
        Error::BucketAlreadyExists { bucket } => (
            Reason::BucketAlreadyExists,
            facts([("bucket", bucket.clone())]),
        ),
        Error::BucketNotEmpty { bucket } => {
            (Reason::BucketNotEmpty, facts([("bucket", bucket.clone())]))
        }
        Error::PreconditionFailed { condition } => (
            Reason::PreconditionFailed,
            facts([("condition", (*condition).to_owned())]),
        ),
        Error::NotModified {
            etag,
            modified_seconds,
        } => (
            Reason::NotModified,
            facts([
                ("etag", etag.clone()),
                ("modified_seconds", modified_seconds.to_string()),
            ]),
        ),
        Error::Conflict => (Reason::ConditionalRequestConflict, facts([])),
        Error::VersionConflict { version } => (
            Reason::VersionConflict,
            facts([("version", version.to_string())]),
        ),
        Error::AccountAlreadyExists { name } => (
            Reason::AccountAlreadyExists,
            facts([("display_name", name.clone())]),
        ),
        Error::NoSuchAccount { account_id } => (
            Reason::NoSuchAccount,
            facts([("account_id", account_id.clone())]),
        ),
        Error::LastAdminKey => (Reason::LastAdminKey, facts([])),
        Error::TokenRevoked => (Reason::TokenRevoked, facts([])),
        Error::ContentIdle => (Reason::RequestTimeout, facts([])),
        Error::TokenUsable => (Reason::TokenUsable, facts([])),
        Error::ByteLimitExceeded { .. } => (Reason::ByteLimitExceeded, facts([])),
        Error::RequestLimitExceeded { .. } | Error::Busy(_) | Error::NoDescriptor => {
            (Reason::SlowDown, facts([]))
        }
        Error::MessageIdle { .. } => (Reason::RequestTimeout, facts([])),
        Error::TooManyUploads { limit } => (
            Reason::TooManyUploads,
            facts([("limit", limit.to_string())]),
        ),
        Error::BadDigest {
            digest,
            declared,
            actual,
        } => (
            Reason::BadDigest,
            facts([
                ("digest", digest.name().to_owned()),
                ("expected_digest", declared.clone()),
                ("calculated_digest", actual.clone()),
            ]),
        ),
        Error::InvalidDigest { field, digest } => (
            Reason::InvalidDigest,
            facts([
                ("field", (*field).to_owned()),
                ("digest", (*digest).to_owned()),
            ]),
        ),
        Error::ContentSha256Mismatch { declared, actual } => (
            Reason::ContentSha256Mismatch,
            facts([
                ("client_computed_content_sha256", declared.clone()),
                ("s3_computed_content_sha256", actual.clone()),
            ]),
        ),
        Error::IncompleteBody { expected, actual } => (
            Reason::IncompleteBody,
            facts([
                ("expected", expected.to_string()),
                ("actual", actual.to_string()),
            ]),
        ),
        Error::EntityTooLarge { size, most } => (
            Reason::EntityTooLarge,
            facts([
                ("proposed_size", size.to_string()),
                ("max_size_allowed", most.to_string()),
            ]),
        ),
        Error::EntityTooSmall {
            number,
            etag,
            size,
            least,
        } => (
            Reason::EntityTooSmall,
            facts([
                ("part_number", number.to_string()),
                ("part_etag", etag.clone()),
                ("proposed_size", size.to_string()),
                ("min_size_allowed", least.to_string()),
            ]),
        ),
        Error::InvalidPart {
            upload_id,
            number,
            etag,
        } => (
            Reason::InvalidPart,
            facts([
                ("upload_id", upload_id.clone()),
                ("part_number", number.to_string()),
                ("part_etag", etag.clone()),
            ]),
        ),
        Error::InvalidPartOrder => (Reason::InvalidPartOrder, facts([])),
        Error::InvalidWriteOffset { expected, .. } => (
            Reason::InvalidWriteOffset,
            facts([("expected_offset", expected.to_string())]),
        ),
        Error::NotImplemented(_) => (Reason::NotImplemented, facts([])),
        Error::Unavailable(_) | Error::SourceChanged => (Reason::ServiceUnavailable, facts([])),
        Error::InsufficientStorage(_) => (Reason::InsufficientStorage, facts([])),
        Error::DataCorrupt(_) => (Reason::DataCorrupt, facts([])),
        // A broken stream is passed on as it is, before it comes here.
        Error::Internal(_) | Error::Stream(_) => (Reason::Internal, facts([])),
    };
    StatusParts { reason, facts }
}

/// The tag that is at fault.
fn tag_parts(error: &TagError) -> (ErrorReason, HashMap<String, String>) {
    let facts = match error {
        TagError::TooMany { .. } => return (ErrorReason::TooManyTags, facts([])),
        TagError::Key { key } | TagError::Reserved { key } | TagError::Duplicate { key } => {
            facts([("tag_key", key.clone())])
        }
        TagError::Value { key, value } => {
            facts([("tag_key", key.clone()), ("tag_value", value.clone())])
        }
    };
    (ErrorReason::InvalidTag, facts)
}
