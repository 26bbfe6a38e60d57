//! Sealing secret keys at rest: AES-256-GCM under the keyring, bound to the row that holds them.

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _};
use zeroize::Zeroizing;

use super::entropy::{EntropyError, random_bytes};
use super::fields::{push_field, push_optional};
use super::keyring::{DerivedKey, KekId, KeyPurpose, Keyring};
use super::secret::SecretKey;
use crate::catalog::model::{AccessKey, KeyScope, SealedSecret};
use crate::domain::{AccessKeyId, AccessKeyPk};

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
mod tests {
    use proptest::prelude::*;

    use super::super::keyring::tests::{FIRST, SECOND, keyring};
    use super::*;
    use crate::domain::{AccountId, BucketId, Permission};

    fn secret() -> SecretKey {
        SecretKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()).unwrap()
    }

    fn id(text: &str) -> AccessKeyId {
        text.parse().unwrap()
    }

    fn token(bucket: i64, permission: Permission) -> KeyScope {
        KeyScope::Bucket {
            account: AccountId(1),
            bucket: BucketId(bucket),
            permission,
        }
    }

    #[test]
    fn opens_in_its_own_row_only() {
        let ring = keyring(1);
        let (mine, other) = (id("BKTY0000000000000001"), id("BKTY0000000000000002"));
        let scope = token(5, Permission::ReadOnly);
        let binding = SealBinding {
            pk: AccessKeyPk(1),
            access_key_id: &mine,
            scope,
        };
        let sealed = seal_secret(&ring, &binding, &secret()).unwrap();
        assert!(
            open_secret(&ring, &binding, &sealed)
                .unwrap()
                .matches(secret().expose())
        );
        for elsewhere in [
            SealBinding {
                pk: AccessKeyPk(2),
                ..binding
            },
            SealBinding {
                access_key_id: &other,
                ..binding
            },
            SealBinding {
                scope: token(6, Permission::ReadOnly),
                ..binding
            },
            SealBinding {
                scope: token(5, Permission::ReadWrite),
                ..binding
            },
            SealBinding {
                scope: KeyScope::Account(AccountId(5)),
                ..binding
            },
            SealBinding {
                scope: KeyScope::Everything,
                ..binding
            },
            SealBinding {
                scope: KeyScope::Edge,
                ..binding
            },
        ] {
            let refused = open_secret(&ring, &elsewhere, &sealed).err();
            assert_eq!(
                refused,
                Some(OpenError::NotAuthentic {
                    kek_id: ring.active_id()
                }),
                "{elsewhere:?}"
            );
        }
    }

    #[test]
    fn an_edge_key_is_never_opened_as_an_operators() {
        let ring = keyring(1);
        let key_id = id("BKTY0000000000000001");
        let binding = |scope| SealBinding {
            pk: AccessKeyPk(1),
            access_key_id: &key_id,
            scope,
        };
        let scopes = [KeyScope::Edge, KeyScope::Everything];
        for (made, opened) in [(scopes[0], scopes[1]), (scopes[1], scopes[0])] {
            let sealed = seal_secret(&ring, &binding(made), &secret()).unwrap();
            assert!(open_secret(&ring, &binding(made), &sealed).is_ok());
            assert!(open_secret(&ring, &binding(opened), &sealed).is_err());
        }
    }

    #[test]
    fn old_keys_open_after_rotation_and_a_lost_key_is_told_apart() {
        let key_id = id("BKTY0000000000000001");
        let binding = SealBinding {
            pk: AccessKeyPk(1),
            access_key_id: &key_id,
            scope: KeyScope::Everything,
        };
        let sealed = seal_secret(&keyring(1), &binding, &secret()).unwrap();
        assert!(open_secret(&keyring(2), &binding, &sealed).is_ok());
        let without = Keyring::parse(&format!("active = 2\n[keys]\n2 = \"{SECOND}\"")).unwrap();
        assert_eq!(
            open_secret(&without, &binding, &sealed).err(),
            Some(OpenError::KeyMissing {
                kek_id: sealed.kek_id
            })
        );
        let relabelled = Sealed {
            kek_id: KekId::new(2).unwrap(),
            ..sealed
        };
        assert!(matches!(
            open_secret(&keyring(1), &binding, &relabelled),
            Err(OpenError::NotAuthentic { .. })
        ));
    }

    #[test]
    fn canary_proves_key_and_store() {
        let sealed = seal_canary(&keyring(1), KekId::new(1).unwrap(), b"store-a").unwrap();
        assert_eq!(verify_canary(&keyring(2), b"store-a", &sealed), Ok(()));
        let kek_id = sealed.kek_id;
        assert_eq!(
            verify_canary(&keyring(1), b"store-b", &sealed),
            Err(OpenError::NotAuthentic { kek_id })
        );
        let swapped = Keyring::parse(&format!(
            "active = 1\n[keys]\n1 = \"{SECOND}\"\n2 = \"{FIRST}\""
        ))
        .unwrap();
        assert_eq!(
            verify_canary(&swapped, b"store-a", &sealed),
            Err(OpenError::NotAuthentic { kek_id })
        );
    }

    #[test]
    fn a_key_has_its_canary_while_another_is_active() {
        let second = KekId::new(2).unwrap();
        let sealed = seal_canary(&keyring(1), second, b"store").unwrap();
        assert_eq!(sealed.kek_id, second);
        assert_eq!(verify_canary(&keyring(2), b"store", &sealed), Ok(()));
        let third = KekId::new(3).unwrap();
        assert_eq!(
            seal_canary(&keyring(1), third, b"store"),
            Err(SealError::KeyMissing { kek_id: third })
        );
    }

    #[test]
    fn the_same_secret_seals_differently_and_shows_nowhere() {
        let key_id = id("BKTY0000000000000001");
        let binding = SealBinding {
            pk: AccessKeyPk(1),
            access_key_id: &key_id,
            scope: KeyScope::Everything,
        };
        let [first, second] =
            [(); 2].map(|()| seal_secret(&keyring(1), &binding, &secret()).unwrap());
        assert_ne!(first.nonce, second.nonce);
        assert_ne!(first.ciphertext, second.ciphertext);
        assert_eq!(first.ciphertext.len(), secret().expose().len() + 16);
        let plain = secret().expose().as_bytes().to_vec();
        assert!(
            !first
                .ciphertext
                .windows(8)
                .any(|window| plain.windows(8).any(|part| part == window))
        );
    }

    #[test]
    fn the_stored_form_is_read_back_and_odd_forms_are_told() {
        let sealed = seal_canary(&keyring(2), KekId::new(2).unwrap(), b"store").unwrap();
        let stored = SealedSecret::from(sealed.clone());
        assert_eq!(Sealed::try_from(&stored), Ok(sealed));
        for odd in [
            SealedSecret {
                kek_id: 0,
                ..stored.clone()
            },
            SealedSecret {
                kek_id: -1,
                ..stored.clone()
            },
            SealedSecret {
                algorithm: 2,
                ..stored.clone()
            },
            SealedSecret {
                nonce: vec![0; 11],
                ..stored.clone()
            },
        ] {
            assert_eq!(Sealed::try_from(&odd), Err(OpenError::UnknownForm));
        }
    }

    proptest! {
        #[test]
        fn any_changed_bit_is_refused(position in 0_usize..68, bit in 0_u8..8) {
            let key_id = id("BKTY0000000000000001");
            let binding = SealBinding { pk: AccessKeyPk(1), access_key_id: &key_id, scope: KeyScope::Everything };
            let mut sealed = seal_secret(&keyring(1), &binding, &secret()).unwrap();
            match position.checked_sub(NONCE_LENGTH) {
                None => sealed.nonce[position] ^= 1 << bit,
                Some(position) => sealed.ciphertext[position] ^= 1 << bit,
            }
            prop_assert!(open_secret(&keyring(1), &binding, &sealed).is_err());
        }
    }
}
