use super::{edit, state};
use crate::Refusal;
use crate::conformance::make::refusal;
use crate::model::{KeyScope, KeyState, SealedSecret};
use crate::mutation::{
    CreateAccessKey, DeleteBucket, KeyEdit, Mutation, PurgeAccessKey, ResealAccessKey,
};
use crate::testing::{Fixture, T0, later, new_key};
use bucketry_domain::AccessKeyPk;

pub(crate) async fn are_found_after_their_making(fixture: &Fixture) {
    let (catalog, other) = (&fixture.catalog, &fixture.other);
    let change = new_key(catalog, KeyScope::Everything).await;
    // Asked for before it is there: that must not be remembered.
    assert_eq!(
        catalog.access_key(&change.access_key_id).await.unwrap(),
        None
    );
    assert_eq!(other.access_key_by_pk(change.pk).await.unwrap(), None);
    let key = catalog.make(change.clone()).await.unwrap();
    for node in [catalog, other] {
        assert_eq!(
            node.access_key(&change.access_key_id).await.unwrap(),
            Some(key.clone())
        );
        assert_eq!(
            node.access_key_by_pk(change.pk).await.unwrap(),
            Some(key.clone())
        );
    }
    assert_eq!(
        (key.version, key.epoch, key.state),
        (1, 1, KeyState::Active)
    );
    assert_eq!(
        (&key.secret, &key.allowed),
        (&change.secret, &change.allowed)
    );
    let same_id = CreateAccessKey {
        pk: AccessKeyPk(1 << 40),
        ..change
    };
    assert_eq!(refusal(other, same_id).await, Refusal::AccessKeyExists);
}

pub(crate) async fn are_edited_by_version(fixture: &Fixture) {
    let (catalog, other) = (&fixture.catalog, &fixture.other);
    let key = fixture.key(KeyScope::Account(fixture.account.id)).await;
    let rename = |name: &str| KeyEdit {
        name: Some(name.into()),
        ..KeyEdit::default()
    };
    let renamed = catalog
        .make(edit(key.pk, Some(1), rename("new")))
        .await
        .unwrap();
    assert_eq!(
        (renamed.name.as_str(), renamed.version, renamed.epoch),
        ("new", 2, 1)
    );
    assert_eq!(
        renamed.edited.as_ref().map(|stamp| stamp.by.as_str()),
        Some("editor")
    );
    let late = refusal(other, edit(key.pk, Some(1), rename("late"))).await;
    assert_eq!(
        late,
        Refusal::VersionMoved {
            pk: key.pk,
            version: 2
        }
    );
    assert_eq!(
        other.access_key(&key.access_key_id).await.unwrap(),
        Some(renamed)
    );
    let unknown = AccessKeyPk(1 << 40);
    assert_eq!(
        refusal(catalog, edit(unknown, None, rename("x"))).await,
        Refusal::AccessKeyNotFound(unknown)
    );
}

pub(crate) async fn move_their_epoch_when_it_matters(fixture: &Fixture) {
    let key = fixture.key(KeyScope::Everything).await;
    let network = vec!["192.0.2.0/24".parse().unwrap()];
    let edits = [
        (
            KeyEdit {
                name: Some("n".into()),
                ..KeyEdit::default()
            },
            1,
        ),
        (
            KeyEdit {
                allowed: Some(key.allowed.clone()),
                ..KeyEdit::default()
            },
            1,
        ),
        (
            KeyEdit {
                allowed: Some(network.clone()),
                ..KeyEdit::default()
            },
            2,
        ),
        (
            KeyEdit {
                disallowed: Some(network),
                ..KeyEdit::default()
            },
            3,
        ),
        (
            KeyEdit {
                expires: Some(Some(later(100))),
                ..KeyEdit::default()
            },
            4,
        ),
        (
            KeyEdit {
                expires: Some(None),
                ..KeyEdit::default()
            },
            5,
        ),
        (state(KeyState::Suspended), 6),
        (state(KeyState::Active), 7),
    ];
    for (position, (change, epoch)) in edits.into_iter().enumerate() {
        let after = fixture
            .catalog
            .make(edit(key.pk, None, change))
            .await
            .unwrap();
        assert_eq!((after.version, after.epoch), (position as i64 + 2, epoch));
    }
}

pub(crate) async fn stay_revoked(fixture: &Fixture) {
    let key = fixture.key(KeyScope::Everything).await;
    let revoked = fixture
        .catalog
        .make(edit(key.pk, None, state(KeyState::Revoked)))
        .await
        .unwrap();
    assert_eq!(
        revoked.revoked.as_ref().map(|stamp| stamp.at),
        Some(later(1))
    );
    assert!(!revoked.is_usable(T0));
    for after in [KeyState::Active, KeyState::Suspended, KeyState::Revoked] {
        assert_eq!(
            refusal(&fixture.other, edit(key.pk, None, state(after))).await,
            Refusal::AccessKeyRevoked(key.pk)
        );
    }
}

pub(crate) async fn are_purged_when_unusable(fixture: &Fixture) {
    let catalog = &fixture.catalog;
    let bucket = fixture.bucket("of-tokens").await;
    let (revoked, expiring, orphan) = (
        fixture.token(bucket.id).await,
        fixture.token(bucket.id).await,
        fixture.token(bucket.id).await,
    );
    let purge = |pk| Mutation::by_system(later(10), PurgeAccessKey { pk });
    for key in [&revoked, &expiring, &orphan] {
        assert_eq!(
            refusal(catalog, purge(key.pk)).await,
            Refusal::AccessKeyUsable(key.pk)
        );
    }
    catalog
        .make(edit(revoked.pk, None, state(KeyState::Revoked)))
        .await
        .unwrap();
    catalog.make(purge(revoked.pk)).await.unwrap();
    let expiry = KeyEdit {
        expires: Some(Some(later(10))),
        ..KeyEdit::default()
    };
    catalog.make(edit(expiring.pk, None, expiry)).await.unwrap();
    catalog.make(purge(expiring.pk)).await.unwrap();
    catalog
        .make(DeleteBucket { bucket: bucket.id })
        .await
        .unwrap();
    catalog.make(purge(orphan.pk)).await.unwrap();
    for key in [revoked, expiring, orphan] {
        assert_eq!(catalog.access_key(&key.access_key_id).await.unwrap(), None);
        assert_eq!(catalog.access_key_by_pk(key.pk).await.unwrap(), None);
        assert_eq!(
            refusal(catalog, purge(key.pk)).await,
            Refusal::AccessKeyNotFound(key.pk)
        );
    }
}

pub(crate) async fn are_resealed_unnoticed(fixture: &Fixture) {
    let sealed_by = async |kek_id| {
        let counts = fixture.other.sealed_secrets().await.unwrap();
        let of_key = counts.iter().find(|counted| counted.kek_id == kek_id);
        of_key.map(|counted| counted.count)
    };
    assert_eq!(sealed_by(1).await, None);
    let key = fixture.key(KeyScope::Everything).await;
    fixture.key(KeyScope::Everything).await;
    assert_eq!((sealed_by(1).await, sealed_by(2).await), (Some(2), None));
    let secret = SealedSecret {
        kek_id: 2,
        algorithm: 1,
        nonce: vec![3; 12],
        sealed: vec![4; 64],
    };
    let change = ResealAccessKey {
        pk: key.pk,
        if_kek: 1,
        secret: secret.clone(),
    };
    let sealed = fixture.catalog.make(change.clone()).await.unwrap();
    assert_eq!(
        (sealed.version, sealed.epoch, &sealed.secret),
        (1, 1, &secret)
    );
    assert_eq!((sealed_by(1).await, sealed_by(2).await), (Some(1), Some(1)));
    assert!(matches!(
        refusal(&fixture.other, change).await,
        Refusal::VersionMoved { .. }
    ));
}
