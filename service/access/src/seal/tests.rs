use proptest::prelude::*;

use super::super::keyring::tests::{FIRST, SECOND, keyring};
use super::*;
use bucketry_catalog::model::{KeyLimits, KeyState, SealCheck, Stamp};
use bucketry_domain::{AccountId, BucketId, Permission, Timestamp};

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
    let [first, second] = [(); 2].map(|()| seal_secret(&keyring(1), &binding, &secret()).unwrap());
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

fn row(scope: KeyScope) -> AccessKey {
    AccessKey {
        pk: AccessKeyPk(1),
        access_key_id: id("BKTY0000000000000001"),
        scope,
        name: "a key".to_owned(),
        allowed: Vec::new(),
        disallowed: Vec::new(),
        state: KeyState::Active,
        expires: None,
        limits: KeyLimits::default(),
        version: 1,
        epoch: 1,
        secret: SealedSecret {
            kek_id: 1,
            algorithm: 1,
            nonce: Vec::new(),
            sealed: Vec::new(),
        },
        seal_check: SealCheck::default(),
        created: Stamp {
            at: Timestamp::EPOCH,
            by: "test".to_owned(),
        },
        edited: None,
        revoked: None,
    }
}

#[test]
fn a_row_is_checked_once_per_keyring() {
    let ring = keyring(1);
    let bare = row(token(5, Permission::ReadOnly));
    let sealed = AccessKey {
        secret: seal_row(&ring, &bare, &secret()).unwrap().into(),
        ..bare
    };
    assert!(!sealed.seal_check.is_under(ring.number()));
    for _ in 0..2 {
        assert_eq!(check_row(&ring, &sealed), Ok(()));
        assert!(sealed.seal_check.is_under(ring.number()));
    }
    // The same text read again may have been proved for another store: the row is checked again.
    let again = keyring(1);
    assert!(!sealed.seal_check.is_under(again.number()));
    assert_eq!(check_row(&again, &sealed), Ok(()));
}

#[test]
fn a_changed_copy_of_a_checked_row_is_refused() {
    let ring = keyring(1);
    let bare = row(token(5, Permission::ReadOnly));
    let sealed = AccessKey {
        secret: seal_row(&ring, &bare, &secret()).unwrap().into(),
        ..bare
    };
    check_row(&ring, &sealed).unwrap();
    let copy = sealed.clone();
    assert_eq!(copy, sealed);
    let changed = AccessKey {
        scope: token(6, Permission::ReadOnly),
        ..copy
    };
    let refused = check_row(&ring, &changed);
    assert!(matches!(refused, Err(OpenError::NotAuthentic { .. })));
    assert!(!changed.seal_check.is_under(ring.number()));
}
