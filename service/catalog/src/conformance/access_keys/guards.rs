use super::{edit, state};
use crate::conformance::make::refusal;
use crate::model::{AuditEntry, KeyScope, KeyState};
use crate::mutation::{AppendAudit, DeleteObject, Guard, KeyEdit, Mutation, Preconditions};
use crate::query::ListAudit;
use crate::testing::{Fixture, T0, key as object_key, later, new_key, put};
use crate::{CatalogError, Refusal};
use bucketry_domain::AccessKeyPk;

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
pub(crate) async fn guard_what_administrators_do(fixture: &Fixture) {
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

pub(crate) async fn guard_every_write(fixture: &Fixture) {
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
        key: object_key("k"),
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
