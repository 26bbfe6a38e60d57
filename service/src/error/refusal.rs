//! What the catalog refuses inside a transaction, as the caller's error.

use super::Error;
use crate::catalog::{Condition, Refusal};
use crate::telemetry::metrics::count_refusal;

/// The error that a refusal is. Exhaustive: a new refusal does not compile until it has its row here.
pub(super) fn to_error(refusal: Refusal) -> Error {
    match refusal {
        Refusal::KeyNotActive { .. } => Error::AccessDenied,
        Refusal::VersionMoved { version, .. } => Error::VersionConflict { version },
        Refusal::AccessKeyNotFound(pk) => Error::NoSuchToken {
            token_id: pk.to_string(),
        },
        Refusal::AccessKeyRevoked(_) => Error::TokenRevoked,
        Refusal::AccessKeyUsable(_) => Error::TokenUsable,
        Refusal::LastAdministrator(_) => Error::LastAdminKey,
        Refusal::AccountNotFound(id) => Error::NoSuchAccount {
            account_id: id.to_string(),
        },
        Refusal::AccountExists => Error::AccountAlreadyExists {
            name: String::new(),
        },
        Refusal::BucketExists { .. } => Error::BucketAlreadyExists {
            bucket: String::new(),
        },
        Refusal::BucketGone(_) => Error::NoSuchBucket {
            bucket: String::new(),
        },
        Refusal::BucketNotEmpty(_) => Error::BucketNotEmpty {
            bucket: String::new(),
        },
        Refusal::ObjectNotFound => Error::NoSuchKey { key: String::new() },
        Refusal::Precondition(condition) => Error::PreconditionFailed {
            condition: match condition {
                Condition::IfMatch => "If-Match",
                Condition::IfNoneMatch => "If-None-Match",
                Condition::Generation(_) => "if_generation_match",
            },
        },
        Refusal::UploadNotFound(id) => Error::NoSuchUpload {
            upload_id: id.to_string(),
        },
        Refusal::PartChanged { number } => Error::InvalidPart {
            upload_id: String::new(),
            number: number.into(),
            etag: String::new(),
        },
        Refusal::TooManyUploads { limit } => {
            count_refusal("open_uploads");
            Error::TooManyUploads { limit }
        }
        Refusal::PartList => Error::InvalidPartOrder,
        Refusal::SourceGone => Error::SourceChanged,
        // Lost races: the same request may well succeed when it comes again.
        Refusal::EpochMoved { .. } | Refusal::PolicyMoved { .. } | Refusal::IntentLost(_) => {
            Error::Unavailable(Box::new(refusal))
        }
        Refusal::AccessKeyExists => Error::Internal(Box::new(refusal)),
    }
}
