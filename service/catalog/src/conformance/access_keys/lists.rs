use crate::model::KeyScope;
use crate::mutation::DeleteBucket;
use crate::query::{KeysOf, ListAccessKeys, More};
use crate::testing::Fixture;
use bucketry_domain::AccountId;

pub(crate) async fn are_listed_in_pages(fixture: &Fixture) {
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
    let (own, none) = (fixture.account.id, AccountId(1 << 40));
    assert_eq!(count(KeysOf::AdministratorsOf(own)).await, 1);
    assert_eq!(count(KeysOf::AdministratorsOf(none)).await, 0);
    let found = fixture
        .catalog
        .access_key(&edge.access_key_id)
        .await
        .unwrap();
    assert_eq!(found, Some(edge));
}

pub(crate) async fn of_buckets_that_are_gone_are_listed(fixture: &Fixture) {
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
