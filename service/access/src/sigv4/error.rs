//! Why a SigV4 claim is refused, with the data that S3's error answers show.

use super::amz_date::{AmzDate, ScopeDate};
use bucketry_domain::{AccessKeyId, Timestamp};

/// A refusal. Which S3 code it becomes depends on where the signature was (header, query, form): the boundary knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigV4Error {
    /// `x-amz-date` is not of the form `YYYYMMDDTHHMMSSZ`.
    #[error("{given:?} is not of the form YYYYMMDDTHHMMSSZ")]
    AmzDateMalformed {
        /// What was given.
        given: String,
    },
    /// The credential scope is wrong (`AuthorizationHeaderMalformed`, or its query counterpart).
    #[error("the credential scope is wrong: {0}")]
    Scope(#[from] ScopeProblem),
    /// The client's clock and ours differ by too much (`RequestTimeTooSkewed`).
    #[error(
        "request time {request_time} and server time differ by more than {max_skew_milliseconds} ms"
    )]
    RequestTimeTooSkewed {
        /// The time that the client signed.
        request_time: AmzDate,
        /// The time here.
        server_time: Timestamp,
        /// The difference that would be tolerated.
        max_skew_milliseconds: u64,
    },
    /// `X-Amz-Expires` is not within 1 to 604800 (`AuthorizationQueryParametersError`).
    #[error("X-Amz-Expires must be between 1 and 604800 seconds")]
    ExpiresOutOfRange {
        /// What was given.
        given: i64,
    },
    /// A presigned request was used after its end (`AccessDenied`, "Request has expired").
    #[error("the request has expired")]
    Expired {
        /// The seconds for which it was signed; none for a form, whose end is the seventh day.
        expires_seconds: Option<u32>,
        /// The moment at which it ended.
        expired_at: Timestamp,
        /// The time here.
        server_time: Timestamp,
    },
    /// A presigned request was used before its beginning (`AccessDenied`, "Request is not yet valid").
    #[error("the request is not yet valid")]
    NotYetValid {
        /// The time that the client signed.
        request_time: AmzDate,
        /// The time here.
        server_time: Timestamp,
    },
    /// The claim offers no canonical request, or more candidates than are tried.
    #[error("{count} canonical requests; 1 to 4 are tried")]
    Candidates {
        /// The number offered.
        count: usize,
    },
    /// The signature is not the one that this key makes (`SignatureDoesNotMatch`).
    #[error("the signature does not match")]
    SignatureDoesNotMatch(Box<SignatureMismatch>),
}

/// What is wrong with a credential scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeProblem {
    /// The day is not the day of `x-amz-date`.
    #[error("the date is {given:?}, but the request is of {expected}")]
    Date {
        /// What was given.
        given: String,
        /// The request's own day.
        expected: ScopeDate,
    },
    /// A region that is not ours: clients sign again with the expected one.
    #[error("the region {given:?} is wrong; expecting {expected:?}")]
    Region {
        /// What was given.
        given: String,
        /// The configured region.
        expected: String,
    },
    /// Not `s3`.
    #[error("the service {given:?} is wrong; this is s3")]
    Service {
        /// What was given.
        given: String,
    },
    /// Not `aws4_request`.
    #[error("the terminator {given:?} is wrong; expecting aws4_request")]
    Terminator {
        /// What was given.
        given: String,
    },
}

/// What `SignatureDoesNotMatch` shows, so that a client can compare with its own. Never the signature made here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureMismatch {
    /// The key that the request named.
    pub access_key_id: AccessKeyId,
    /// What would have had to be signed.
    pub string_to_sign: String,
    /// The signature as given.
    pub signature_provided: String,
    /// The canonical request as received; none for a form, which signs its policy.
    pub canonical_request: Option<String>,
}
