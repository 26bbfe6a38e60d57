//! Sign-in without sending the secret: the challenge of `bucketry.v1.TokenService`, as both sides compute it, and its
//! client.
//!
//! The bytes that are signed are described at `AnswerChallengeRequest` in the contract.

// Tests spawn unnamed tasks.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

mod client;
mod endpoint;
mod sessions;
mod transcript;

pub use client::{Session, SignIn, SignInCredentials, SignInError};
pub use endpoint::normalized_endpoint;
pub use sessions::{NotSignedIn, Sessions, SignInStatus};
pub use transcript::{Granted, NONCE_LENGTH, ProofKey, Purpose, SIGNATURE_LENGTH, Transcript};
