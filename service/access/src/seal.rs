//! Sealing secret keys at rest: AES-256-GCM under the keyring, bound to the row that holds them.

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _};
use zeroize::Zeroizing;

use super::entropy::{EntropyError, random_bytes};
use super::fields::{push_field, push_optional};
use super::keyring::{DerivedKey, KekId, KeyPurpose, Keyring};
use super::secret::SecretKey;
use bucketry_catalog::model::{AccessKey, KeyScope, SealedSecret};
use bucketry_domain::{AccessKeyId, AccessKeyPk};

/// Length of a nonce in bytes. Random 96-bit nonces are safe far below 2^32 seals per key; a store has one per token.
pub const NONCE_LENGTH: usize = 12;

const CANARY: &[u8] = b"bucketry canary";

/// How something was sealed. The number is stored: never change one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealAlgorithm {
    /// AES-256-GCM with a random 96-bit nonce and a 128-bit tag after the ciphertext.
    Aes256Gcm = 1,
}

/// Something sealed, as stored. Holds nothing secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The key-encryption key that it was sealed under.
    pub kek_id: KekId,
    /// How.
    pub algorithm: SealAlgorithm,
    /// The nonce.
    pub nonce: [u8; NONCE_LENGTH],
    /// Ciphertext and tag.
    pub ciphertext: Vec<u8>,
}

/// The row that a sealed secret belongs to. Everything here is immutable for the life of the row; the seal does not
/// open in another row, nor after one of these was changed.
#[derive(Debug, Clone, Copy)]
pub struct SealBinding<'a> {
    /// The row's own number.
    pub pk: AccessKeyPk,
    /// The public id.
    pub access_key_id: &'a AccessKeyId,
    /// How far the key reaches: bucket id and permission of a token.
    pub scope: KeyScope,
}

/// Why something sealed does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The keyring lacks the key: an operator's fault, to be answered as unavailable and never as a wrong key.
    #[error("the keyring has no key {kek_id}")]
    KeyMissing {
        /// The key that is needed.
        kek_id: KekId,
    },
    /// The stored form is not one that was ever written: unknown key number, algorithm or nonce length.
    #[error("sealed data have an unknown form")]
    UnknownForm,
    /// Sealed under other key bytes, for another row, or changed since.
    #[error("sealed data under key {kek_id} were changed or belong elsewhere")]
    NotAuthentic {
        /// The key that it claims to be sealed under.
        kek_id: KekId,
    },
}

/// Why something could not be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// No randomness for a nonce.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The keyring lacks the key to seal under.
    #[error("the keyring has no key {kek_id}")]
    KeyMissing {
        /// The key that is needed.
        kek_id: KekId,
    },
    /// The cipher refused: only beyond 64 GiB.
    #[error("the cipher refused the data")]
    Refused,
}

impl SealAlgorithm {
    /// The stored number.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The algorithm of a stored number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        (number == Self::Aes256Gcm.number()).then_some(Self::Aes256Gcm)
    }
}

impl From<Sealed> for SealedSecret {
    fn from(sealed: Sealed) -> Self {
        Self {
            kek_id: sealed.kek_id.get().into(),
            algorithm: sealed.algorithm.number().into(),
            nonce: sealed.nonce.to_vec(),
            sealed: sealed.ciphertext,
        }
    }
}

impl TryFrom<&SealedSecret> for Sealed {
    type Error = OpenError;

    fn try_from(stored: &SealedSecret) -> Result<Self, OpenError> {
        let read = || {
            Some(Self {
                kek_id: KekId::new(stored.kek_id.try_into().ok()?)?,
                algorithm: SealAlgorithm::from_number(stored.algorithm.try_into().ok()?)?,
                nonce: stored.nonce.as_slice().try_into().ok()?,
                ciphertext: stored.sealed.clone(),
            })
        };
        read().ok_or(OpenError::UnknownForm)
    }
}

/// Seals a secret for its row under the keyring's active key.
///
/// # Errors
/// [`SealError`] when the operating system gives no randomness.
pub fn seal_secret(
    keyring: &Keyring,
    binding: &SealBinding<'_>,
    secret: &SecretKey,
) -> Result<Sealed, SealError> {
    seal(
        keyring,
        keyring.active_id(),
        KeyPurpose::TokenSeal,
        &binding.fields(),
        secret.expose().as_bytes(),
    )
}

/// Opens a row's secret.
///
/// # Errors
/// [`OpenError::KeyMissing`] without the key, [`OpenError::NotAuthentic`] for everything that is not exactly what was
/// sealed for this row.
pub fn open_secret(
    keyring: &Keyring,
    binding: &SealBinding<'_>,
    sealed: &Sealed,
) -> Result<SecretKey, OpenError> {
    let opened = open(keyring, KeyPurpose::TokenSeal, &binding.fields(), sealed)?;
    let not_authentic = OpenError::NotAuthentic {
        kek_id: sealed.kek_id,
    };
    let text = std::str::from_utf8(&opened).map_err(|_| not_authentic)?;
    SecretKey::parse(text.to_owned()).map_err(|_| not_authentic)
}

/// Opens the secret of a row as it was read: what it reaches is thereby proved to be what it was made for.
///
/// # Errors
/// As [`open_secret`], and [`OpenError::UnknownForm`].
pub fn open_row(keyring: &Keyring, row: &AccessKey) -> Result<SecretKey, OpenError> {
    open_secret(keyring, &row.into(), &(&row.secret).try_into()?)
}

/// Proves that a row reaches what it was made for, as [`open_row`] does, but only once for a row in memory and a keyring.
///
/// # Errors
/// As [`open_row`].
pub fn check_row(keyring: &Keyring, row: &AccessKey) -> Result<(), OpenError> {
    if row.seal_check.is_under(keyring.number()) {
        return Ok(());
    }
    open_row(keyring, row)?;
    row.seal_check.record(keyring.number());
    Ok(())
}

/// Seals a secret for a row that is there already.
///
/// # Errors
/// As [`seal_secret`].
pub fn seal_row(
    keyring: &Keyring,
    row: &AccessKey,
    secret: &SecretKey,
) -> Result<Sealed, SealError> {
    seal_secret(keyring, &row.into(), secret)
}

/// Seals the canary of a key and a store. Stored once per key, it proves whenever a keyring is loaded that the key's
/// bytes are the right ones.
///
/// # Errors
/// [`SealError::KeyMissing`] when the keyring lacks the key, or when the operating system gives no randomness.
pub fn seal_canary(keyring: &Keyring, kek_id: KekId, store_id: &[u8]) -> Result<Sealed, SealError> {
    seal(keyring, kek_id, KeyPurpose::Canary, store_id, CANARY)
}

/// Verifies a store's canary.
///
/// # Errors
/// [`OpenError`] when the key is missing or is not the one that this store was sealed with.
pub fn verify_canary(keyring: &Keyring, store_id: &[u8], sealed: &Sealed) -> Result<(), OpenError> {
    let opened = open(keyring, KeyPurpose::Canary, store_id, sealed)?;
    if opened.as_slice() == CANARY {
        Ok(())
    } else {
        Err(OpenError::NotAuthentic {
            kek_id: sealed.kek_id,
        })
    }
}

impl<'a> From<&'a AccessKey> for SealBinding<'a> {
    fn from(row: &'a AccessKey) -> Self {
        Self {
            pk: row.pk,
            access_key_id: &row.access_key_id,
            scope: row.scope,
        }
    }
}

impl SealBinding<'_> {
    fn fields(&self) -> Vec<u8> {
        let (account, bucket, permission) = match self.scope {
            KeyScope::Everything => (None, None, None),
            KeyScope::Account(account) => (Some(account.0.to_be_bytes()), None, None),
            KeyScope::Bucket {
                account,
                bucket,
                permission,
            } => (
                Some(account.0.to_be_bytes()),
                Some(bucket.0.to_be_bytes()),
                Some(permission.as_str().as_bytes()),
            ),
            // The word is no permission, so that an edge key cannot be made an operator's by an edit of its row.
            KeyScope::Edge => (None, None, Some(&b"edge"[..])),
        };
        let mut fields = Vec::with_capacity(128);
        push_field(&mut fields, &self.pk.0.to_be_bytes());
        push_field(&mut fields, self.access_key_id.as_str().as_bytes());
        push_optional(&mut fields, account.as_ref().map(<[u8; 8]>::as_slice));
        push_optional(&mut fields, bucket.as_ref().map(<[u8; 8]>::as_slice));
        push_optional(&mut fields, permission);
        fields
    }
}

fn associated_data(
    purpose: KeyPurpose,
    fields: &[u8],
    kek_id: KekId,
    algorithm: SealAlgorithm,
) -> Vec<u8> {
    let mut data = Vec::with_capacity(fields.len() + 64);
    push_field(&mut data, purpose.label().as_bytes());
    push_field(&mut data, fields);
    push_field(&mut data, &kek_id.get().to_be_bytes());
    push_field(&mut data, &[algorithm.number()]);
    data
}

fn cipher(key: &DerivedKey) -> Aes256Gcm {
    Aes256Gcm::new(key.expose().into())
}

fn seal(
    keyring: &Keyring,
    kek_id: KekId,
    purpose: KeyPurpose,
    fields: &[u8],
    plaintext: &[u8],
) -> Result<Sealed, SealError> {
    let key = keyring
        .key(kek_id, purpose)
        .ok_or(SealError::KeyMissing { kek_id })?;
    let algorithm = SealAlgorithm::Aes256Gcm;
    let nonce = random_bytes::<NONCE_LENGTH>()?;
    let aad = associated_data(purpose, fields, kek_id, algorithm);
    let ciphertext = cipher(key)
        .encrypt(
            (&nonce).into(),
            Payload {
                msg: plaintext,
                aad: &aad,
            },
        )
        .map_err(|_| SealError::Refused)?;
    Ok(Sealed {
        kek_id,
        algorithm,
        nonce,
        ciphertext,
    })
}

fn open(
    keyring: &Keyring,
    purpose: KeyPurpose,
    fields: &[u8],
    sealed: &Sealed,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let kek_id = sealed.kek_id;
    let key = keyring
        .key(kek_id, purpose)
        .ok_or(OpenError::KeyMissing { kek_id })?;
    let aad = associated_data(purpose, fields, kek_id, sealed.algorithm);
    // The allocating interface: no buffer of ours ever holds unauthenticated plaintext.
    cipher(key)
        .decrypt(
            (&sealed.nonce).into(),
            Payload {
                msg: &sealed.ciphertext,
                aad: &aad,
            },
        )
        .map(Zeroizing::new)
        .map_err(|_| OpenError::NotAuthentic { kek_id })
}

#[cfg(test)]
mod tests;
