use super::{edit, state};
use crate::Refusal;
use crate::conformance::make::refusal;
use crate::model::{AccessKey, KeyScope, KeyState};
use crate::mutation::{KeyEdit, Mutation, UpdateAccessKey};
use crate::testing::{Fixture, later, make_account, new_key};
use bucketry_domain::{AccessKeyPk, AccountId};

/// Revokes a key unless it is the last one of its account.
pub(crate) fn revoke_unless_last(key: &AccessKey) -> Mutation<UpdateAccessKey> {
    let account = key.scope.account().unwrap();
    revoke(key.pk, account)
}

fn revoke(pk: AccessKeyPk, account: AccountId) -> Mutation<UpdateAccessKey> {
    let mut revoke = edit(pk, None, state(KeyState::Revoked));
    revoke.change.unless_last_of = Some(account);
    revoke
}

pub(crate) async fn of_administrators_are_kept_to_the_last(fixture: &Fixture) {
    let (catalog, other) = (&fixture.catalog, &fixture.other);
    let account = fixture.account.id;
    let scope = KeyScope::Account(account);
    let last = Refusal::LastAdministrator(account);
    // Neither of these administers the account.
    let bucket = fixture.bucket("administered").await;
    fixture.token(bucket.id).await;
    fixture.key(KeyScope::Everything).await;
    let strangers = make_account(catalog, "strangers").await.unwrap();
    fixture.key(KeyScope::Account(strangers.id)).await;

    // Changes of one batch see each other.
    let (one, two) = (fixture.key(scope).await, fixture.key(scope).await);
    let batch = [&one, &two].map(|key| revoke_unless_last(key).untyped());
    let verdicts = catalog.commit(batch.to_vec()).await.unwrap();
    assert!(verdicts[0].is_ok(), "{verdicts:?}");
    assert_eq!(verdicts[1].as_ref().unwrap_err(), &last);
    let three = new_key(catalog, scope).await;
    let batch = vec![
        Mutation::from(three.clone()).untyped(),
        revoke_unless_last(&two).untyped(),
        revoke(three.pk, account).untyped(),
    ];
    let verdicts = other.commit(batch).await.unwrap();
    assert!(verdicts[..2].iter().all(Result::is_ok), "{verdicts:?}");
    assert_eq!(verdicts[2].as_ref().unwrap_err(), &last);

    // Keys that are suspended or will expire do not count.
    let four = fixture.key(scope).await;
    let expiry = KeyEdit {
        expires: Some(Some(later(1000))),
        ..KeyEdit::default()
    };
    for (unusable, usable) in [
        (state(KeyState::Suspended), state(KeyState::Active)),
        (
            expiry,
            KeyEdit {
                expires: Some(None),
                ..KeyEdit::default()
            },
        ),
    ] {
        catalog.make(edit(four.pk, None, unusable)).await.unwrap();
        let refused = refusal(other, revoke(three.pk, account)).await;
        assert_eq!(refused, last);
        catalog.make(edit(four.pk, None, usable)).await.unwrap();
    }
    other.make(revoke(three.pk, account)).await.unwrap();
    assert_eq!(refusal(catalog, revoke_unless_last(&four)).await, last);
    // Without the condition it is not checked.
    let unchecked = edit(four.pk, None, state(KeyState::Revoked));
    catalog.make(unchecked).await.unwrap();
}
