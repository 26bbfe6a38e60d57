//! The chain of chunk signatures.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::sigv4::{SigV4Claim, hex_text};

/// The SHA-256 of nothing: the headers of a chunk, of which there are none.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The derived key of one access key, day, region and service. Not the secret, but good for
/// signing until the day ends: masked and wiped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ChunkSigningKey([u8; 32]);

impl ChunkSigningKey {
    /// Takes the key's bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for ChunkSigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ChunkSigningKey(…)")
    }
}

/// Computes the signature of each chunk from that of the one before, the first from that of the
/// request.
#[derive(Debug, Clone)]
pub struct ChunkSigner {
    key: ChunkSigningKey,
    amz_date: String,
    scope: String,
    previous: [u8; 32],
}

impl ChunkSigner {
    /// The chain of a request whose signature has been verified.
    #[must_use]
    pub fn of_request(key: ChunkSigningKey, claim: &SigV4Claim) -> Self {
        let amz_date = claim.signed_at.as_str().to_owned();
        Self::new(key, amz_date, claim.scope.to_string(), claim.signature)
    }

    /// `amz_date` and `scope` stand in the string to sign as the request had them; `seed` is the
    /// verified signature of the request.
    #[must_use]
    pub fn new(key: ChunkSigningKey, amz_date: String, scope: String, seed: [u8; 32]) -> Self {
        Self {
            key,
            amz_date,
            scope,
            previous: seed,
        }
    }

    /// Whether `claimed` signs a chunk with that content; moves the chain on if so.
    pub(super) fn accept_chunk(&mut self, content_sha256: [u8; 32], claimed: [u8; 32]) -> bool {
        let payload = format!("{EMPTY_SHA256}\n{}", hex_text(&content_sha256));
        self.accept("AWS4-HMAC-SHA256-PAYLOAD", &payload, claimed)
    }

    /// Whether `claimed` signs the trailer, given as `name:value` lines that end in newlines.
    pub(super) fn accept_trailer(&mut self, canonical: &str, claimed: [u8; 32]) -> bool {
        let hash = hex_text(&Sha256::digest(canonical.as_bytes()));
        self.accept("AWS4-HMAC-SHA256-TRAILER", &hash, claimed)
    }

    fn accept(&mut self, algorithm: &str, payload: &str, claimed: [u8; 32]) -> bool {
        let previous = hex_text(&self.previous);
        let string_to_sign = format!(
            "{algorithm}\n{}\n{}\n{previous}\n{payload}",
            self.amz_date, self.scope
        );
        // HMAC takes keys of any length; if it ever refused one, no signature would be accepted.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key.0) else {
            return false;
        };
        mac.update(string_to_sign.as_bytes());
        let expected: [u8; 32] = mac.finalize().into_bytes().into();
        let equal = bool::from(expected.ct_eq(&claimed));
        if equal {
            self.previous = expected;
        }
        equal
    }
}
