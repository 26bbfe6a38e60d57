//! Why an operation failed, as data, and the one place where that becomes a status.
//!
//! [`Error`] is what operations return; its text is what the client reads. Failures of the layers below are converted
//! into it: by [`refusal`] those of a transaction, by [`blob`] those of the blob store. [`status`] converts it into the
//! wire status.

mod blob;
mod claim;
mod claim_status;
mod digest;
mod refusal;
mod status;

pub(crate) use blob::blob_error;
pub(crate) use claim::{ClaimError, ClaimPlace};
pub(crate) use digest::Digest;
pub(crate) use status::{about_the_edge, status_parts, to_status};

use std::time::Duration;

use bucketry_edge::fair::ShareExceeded;

use crate::catalog::CatalogError;
use crate::rules::checksums::UploadChecksumError;
use crate::rules::cors::CorsError;
use crate::rules::tags::TagError;

/// Why an operation was refused. The text of a variant is what the client reads; a source is for the operator only.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("Access Denied")]
    AccessDenied,
    #[error(
        "this call needs credentials: authorization: Bearer <access key id>.<secret access key>"
    )]
    CredentialsRequired,
    #[error("the access key id does not exist in our records, or it is not active")]
    InvalidAccessKeyId { access_key_id: String },
    #[error("the secret access key is not the one of this access key id")]
    SecretMismatch,
    #[error("credentials over plaintext are accepted from this machine only; use TLS")]
    InsecureTransport,
    #[error("the session is not valid for this call, or has ended")]
    InvalidSession,
    #[error(
        "the session is not one of this server, is bound to another address, or has ended: make another with \
         CreateChallenge or CreateSession"
    )]
    SessionEnded,
    #[error(
        "the access key id does not exist in our records, or the signature is not made with its secret"
    )]
    ChallengeFailed,
    #[error(
        "the challenge is not one of this server for this access key id, nonce and address, or is older than 60 \
         seconds: ask for another with CreateChallenge"
    )]
    ChallengeEnded,
    #[error(
        "the client dialled {dialled}, but this server is {known}. If it is reached as {dialled}, start it with \
         --endpoint-alias {dialled}; if it is not, the sign-in is being relayed"
    )]
    OtherEndpoint { dialled: String, known: String },
    #[error(
        "the adapter's service accepts edge keys only: create one with `bucketry key create --edge NAME`"
    )]
    EdgeKeyNeeded,
    #[error(
        "calls of the adapter's service require TLS and a client certificate from --tls-client-ca"
    )]
    ClientCertificateNeeded,
    #[error("{0}")]
    Claim(ClaimError),

    #[error("{field}: {problem}")]
    InvalidArgument {
        field: &'static str,
        problem: String,
    },
    /// An entry of `CreatePresignedUrlsRequest`.
    #[error("urls[{index}].{field}: {problem}")]
    InvalidUrlSpec {
        index: usize,
        field: &'static str,
        problem: String,
    },
    #[error("{0}")]
    InvalidRequest(&'static str),
    #[error("{name:?} is not a bucket name: {problem}")]
    InvalidBucketName { name: String, problem: String },
    #[error("the key has {length} bytes; 1,024 are allowed")]
    KeyTooLong { length: usize },
    #[error("the requested range is not satisfiable")]
    InvalidRange { asked: String, size: u64 },
    #[error("the object has {count} parts, and none of the number {asked}")]
    InvalidPartNumber { asked: i32, count: usize },
    #[error("{0}")]
    InvalidTag(TagError),
    #[error("the specified location constraint is not valid: {region:?}")]
    InvalidRegion { region: String },
    #[error(
        "The {region} location constraint is incompatible for the region specific endpoint this request was sent to."
    )]
    OtherRegion { region: String },
    #[error("a website redirect begins with /, http:// or https://")]
    InvalidRedirect,
    #[error("{0}")]
    InvalidCors(CorsError),
    #[error("{0}")]
    Checksum(UploadChecksumError),
    #[error("The bucket does not allow ACLs")]
    AclNotSupported,
    #[error("Your request was missing a required header")]
    MissingAcl,
    #[error("the metadata has {size} bytes; {most} are allowed")]
    MetadataTooLarge { size: usize, most: usize },
    #[error("{field} can never be changed; clone the token to get another")]
    ImmutableField { field: String },
    #[error("the page token is not one of this server, or belongs to another query")]
    InvalidPageToken,

    #[error("the specified bucket does not exist")]
    NoSuchBucket { bucket: String },
    #[error("the specified key does not exist")]
    NoSuchKey { key: String },
    #[error("the specified version does not exist")]
    NoSuchVersion { key: String, version_id: String },
    #[error("the specified upload does not exist; it may have been aborted or completed")]
    NoSuchUpload { upload_id: String },
    #[error("there is no such token: {token_id}")]
    NoSuchToken { token_id: String },

    #[error("the bucket name is taken by another account")]
    BucketAlreadyExists { bucket: String },
    #[error("the bucket is not empty")]
    BucketNotEmpty { bucket: String },
    #[error("at least one of the conditions does not hold: {condition}")]
    PreconditionFailed { condition: &'static str },
    #[error("not modified")]
    NotModified { etag: String, modified_seconds: i64 },
    #[error("another write came first; try again")]
    Conflict,
    #[error("the source changed while it was copied; try again")]
    SourceChanged,
    #[error("the keyring stays as it is: {problem}")]
    KeyringRefused { problem: String },
    #[error("the token was edited meanwhile; it is at version {version}")]
    VersionConflict { version: i64 },
    #[error("there is an account of this name already: {name}")]
    AccountAlreadyExists { name: String },
    #[error("there is no such account: {account_id}")]
    NoSuchAccount { account_id: String },
    #[error(
        "this is the account's last usable administrator key: create another one (bucketry key create --administrator \
         NAME) and revoke this one with it, or let an operator revoke it"
    )]
    LastAdminKey,
    #[error("the token is revoked, which is final")]
    TokenRevoked,
    #[error("the token can still be used: revoke it first")]
    TokenUsable,
    #[error("the token's bytes of the day are used up: {limit} a day (UTC)")]
    ByteLimitExceeded { limit: u64 },
    #[error("the token's requests per second are used up: {limit}; slow down")]
    RequestLimitExceeded { limit: u32 },

    #[error("{0}; slow down")]
    Busy(ShareExceeded),
    #[error("the server has no file descriptor left; slow down")]
    NoDescriptor,
    #[error("the message did not arrive within {} seconds", limit.as_secs())]
    MessageIdle { limit: Duration },
    #[error(
        "the bucket has {limit} open multipart uploads, which is the limit: complete or abort some"
    )]
    TooManyUploads { limit: u32 },

    #[error("{}", digest.mismatch())]
    BadDigest {
        digest: Digest,
        declared: String,
        actual: String,
    },
    #[error("{field} is not a {digest} value")]
    InvalidDigest {
        field: &'static str,
        digest: &'static str,
    },
    #[error("the content's SHA-256 is not the one that was signed")]
    ContentSha256Mismatch { declared: String, actual: String },
    #[error("{actual} bytes came; {expected} were announced")]
    IncompleteBody { expected: u64, actual: u64 },
    #[error("{size} bytes are more than the {most} allowed")]
    EntityTooLarge { size: u64, most: u64 },
    #[error("part {number} has {size} bytes; all parts but the last need {least}")]
    EntityTooSmall {
        number: u32,
        etag: String,
        size: u64,
        least: u64,
    },
    #[error("part {number} is missing, or its ETag or checksum is another")]
    InvalidPart {
        upload_id: String,
        number: u32,
        etag: String,
    },
    #[error("the parts are not in ascending order")]
    InvalidPartOrder,
    #[error("the chunk begins at {actual}; {expected} bytes have come so far")]
    InvalidWriteOffset { expected: u64, actual: i64 },

    #[error("no content came for 60 seconds")]
    ContentIdle,
    #[error("{0} is not implemented")]
    NotImplemented(&'static str),
    #[error("a store is out of reach; try again")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("there is no space left")]
    InsufficientStorage(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the stored data fails its checksum")]
    DataCorrupt(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("an internal error; the operator's log has it under the request id")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The caller's own stream ended with a status.
    #[error("{}", .0.message())]
    Stream(Box<tonic::Status>),
}

impl Error {
    /// A fault that should be impossible; `what` is for the operator.
    pub(crate) fn internal(what: &'static str) -> Self {
        Self::Internal(what.into())
    }
}

// Not by `#[from]`: these are the caller's faults, and a source would be logged as the server's.
impl From<ClaimError> for Error {
    fn from(error: ClaimError) -> Self {
        Self::Claim(error)
    }
}

impl From<UploadChecksumError> for Error {
    fn from(error: UploadChecksumError) -> Self {
        Self::Checksum(error)
    }
}

impl From<TagError> for Error {
    fn from(error: TagError) -> Self {
        Self::InvalidTag(error)
    }
}

impl From<CorsError> for Error {
    fn from(error: CorsError) -> Self {
        Self::InvalidCors(error)
    }
}

impl From<tonic::Status> for Error {
    /// A status with a source is the connection's or the stream's end, which tonic reports as `UNKNOWN` or `INTERNAL`:
    /// the client left. One without is about a message, such as one that is too large.
    fn from(status: tonic::Status) -> Self {
        let left = std::error::Error::source(&status).is_some();
        let status = if left {
            tonic::Status::cancelled("the client closed the request before it was complete")
        } else {
            status
        };
        Self::Stream(Box::new(status))
    }
}

impl From<CatalogError> for Error {
    /// Refusals that mean something to the caller are matched where they arise; one that comes here was not expected.
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Refused(refusal) => refusal::to_error(refusal),
            CatalogError::OutcomeUnknown | CatalogError::Closed | CatalogError::Database(_) => {
                Self::Unavailable(Box::new(error))
            }
            CatalogError::Migration(_)
            | CatalogError::NewerSchema { .. }
            | CatalogError::Corrupt(_)
            | CatalogError::Directory { .. }
            | CatalogError::InUse(_)
            | CatalogError::Standby
            | CatalogError::UnsafeDatabase
            | CatalogError::LocksWithoutEffect => Self::Internal(Box::new(error)),
        }
    }
}
