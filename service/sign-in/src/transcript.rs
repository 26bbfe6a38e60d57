use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Length of the client's nonce in bytes.
pub const NONCE_LENGTH: usize = 32;
/// Length of signature and proof in bytes.
pub const SIGNATURE_LENGTH: usize = 32;

/// The key of every HMAC whose result is a [`ProofKey`].
const KEY_LABEL: &[u8] = b"bucketry challenge v1";
const ANSWER_LABEL: &[u8] = b"bucketry challenge v1 answer";
const PROOF_LABEL: &[u8] = b"bucketry challenge v1 proof";
/// SHA-256's block in bytes.
const BLOCK_LENGTH: usize = 64;

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A client of the published services.
    Client,
    /// A separate S3 adapter.
    Adapter,
}

impl Purpose {
    /// The word in the transcript.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Adapter => "adapter",
        }
    }
}

/// The facts of one sign-in that the client signs.
#[derive(Debug, Clone, Copy)]
pub struct Transcript<'a> {
    /// The access key id.
    pub access_key_id: &'a str,
    /// The client's nonce.
    pub client_nonce: &'a [u8],
    /// The server's nonce.
    pub server_nonce: &'a [u8],
    /// The endpoint that the client dialled, see [`crate::normalized_endpoint`].
    pub endpoint: &'a str,
    /// What the session is for.
    pub purpose: Purpose,
}

/// What the server grants for a correct answer; its proof covers it.
#[derive(Clone, Copy)]
pub struct Granted<'a> {
    /// The session.
    pub session_token: &'a str,
    /// When it ends: seconds since the Unix epoch, and nanoseconds.
    pub expiry: (i64, i32),
    /// Its remaining lifetime in seconds.
    pub lifetime_seconds: i32,
}

impl fmt::Debug for Granted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Granted")
            .field("expiry", &self.expiry)
            .finish_non_exhaustive()
    }
}

/// The key derived from a secret for this protocol. Neither the secret nor keys of request signatures can be derived
/// from it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ProofKey([u8; 32]);

impl fmt::Debug for ProofKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ProofKey(…)")
    }
}

impl ProofKey {
    /// The key of a secret access key.
    #[must_use]
    pub fn derive(secret_access_key: &str) -> Self {
        let (mut derived, _) =
            Hkdf::<Sha256>::extract(Some(KEY_LABEL), secret_access_key.as_bytes());
        let key = Self(derived.into());
        derived.as_mut_slice().zeroize();
        key
    }

    /// The client's signature.
    #[must_use]
    pub fn sign(&self, transcript: &Transcript<'_>) -> [u8; SIGNATURE_LENGTH] {
        self.answer(transcript).finalize().into_bytes().into()
    }

    /// Whether `signature` is the client's. Compares in constant time.
    #[must_use]
    pub fn verify(&self, transcript: &Transcript<'_>, signature: &[u8]) -> bool {
        self.answer(transcript).verify_slice(signature).is_ok()
    }

    /// The server's proof.
    #[must_use]
    pub fn prove(
        &self,
        transcript: &Transcript<'_>,
        granted: &Granted<'_>,
    ) -> [u8; SIGNATURE_LENGTH] {
        self.proof(transcript, granted)
            .finalize()
            .into_bytes()
            .into()
    }

    /// Whether `proof` is the server's. Compares in constant time.
    #[must_use]
    pub fn verify_proof(
        &self,
        transcript: &Transcript<'_>,
        granted: &Granted<'_>,
        proof: &[u8],
    ) -> bool {
        self.proof(transcript, granted).verify_slice(proof).is_ok()
    }

    fn answer(&self, transcript: &Transcript<'_>) -> Hmac<Sha256> {
        self.mac(ANSWER_LABEL, transcript)
    }

    fn proof(&self, transcript: &Transcript<'_>, granted: &Granted<'_>) -> Hmac<Sha256> {
        let (seconds, nanoseconds) = granted.expiry;
        let mut expiry = [0; 12];
        expiry[..8].copy_from_slice(&seconds.to_be_bytes());
        expiry[8..].copy_from_slice(&nanoseconds.to_be_bytes());
        let mut mac = self.mac(PROOF_LABEL, transcript);
        add_field(&mut mac, granted.session_token.as_bytes());
        add_field(&mut mac, &expiry);
        add_field(&mut mac, &granted.lifetime_seconds.to_be_bytes());
        mac
    }

    fn mac(&self, label: &[u8], transcript: &Transcript<'_>) -> Hmac<Sha256> {
        // A key shorter than the block is padded with zeros, so the infallible constructor is the same function.
        let mut block = Zeroizing::new([0_u8; BLOCK_LENGTH]);
        block[..self.0.len()].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        for field in [
            label,
            transcript.access_key_id.as_bytes(),
            transcript.client_nonce,
            transcript.server_nonce,
            transcript.endpoint.as_bytes(),
            transcript.purpose.word().as_bytes(),
        ] {
            add_field(&mut mac, field);
        }
        mac
    }
}

/// The length keeps `("ab", "c")` and `("a", "bc")` apart.
fn add_field(mac: &mut Hmac<Sha256>, field: &[u8]) {
    // Every field is far below 4 GiB; a saturated length would only make the signature wrong.
    let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
    mac.update(&length.to_be_bytes());
    mac.update(field);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    const VECTOR_KEY: &str = "4171f78d5905fab8268865739102d483406d3bc72ddccf92f9e9047212d1edba";
    const VECTOR_SIGNATURE: &str =
        "c6d81e6a9311e6963a38595cbe8991c8e3d96ae396c70f495cc949a286de4474";
    const VECTOR_PROOF: &str = "0545f04efdc04a8309fe060d9953c3235b13a2d35def1f61d35d554edb0475fc";

    fn transcript() -> Transcript<'static> {
        Transcript {
            access_key_id: "AKIAIOSFODNN7EXAMPLE",
            client_nonce: &[0x11; 32],
            server_nonce: b"server nonce",
            endpoint: "http://localhost:9000",
            purpose: Purpose::Client,
        }
    }

    fn granted() -> Granted<'static> {
        Granted {
            session_token: "session",
            expiry: (1_700_000_000, 5),
            lifetime_seconds: 900,
        }
    }

    /// Computed with Python's `hmac` from the description in the contract.
    #[test]
    fn fixed_vectors() {
        let key = ProofKey::derive(SECRET);
        assert_eq!(hex::encode(key.0), VECTOR_KEY);
        assert_eq!(hex::encode(key.sign(&transcript())), VECTOR_SIGNATURE);
        assert_eq!(
            hex::encode(key.prove(&transcript(), &granted())),
            VECTOR_PROOF
        );
    }

    #[test]
    fn every_field_is_signed() {
        let key = ProofKey::derive(SECRET);
        let signature = key.sign(&transcript());
        assert!(key.verify(&transcript(), &signature));
        assert!(!ProofKey::derive("another secret").verify(&transcript(), &signature));
        assert!(!key.verify(&transcript(), &signature[1..]));
        for changed in [
            Transcript {
                access_key_id: "AKIAIOSFODNN7EXAMPLF",
                ..transcript()
            },
            Transcript {
                client_nonce: &[0x12; 32],
                ..transcript()
            },
            Transcript {
                server_nonce: b"Server nonce",
                ..transcript()
            },
            Transcript {
                endpoint: "http://localhost:9001",
                ..transcript()
            },
            Transcript {
                purpose: Purpose::Adapter,
                ..transcript()
            },
        ] {
            assert!(!key.verify(&changed, &signature), "{changed:?}");
        }
    }

    #[test]
    fn the_proof_covers_the_session_and_is_no_signature() {
        let key = ProofKey::derive(SECRET);
        let proof = key.prove(&transcript(), &granted());
        assert!(key.verify_proof(&transcript(), &granted(), &proof));
        assert!(!key.verify(&transcript(), &proof));
        for changed in [
            Granted {
                session_token: "Session",
                ..granted()
            },
            Granted {
                expiry: (1_700_000_001, 5),
                ..granted()
            },
            Granted {
                expiry: (1_700_000_000, 6),
                ..granted()
            },
            Granted {
                lifetime_seconds: 901,
                ..granted()
            },
        ] {
            assert!(
                !key.verify_proof(&transcript(), &changed, &proof),
                "{changed:?}"
            );
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let shown = format!("{:?} {:?}", ProofKey::derive(SECRET), granted());
        assert!(
            !shown.contains("session") && !shown.contains(&VECTOR_KEY[..8]),
            "{shown}"
        );
    }
}
