use super::make::refusal;
use crate::model::{AccountState, KeyScope};
use crate::mutation::UpdateAccount;
use crate::query::More;
use crate::testing::{Fixture, make_account, make_bucket};
use crate::{CatalogError, Refusal};

pub(super) async fn are_made_once(fixture: &Fixture) {
    let catalog = &fixture.catalog;
    let second = make_account(catalog, "second").await.unwrap();
    let again = make_account(&fixture.other, "second").await;
    assert!(
        matches!(again, Err(CatalogError::Refused(Refusal::AccountExists))),
        "{again:?}"
    );
    assert_eq!(
        catalog.account(second.id).await.unwrap().as_ref(),
        Some(&*second)
    );
    let page = catalog.list_accounts(None, 1).await.unwrap();
    assert_eq!(
        (page.items, page.more),
        (vec![(*fixture.account).clone()], More::Yes)
    );
    let page = catalog
        .list_accounts(Some(fixture.account.id), 1)
        .await
        .unwrap();
    assert_eq!((page.items, page.more), (vec![(*second).clone()], More::No));
}

pub(super) async fn suspended_ones_own_nothing_new(fixture: &Fixture) {
    let (catalog, id) = (&fixture.catalog, fixture.account.id);
    catalog
        .make(UpdateAccount {
            id,
            state: AccountState::Suspended,
        })
        .await
        .unwrap();
    let bucket = make_bucket(catalog, id, "some-bucket").await;
    assert!(
        matches!(bucket, Err(CatalogError::Refused(Refusal::AccountNotFound(refused))) if refused == id)
    );
    let key = crate::testing::new_key(catalog, KeyScope::Account(id)).await;
    assert_eq!(refusal(catalog, key).await, Refusal::AccountNotFound(id));
    catalog
        .make(UpdateAccount {
            id,
            state: AccountState::Active,
        })
        .await
        .unwrap();
    assert!(make_bucket(catalog, id, "some-bucket").await.is_ok());
}
