use super::make::refusal;
use crate::model::{AuditEntry, KeyScope, KeyState, SealedSecret};
use crate::mutation::{
    AppendAudit, DeleteBucket, DeleteObject, Guard, KeyEdit, Mutation, Preconditions,
    PurgeAccessKey, ResealAccessKey, UpdateAccessKey,
};
use crate::query::{KeysOf, ListAccessKeys, ListAudit, More};
use crate::testing::{Fixture, T0, later, new_key, put};
use crate::{CatalogError, Refusal};
use bucketry_domain::{AccessKeyPk, AccountId};

fn edit(pk: AccessKeyPk, if_version: Option<i64>, edit: KeyEdit) -> Mutation<UpdateAccessKey> {
    let change = UpdateAccessKey {
        pk,
        if_version,
        edit,
        by: "editor".into(),
    };
    Mutation::by_system(later(1), change)
}

fn state(state: KeyState) -> KeyEdit {
    KeyEdit {
        state: Some(state),
        ..KeyEdit::default()
    }
}

pub(super) async fn are_found_after_their_making(fixture: &Fixture) {
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
    let same_id = crate::mutation::CreateAccessKey {
        pk: AccessKeyPk(1 << 40),
        ..change
    };
    assert_eq!(refusal(other, same_id).await, Refusal::AccessKeyExists);
}

pub(super) async fn are_edited_by_version(fixture: &Fixture) {
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

pub(super) async fn move_their_epoch_when_it_matters(fixture: &Fixture) {
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

pub(super) async fn stay_revoked(fixture: &Fixture) {
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

pub(super) async fn are_purged_when_unusable(fixture: &Fixture) {
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

pub(super) async fn are_listed_in_pages(fixture: &Fixture) {
    let bucket = fixture.bucket("of-tokens").await;
    let operator = fixture.key(KeyScope::Everything).await;
    let mut tokens = Vec::new();
    for _ in 0..5 {
        tokens.push(fixture.token(bucket.id).await);
    }
    let list = |of, after, max| ListAccessKeys { of, after, max };
    let first = fixture
        .catalog
        .list_access_keys(&list(KeysOf::Bucket(bucket.id), None, 3))
        .await
        .unwrap();
    assert_eq!(
        (first.items.as_slice(), first.more),
        (&tokens[..3], More::Yes)
    );
    let rest = list(KeysOf::Bucket(bucket.id), Some(tokens[2].pk), 3);
    let rest = fixture.catalog.list_access_keys(&rest).await.unwrap();
    assert_eq!((rest.items.as_slice(), rest.more), (&tokens[3..], More::No));
    let count = async |of| {
        fixture
            .catalog
            .list_access_keys(&list(of, None, 100))
            .await
            .unwrap()
            .items
            .len()
    };
    assert_eq!(count(KeysOf::Account(fixture.account.id)).await, 5);
    assert_eq!(count(KeysOf::Everyone).await, 6);
    assert_eq!(count(KeysOf::Kek(1)).await, 6);
    let operators = fixture
        .catalog
        .list_access_keys(&list(KeysOf::Operators, None, 100))
        .await
        .unwrap();
    assert_eq!(operators.items, [operator]);
    fixture.key(KeyScope::Account(fixture.account.id)).await;
    let edge = fixture.key(KeyScope::Edge).await;
    assert_eq!(count(KeysOf::Administrators).await, 3);
    assert_eq!(count(KeysOf::Operators).await, 1);
    let found = fixture
        .catalog
        .access_key(&edge.access_key_id)
        .await
        .unwrap();
    assert_eq!(found, Some(edge));
}

pub(super) async fn of_buckets_that_are_gone_are_listed(fixture: &Fixture) {
    let catalog = &fixture.catalog;
    let (gone, there) = (fixture.bucket("gone").await, fixture.bucket("there").await);
    let orphans = [fixture.token(gone.id).await, fixture.token(gone.id).await];
    fixture.token(there.id).await;
    fixture.key(KeyScope::Account(fixture.account.id)).await;
    let list = async |account, after, max| {
        let of = KeysOf::Orphaned(account);
        let list = ListAccessKeys { of, after, max };
        fixture.other.list_access_keys(&list).await.unwrap()
    };
    assert!(list(None, None, 10).await.items.is_empty());
    catalog
        .make(DeleteBucket { bucket: gone.id })
        .await
        .unwrap();
    // A new bucket of the old name has nothing to do with them.
    let again = fixture.bucket("gone").await;
    fixture.token(again.id).await;
    for account in [None, Some(fixture.account.id)] {
        assert_eq!(list(account, None, 10).await.items, orphans);
        let first = list(account, None, 1).await;
        assert_eq!(
            (first.items.as_slice(), first.more),
            (&orphans[..1], More::Yes)
        );
        let rest = list(account, Some(orphans[0].pk), 1).await;
        assert_eq!(
            (rest.items.as_slice(), rest.more),
            (&orphans[1..], More::No)
        );
    }
    let stranger = Some(AccountId(1 << 40));
    assert!(list(stranger, None, 10).await.items.is_empty());
}

pub(super) async fn are_resealed_unnoticed(fixture: &Fixture) {
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

fn of<C>(caller: Guard, change: C, audit: Vec<AuditEntry>) -> Mutation<C> {
    Mutation {
        caller,
        policy: None,
        at: T0,
        change,
        audit,
    }
}

/// What administrators do to keys is bound to their own keys, and leaves no record when it is not done.
pub(super) async fn guard_what_administrators_do(fixture: &Fixture) {
    let (catalog, other) = (&fixture.catalog, &fixture.other);
    let administrator = fixture.key(KeyScope::Everything).await;
    let by = |epoch| Guard::Key {
        pk: administrator.pk,
        epoch,
        account: None,
    };
    let record = |action: &str| {
        vec![AuditEntry {
            action: action.into(),
            at: T0,
            actor: "administrator".into(),
            address: None,
            account: None,
            bucket: None,
            access_key: None,
            request_id: String::new(),
            details: "{}".into(),
        }]
    };
    let made = new_key(catalog, KeyScope::Everything).await;
    let done = catalog.submit(of(by(1), made, record("made"))).await;
    let made = done.unwrap();
    let suspend = edit(administrator.pk, None, state(KeyState::Suspended));
    catalog.make(suspend).await.unwrap();

    let not_active = CatalogError::Refused(Refusal::KeyNotActive {
        pk: administrator.pk,
        state: Some(KeyState::Suspended),
    });
    let not_active = format!("{not_active:?}");
    for node in [catalog, other] {
        let late = new_key(node, KeyScope::Everything).await;
        let refused = node.submit(of(by(2), late.clone(), record("late")));
        assert_eq!(format!("{:?}", refused.await.unwrap_err()), not_active);
        assert_eq!(node.access_key_by_pk(late.pk).await.unwrap(), None);
        let rename = edit(
            made.pk,
            None,
            KeyEdit {
                name: Some("late".into()),
                ..KeyEdit::default()
            },
        );
        let refused = node.submit(of(by(2), rename.change, record("late")));
        assert_eq!(format!("{:?}", refused.await.unwrap_err()), not_active);
        let refused = node.submit(of(by(2), AppendAudit, record("late")));
        assert_eq!(format!("{:?}", refused.await.unwrap_err()), not_active);
    }
    let resume = edit(administrator.pk, None, state(KeyState::Active));
    catalog.make(resume).await.unwrap();
    let moved = other.submit(of(by(2), AppendAudit, record("late")));
    let refused = format!("{:?}", moved.await.unwrap_err());
    assert!(refused.contains("EpochMoved"), "{refused}");
    other
        .submit(of(by(3), AppendAudit, record("again")))
        .await
        .unwrap();
    let list = ListAudit {
        max: 100,
        ..ListAudit::default()
    };
    let page = catalog.list_audit(&list).await.unwrap();
    let mut actions: Vec<String> = (page.items.into_iter())
        .map(|record| record.entry.action)
        .collect();
    actions.retain(|action| ["made", "late", "again"].contains(&action.as_str()));
    actions.sort();
    assert_eq!(actions, ["again", "made"]);
}

pub(super) async fn guard_every_write(fixture: &Fixture) {
    let (catalog, other) = (&fixture.catalog, &fixture.other);
    let bucket = fixture.bucket("guarded").await;
    let key = fixture.token(bucket.id).await;
    let by = |epoch| Guard::Key {
        pk: key.pk,
        epoch,
        account: key.scope.account(),
    };
    let put = |epoch, at| Mutation {
        at,
        ..of(by(epoch), put(bucket.id, "k", b"x"), Vec::new())
    };
    catalog.make(put(1, T0)).await.unwrap();

    let expiry = KeyEdit {
        expires: Some(Some(later(50))),
        ..KeyEdit::default()
    };
    catalog.make(edit(key.pk, None, expiry)).await.unwrap();
    assert_eq!(
        refusal(other, put(1, T0)).await,
        Refusal::EpochMoved {
            pk: key.pk,
            epoch: 2
        }
    );
    other.make(put(2, later(49))).await.unwrap();
    let expired = Refusal::KeyNotActive {
        pk: key.pk,
        state: Some(KeyState::Active),
    };
    assert_eq!(refusal(other, put(2, later(50))).await, expired);

    catalog
        .make(edit(key.pk, None, state(KeyState::Suspended)))
        .await
        .unwrap();
    let suspended = Refusal::KeyNotActive {
        pk: key.pk,
        state: Some(KeyState::Suspended),
    };
    assert_eq!(refusal(other, put(3, T0)).await, suspended);
    let delete = DeleteObject {
        bucket: bucket.id,
        key: crate::testing::key("k"),
        preconditions: Preconditions::default(),
    };
    let delete = of(by(3), delete, Vec::new());
    assert_eq!(refusal(other, delete).await, suspended);
    catalog
        .make(edit(key.pk, None, state(KeyState::Active)))
        .await
        .unwrap();
    other.make(put(4, T0)).await.unwrap();
    catalog
        .make(edit(key.pk, None, state(KeyState::Revoked)))
        .await
        .unwrap();
    let revoked = Refusal::KeyNotActive {
        pk: key.pk,
        state: Some(KeyState::Revoked),
    };
    assert_eq!(refusal(other, put(5, T0)).await, revoked);

    let unknown = AccessKeyPk(1 << 40);
    let stranger = Mutation {
        caller: Guard::Key {
            pk: unknown,
            epoch: 1,
            account: None,
        },
        ..put(1, T0)
    };
    assert_eq!(
        refusal(catalog, stranger).await,
        Refusal::KeyNotActive {
            pk: unknown,
            state: None
        }
    );
}
