//! What a request claims about its signature, without any verdict on it.
//!
//! Everything here is pure: a request's head goes in, an [`Authentication`] comes out, with all that
//! the service needs to judge it. No secret, no clock and no I/O. Exactly one mechanism may be used
//! ([`authenticate`]); the strict reading of each is in its own module.

mod authorization;
mod canonical;
mod claim;
mod form;
mod form_v2;
mod payload;
mod presigned;
mod presigned_v2;
mod select;

#[cfg(test)]
mod aws_suite;
#[cfg(test)]
mod client_examples;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod published_examples;
#[cfg(test)]
mod signer_oracle;

pub use canonical::{RequestHead, Scheme};
pub use claim::{
    Authentication, ClaimedScope, MalformedPart, PostPolicyClaim, PostPolicyV2Claim,
    PresignedV2Claim, SigV4Claim, SignatureError, SignatureMode, SigningTime,
};
pub use payload::PayloadHash;
pub use select::{authenticate, authenticate_fields};

pub(crate) use select::authenticate_form;

pub(crate) use canonical::{hex_signature, hex_text};
