//! Sign-in challenges: a stateless server nonce, which every node with the keyring can verify.

use std::time::Duration;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::client_address::ClientAddress;
use super::fields::{push_field, push_optional};
use super::keyring::{KekId, KeyPurpose, Keyring};
use bucketry_domain::Timestamp;

/// How long a challenge is valid.
pub const CHALLENGE_LIFE: Duration = Duration::from_secs(60);

const VERSION: u8 = 1;
const RANDOM_LENGTH: usize = 16;
const MAC_LENGTH: usize = 32;
/// Version, key-encryption key id, time of issue in microseconds, random bytes.
const BODY_LENGTH: usize = 1 + 4 + 8 + RANDOM_LENGTH;

/// What a challenge is bound to. The nonce authenticates these values without containing them.
#[derive(Debug, Clone, Copy)]
pub struct ChallengeFor<'a> {
    /// The access key id as sent, whether or not it exists.
    pub access_key_id: &'a str,
    /// The client's nonce.
    pub client_nonce: &'a [u8],
    /// The client's address, so that a recorded answer cannot be used from another one.
    pub address: ClientAddress,
}

/// Why a challenge is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    /// Not issued under this keyring, or not for this key, nonce and address.
    #[error("the challenge is not authentic")]
    NotAuthentic,
    /// Issued under a key that the keyring does not have: to be answered as unavailable.
    #[error("the keyring has no key {kek_id} for the challenge")]
    KeyMissing {
        /// The key that is needed.
        kek_id: KekId,
    },
    /// Issued more than [`CHALLENGE_LIFE`] ago, or by a node whose clock is that much ahead.
    #[error("the challenge has ended")]
    Expired,
}

/// Makes the server's nonce.
#[must_use]
pub fn issue_challenge(
    keyring: &Keyring,
    challenge: &ChallengeFor<'_>,
    random: [u8; RANDOM_LENGTH],
    now: Timestamp,
) -> Vec<u8> {
    let mut nonce = Vec::with_capacity(BODY_LENGTH + MAC_LENGTH);
    nonce.push(VERSION);
    nonce.extend_from_slice(&keyring.active_id().get().to_be_bytes());
    nonce.extend_from_slice(&now.as_micros().to_be_bytes());
    nonce.extend_from_slice(&random);
    let mac = keyring.active_key(KeyPurpose::ChallengeMac).mac();
    let tag = authenticated(mac, &nonce, challenge).finalize();
    nonce.extend_from_slice(&tag.into_bytes());
    nonce
}

/// Verifies the server's nonce; the time when it was issued.
///
/// # Errors
/// [`ChallengeError`].
pub fn open_challenge(
    keyring: &Keyring,
    challenge: &ChallengeFor<'_>,
    nonce: &[u8],
    now: Timestamp,
) -> Result<Timestamp, ChallengeError> {
    let (body, tag) = nonce
        .split_last_chunk::<MAC_LENGTH>()
        .filter(|(body, _)| body.len() == BODY_LENGTH)
        .ok_or(ChallengeError::NotAuthentic)?;
    let (head, rest) = body
        .split_first_chunk::<5>()
        .ok_or(ChallengeError::NotAuthentic)?;
    let [version, kek_id @ ..] = *head;
    let kek_id = KekId::new(u32::from_be_bytes(kek_id))
        .filter(|_| version == VERSION)
        .ok_or(ChallengeError::NotAuthentic)?;
    let key = keyring
        .key(kek_id, KeyPurpose::ChallengeMac)
        .ok_or(ChallengeError::KeyMissing { kek_id })?;
    authenticated(key.mac(), body, challenge)
        .verify_slice(tag)
        .map_err(|_| ChallengeError::NotAuthentic)?;
    let (issued, _) = rest
        .split_first_chunk::<8>()
        .ok_or(ChallengeError::NotAuthentic)?;
    let issued = Timestamp::from_micros(i64::from_be_bytes(*issued));
    // Another node's clock may be ahead of this one's.
    let lasts = issued.saturating_add(CHALLENGE_LIFE) >= now
        && now.saturating_add(CHALLENGE_LIFE) >= issued;
    if lasts {
        Ok(issued)
    } else {
        Err(ChallengeError::Expired)
    }
}

fn authenticated(mut mac: Hmac<Sha256>, body: &[u8], challenge: &ChallengeFor<'_>) -> Hmac<Sha256> {
    let address = challenge.address.ip().map(|ip| ip.to_string());
    let mut fields = Vec::with_capacity(192);
    push_field(&mut fields, body);
    push_field(&mut fields, challenge.access_key_id.as_bytes());
    push_field(&mut fields, challenge.client_nonce);
    push_optional(&mut fields, address.as_deref().map(str::as_bytes));
    mac.update(&fields);
    mac
}

#[cfg(test)]
mod tests {
    use super::super::keyring::tests::{SECOND, keyring};
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn address(text: &str) -> ClientAddress {
        ClientAddress::known(text.parse().unwrap())
    }

    fn challenge() -> ChallengeFor<'static> {
        ChallengeFor {
            access_key_id: "BKTYEXAMPLE",
            client_nonce: &[7; 32],
            address: address("192.0.2.1"),
        }
    }

    fn seconds(count: u64) -> Timestamp {
        NOW.saturating_add(Duration::from_secs(count))
    }

    #[test]
    fn it_lasts_sixty_seconds_either_way() {
        let nonce = issue_challenge(&keyring(1), &challenge(), [1; 16], seconds(100));
        let open = |now| open_challenge(&keyring(1), &challenge(), &nonce, now);
        for good in [40, 100, 160] {
            assert_eq!(open(seconds(good)), Ok(seconds(100)));
        }
        for bad in [39, 161] {
            assert_eq!(open(seconds(bad)), Err(ChallengeError::Expired));
        }
    }

    #[test]
    fn every_node_with_the_key_takes_it_and_no_other() {
        let nonce = issue_challenge(&keyring(1), &challenge(), [1; 16], NOW);
        // The other node has made another key active meanwhile.
        assert!(open_challenge(&keyring(2), &challenge(), &nonce, NOW).is_ok());
        let other = Keyring::parse(&format!("active = 1\n[keys]\n1 = \"{SECOND}\"")).unwrap();
        let refused = open_challenge(&other, &challenge(), &nonce, NOW);
        assert_eq!(refused, Err(ChallengeError::NotAuthentic));
    }

    #[test]
    fn it_is_bound_to_key_nonce_and_address() {
        let nonce = issue_challenge(&keyring(1), &challenge(), [1; 16], NOW);
        for other in [
            ChallengeFor {
                access_key_id: "BKTYEXAMPLF",
                ..challenge()
            },
            ChallengeFor {
                client_nonce: &[8; 32],
                ..challenge()
            },
            ChallengeFor {
                address: address("192.0.2.2"),
                ..challenge()
            },
            ChallengeFor {
                address: ClientAddress::UNKNOWN,
                ..challenge()
            },
        ] {
            let refused = open_challenge(&keyring(1), &other, &nonce, NOW);
            assert_eq!(refused, Err(ChallengeError::NotAuthentic), "{other:?}");
        }
    }

    #[test]
    fn no_changed_byte_is_taken() {
        let nonce = issue_challenge(&keyring(1), &challenge(), [1; 16], NOW);
        for position in 0..nonce.len() {
            let mut changed = nonce.clone();
            changed[position] ^= 1;
            assert!(open_challenge(&keyring(1), &challenge(), &changed, NOW).is_err());
        }
        for length in 0..nonce.len() {
            let short = open_challenge(&keyring(1), &challenge(), &nonce[..length], NOW);
            assert_eq!(short, Err(ChallengeError::NotAuthentic));
        }
    }
}
