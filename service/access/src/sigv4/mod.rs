//! AWS Signature Version 4, pure, without clock, state or I/O.
//!
//! In order: [`V4Claim::check`] judges form, scope and time before any key is looked up; [`CheckedClaim::verify`]
//! compares signatures under the key's signing key. Source of all rules: the S3 API reference, "Authenticating
//! requests (AWS Signature Version 4)". [`presign`] makes presigned URLs.

mod amz_date;
mod claim;
mod error;
mod presign;
pub(super) mod scope;
mod signing_key;
mod time_window;
mod verify;

pub use amz_date::{AmzDate, ScopeDate};
pub use claim::{CheckedClaim, SignaturePlacement, SignedContent, V4Claim};
pub use error::{ScopeProblem, SigV4Error, SignatureMismatch};
pub use presign::{PresignedRequest, PresigningKey, presign};
pub use scope::{AcceptedRegion, AcceptedRegions, CredentialScope, ScopeClaim};
pub use signing_key::{SealedSigningKeys, SigningKey, SigningKeyCache};
pub use time_window::{MAX_CLOCK_SKEW, MAX_PRESIGNED_EXPIRES_SECONDS};
