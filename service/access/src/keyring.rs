//! The keyring: the key-encryption keys that the operator keeps, and the purpose-bound keys derived from them.
//!
//! The text form, in a file or an environment variable, is TOML or (when it begins with `{`) JSON:
//!
//! ```toml
//! active = 1
//! [keys]
//! 1 = "64 hexadecimal digits, or 44 characters of base64"
//! ```
//!
//! New secrets are sealed with the active key; the others still open what they sealed. To rotate, add a key, make it
//! active, let everything be sealed again, then remove the old one.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _};
use serde::Deserialize;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::entropy::{EntropyError, random_bytes};

/// Length of a key-encryption key and of every derived key, in bytes.
const KEY_LENGTH: usize = 32;

/// The number of a key-encryption key, stored beside everything that it sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KekId(u32);

/// What a derived key is for. One key-encryption key gives each purpose a key of its own, so that a token made for one
/// purpose says nothing in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum KeyPurpose {
    /// Sealing secret keys at rest.
    TokenSeal,
    /// Authenticating caller sessions.
    SessionMac,
    /// Authenticating sign-in challenges.
    ChallengeMac,
    /// Authenticating page tokens.
    PageTokenMac,
    /// Sealing the canary that proves the right key is loaded.
    Canary,
}

impl KeyPurpose {
    /// The HKDF `info` and associated-data label. Stored data depend on it: never change one.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::TokenSeal => "bucketry/v1/token-seal",
            Self::SessionMac => "bucketry/v1/session-mac",
            Self::ChallengeMac => "bucketry/v1/challenge-mac",
            Self::PageTokenMac => "bucketry/v1/page-token-mac",
            Self::Canary => "bucketry/v1/canary",
        }
    }
}

/// A key derived for one purpose.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct DerivedKey([u8; KEY_LENGTH]);

impl DerivedKey {
    /// The key bytes.
    pub(super) fn expose(&self) -> &[u8; KEY_LENGTH] {
        &self.0
    }

    /// An HMAC-SHA256 under this key.
    pub(super) fn mac(&self) -> Hmac<Sha256> {
        // A key shorter than the block of 64 bytes is padded, so the infallible block constructor is the same function.
        let mut block = Zeroizing::new([0_u8; 64]);
        block[..KEY_LENGTH].copy_from_slice(&self.0);
        Hmac::<Sha256>::new((&*block).into())
    }
}

/// The keys derived from one key-encryption key.
struct DerivedKeys {
    token_seal: DerivedKey,
    session_mac: DerivedKey,
    challenge_mac: DerivedKey,
    page_token_mac: DerivedKey,
    canary: DerivedKey,
}

impl DerivedKeys {
    /// Fails only when more than 255 * 32 bytes are asked of HKDF: never, but a zero key must not stand in for it.
    fn derive(master: &[u8; KEY_LENGTH]) -> Result<Self, hkdf::InvalidLength> {
        let hkdf = Hkdf::<Sha256>::new(None, master);
        let derive = |purpose: KeyPurpose| {
            let mut key = DerivedKey([0; KEY_LENGTH]);
            hkdf.expand(purpose.label().as_bytes(), &mut key.0)
                .map(|()| key)
        };
        Ok(Self {
            token_seal: derive(KeyPurpose::TokenSeal)?,
            session_mac: derive(KeyPurpose::SessionMac)?,
            challenge_mac: derive(KeyPurpose::ChallengeMac)?,
            page_token_mac: derive(KeyPurpose::PageTokenMac)?,
            canary: derive(KeyPurpose::Canary)?,
        })
    }

    fn of(&self, purpose: KeyPurpose) -> &DerivedKey {
        match purpose {
            KeyPurpose::TokenSeal => &self.token_seal,
            KeyPurpose::SessionMac => &self.session_mac,
            KeyPurpose::ChallengeMac => &self.challenge_mac,
            KeyPurpose::PageTokenMac => &self.page_token_mac,
            KeyPurpose::Canary => &self.canary,
        }
    }
}

/// The loaded keyring. Cheap to clone; the keys are wiped when the last clone is dropped.
#[derive(Clone)]
pub struct Keyring {
    number: NonZeroU64,
    active_id: KekId,
    active: Arc<DerivedKeys>,
    keys: Arc<BTreeMap<KekId, Arc<DerivedKeys>>>,
}

/// Why a keyring text is refused. Holds positions and ids, never key material.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// Neither the TOML nor the JSON form.
    #[error(
        "the keyring is neither TOML nor JSON with `active` and `keys` (near byte {near_byte})"
    )]
    Syntax {
        /// Offset in bytes of the place where reading stopped; 0 when unknown.
        near_byte: usize,
    },
    /// A name under `keys` is no number from 1 to 4294967295.
    #[error("key {position} of the keyring is not named by a number from 1 to 4294967295")]
    KeyId {
        /// Place of the key in name order, from 1. The name is withheld: it may be a key put in the wrong place.
        position: usize,
    },
    /// A key is neither 64 hexadecimal digits nor base64 of 32 bytes.
    #[error("key {id} of the keyring is neither 64 hexadecimal digits nor base64 of 32 bytes")]
    KeyText {
        /// The key concerned.
        id: KekId,
    },
    /// A key whose bytes are all the same: a placeholder.
    #[error("key {id} of the keyring is a placeholder, not a random key")]
    Placeholder {
        /// The key concerned.
        id: KekId,
    },
    /// `active` names no key of `keys`.
    #[error("the active key {id} is not in the keyring")]
    ActiveMissing {
        /// The id that `active` names.
        id: KekId,
    },
}

/// The text form, read but not judged.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyringText {
    pub(super) active: u32,
    pub(super) keys: BTreeMap<String, String>,
}

impl Drop for KeyringText {
    fn drop(&mut self) {
        self.keys.values_mut().for_each(Zeroize::zeroize);
    }
}

impl Keyring {
    /// Makes the text of a new keyring with one random key, number 1.
    ///
    /// # Errors
    /// [`EntropyError`] when the operating system's generator fails.
    pub fn generate_text() -> Result<Zeroizing<String>, EntropyError> {
        Ok(Zeroizing::new(format!(
            "active = 1\n\n[keys]\n1 = \"{}\"\n",
            random_key_text()?.as_str()
        )))
    }

    /// Reads a keyring from its text.
    ///
    /// # Errors
    /// [`KeyringError`] names what is wrong without repeating key material.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let text = parse_text(text)?;
        let mut keys = BTreeMap::new();
        for (index, (name, key)) in text.keys.iter().enumerate() {
            let id = KekId::parse(name).ok_or(KeyringError::KeyId {
                position: index + 1,
            })?;
            let master = decode_key(key).ok_or(KeyringError::KeyText { id })?;
            if master.iter().all(|&byte| Some(&byte) == master.first()) {
                return Err(KeyringError::Placeholder { id });
            }
            let derived = DerivedKeys::derive(&master).map_err(|_| KeyringError::KeyText { id })?;
            keys.insert(id, Arc::new(derived));
        }
        let active_id = KekId(text.active);
        let active = keys
            .get(&active_id)
            .map(Arc::clone)
            .ok_or(KeyringError::ActiveMissing { id: active_id })?;
        Ok(Self {
            number: next_number(),
            active_id,
            active,
            keys: Arc::new(keys),
        })
    }

    /// The number of this keyring in this process: one that is read again has another.
    pub(super) fn number(&self) -> NonZeroU64 {
        self.number
    }

    /// The key that seals from now on.
    #[must_use]
    pub fn active_id(&self) -> KekId {
        self.active_id
    }

    /// All keys that can open, in ascending order.
    pub fn ids(&self) -> impl Iterator<Item = KekId> + '_ {
        self.keys.keys().copied()
    }

    /// Whether the key is there.
    #[must_use]
    pub fn has(&self, id: KekId) -> bool {
        self.keys.contains_key(&id)
    }

    pub(super) fn active_key(&self, purpose: KeyPurpose) -> &DerivedKey {
        self.active.of(purpose)
    }

    pub(super) fn key(&self, id: KekId, purpose: KeyPurpose) -> Option<&DerivedKey> {
        self.keys.get(&id).map(|keys| keys.of(purpose))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("active", &self.active_id)
            .field("ids", &self.keys.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl KekId {
    /// The id of the key in a keyring that was made here.
    pub const FIRST: Self = Self(1);

    /// The id with this number; none for 0.
    #[must_use]
    pub fn new(number: u32) -> Option<Self> {
        (number != 0).then_some(Self(number))
    }

    /// The number, as stored.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }

    /// The id that a text names: a number from 1 to 4294967295 without leading zeros.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
        if plain {
            text.parse().ok().and_then(Self::new)
        } else {
            None
        }
    }
}

impl fmt::Display for KekId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn next_number() -> NonZeroU64 {
    static BEFORE: AtomicU64 = AtomicU64::new(0);
    NonZeroU64::MIN.saturating_add(BEFORE.fetch_add(1, Ordering::Relaxed))
}

/// The text of a new random key.
pub(super) fn random_key_text() -> Result<Zeroizing<String>, EntropyError> {
    let key = Zeroizing::new(random_bytes::<KEY_LENGTH>()?);
    Ok(Zeroizing::new(hex::encode(*key)))
}

/// Both parsers' own messages quote the input, which here is key material: only the position is kept.
pub(super) fn parse_text(text: &str) -> Result<KeyringText, KeyringError> {
    if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| {
            let lines_before = text
                .split_inclusive('\n')
                .take(error.line().saturating_sub(1));
            KeyringError::Syntax {
                near_byte: lines_before.map(str::len).sum::<usize>() + error.column(),
            }
        })
    } else {
        toml::from_str(text).map_err(|error| KeyringError::Syntax {
            near_byte: error.span().map_or(0, |span| span.start),
        })
    }
}

fn decode_key(text: &str) -> Option<Zeroizing<[u8; KEY_LENGTH]>> {
    let mut key = Zeroizing::new([0_u8; KEY_LENGTH]);
    if text.len() == 2 * KEY_LENGTH {
        hex::decode_to_slice(text, key.as_mut_slice()).ok()?;
        return Some(key);
    }
    let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
    if bytes.len() != KEY_LENGTH {
        return None;
    }
    key.copy_from_slice(&bytes);
    Some(key)
}

#[cfg(test)]
pub(super) mod tests;
