use super::make::refusal;
use crate::model::{AuditEntry, KeyState, LastUse};
use crate::mutation::{
    DeleteObject, Guard, IfNoneMatch, KeyEdit, Mutation, Preconditions, PutObject, RecordUsage,
    UpdateAccessKey,
};
use crate::query::ListAudit;
use crate::sql::{Connection, Statement};
use crate::testing::{Fixture, T0, key, put};
use crate::{CatalogError, Condition, Outcome, Refusal, Verdict};
use bucketry_domain::BucketId;

fn put_change(bucket: BucketId, name: &str) -> Mutation {
    Mutation::from(put(bucket, name, b"x")).untyped()
}

fn absent() -> Preconditions {
    Preconditions {
        if_none_match: Some(IfNoneMatch::Any),
        ..Preconditions::default()
    }
}

fn entry(action: &str) -> AuditEntry {
    AuditEntry {
        at: T0,
        actor: "root".into(),
        address: Some("192.0.2.1".into()),
        action: action.into(),
        account: None,
        bucket: None,
        access_key: None,
        request_id: "r".into(),
        details: "{}".into(),
    }
}

pub(super) async fn keeps_neighbours_apart(fixture: &Fixture) {
    let bucket = fixture.bucket("neighbours").await.id;
    let gone = BucketId(1 << 40);
    let mut mutations = Vec::new();
    for number in 0..100 {
        let bucket = if number % 3 == 0 { gone } else { bucket };
        mutations.push(put_change(bucket, &format!("{number:03}")));
    }
    let verdicts = fixture.catalog.commit(mutations).await.unwrap();
    for (number, verdict) in verdicts.into_iter().enumerate() {
        let name = format!("{number:03}");
        if number % 3 == 0 {
            assert_eq!(verdict, Err(Refusal::BucketGone(gone)));
        } else {
            let Ok(Outcome::Object(stored)) = verdict else {
                panic!("{verdict:?}")
            };
            assert_eq!(stored.row.key, key(&name));
            assert_eq!(
                fixture
                    .get(bucket, &name)
                    .await
                    .map(|object| object.row.clone()),
                Some(stored.row)
            );
        }
    }
}

pub(super) async fn sees_earlier_changes_of_the_same_batch(fixture: &Fixture) {
    let bucket = fixture.bucket("overlay").await.id;
    let token = fixture.token(bucket).await;
    let guard = Guard::Key {
        pk: token.pk,
        epoch: 1,
        account: token.scope.account(),
    };
    let create = Mutation {
        caller: guard,
        ..Mutation::from(PutObject {
            preconditions: absent(),
            ..put(bucket, "k", b"x")
        })
    };
    let delete = Mutation {
        caller: guard,
        ..Mutation::from(DeleteObject {
            bucket,
            key: key("k"),
            preconditions: Preconditions::default(),
        })
    };
    let revoke = UpdateAccessKey {
        pk: token.pk,
        if_version: None,
        unless_last_of: None,
        edit: KeyEdit {
            state: Some(KeyState::Revoked),
            ..KeyEdit::default()
        },
        by: "root".into(),
    };
    let batch = vec![
        create.clone().untyped(),
        create.clone().untyped(),
        delete.untyped(),
        create.clone().untyped(),
        Mutation::from(revoke).untyped(),
        create.untyped(),
    ];
    let verdicts = fixture.catalog.commit(batch).await.unwrap();
    let taken = Refusal::Precondition(Condition::IfNoneMatch);
    let revoked = Refusal::KeyNotActive {
        pk: token.pk,
        state: Some(KeyState::Revoked),
    };
    let generation = |verdict: &Verdict| match verdict {
        Ok(Outcome::Object(stored)) => stored.row.generation,
        other => panic!("{other:?}"),
    };
    let (first, second) = (generation(&verdicts[0]), generation(&verdicts[3]));
    assert!(first < second);
    assert_eq!(verdicts[1], Err(taken));
    assert!(
        matches!(&verdicts[2], Ok(Outcome::ObjectDeleted(deleted)) if deleted.removed.is_some())
    );
    assert!(matches!(&verdicts[4], Ok(Outcome::AccessKey(_))));
    assert_eq!(verdicts[5], Err(revoked));
    assert_eq!(
        fixture
            .get(bucket, "k")
            .await
            .map(|object| object.row.generation),
        Some(second)
    );
}

pub(super) async fn writes_audit_with_the_change(fixture: &Fixture) {
    let bucket = fixture.bucket("audited").await.id;
    let accepted = put(bucket, "k", b"x");
    fixture
        .catalog
        .submit(Mutation::from(accepted).audited(vec![entry("one"), entry("two")]))
        .await
        .unwrap();
    let refused = PutObject {
        preconditions: absent(),
        ..put(bucket, "k", b"x")
    };
    assert!(
        fixture
            .catalog
            .submit(Mutation::from(refused).audited(vec![entry("never")]))
            .await
            .is_err()
    );
    let records = fixture
        .other
        .list_audit(&ListAudit {
            max: 10,
            ..ListAudit::default()
        })
        .await
        .unwrap();
    let actions: Vec<_> = records
        .items
        .iter()
        .map(|record| record.entry.action.as_str())
        .collect();
    assert_eq!(actions, ["two", "one"]);
}

pub(super) async fn survives_values_that_no_database_takes(fixture: &Fixture) {
    let bucket = fixture.bucket("poison").await.id;
    let token = fixture.token(bucket).await;
    let used = LastUse {
        access_key: token.pk,
        at: T0,
        address: None,
        user_agent: Some("curl\u{0}".into()),
        operation: "PutObject".into(),
        requests: 1,
    };
    let usage = RecordUsage {
        last_uses: vec![used],
        ..RecordUsage::default()
    };
    let (usage, stored) = tokio::join!(
        fixture.catalog.make(usage),
        fixture.catalog.make(put(bucket, "k", b"x"))
    );
    usage.unwrap();
    stored.unwrap();
    let used = fixture.other.last_uses(&[token.pk]).await.unwrap();
    let used = &used[&token.pk];
    assert_eq!(used.user_agent.as_deref(), Some("curl\u{fffd}"));
}

pub(super) async fn drains_before_closing(fixture: &Fixture) {
    let bucket = fixture.bucket("draining").await.id;
    let submitted: Vec<_> = (0..50)
        .map(|number| {
            let catalog = fixture.catalog.clone();
            tokio::spawn(async move { catalog.make(put(bucket, &format!("{number}"), b"x")).await })
        })
        .collect();
    fixture.catalog.close().await;
    let mut stored = 0;
    for task in submitted {
        match task.await.unwrap() {
            Ok(_) => stored += 1,
            Err(error) => assert!(matches!(error, CatalogError::Closed), "{error:?}"),
        }
    }
    assert!(matches!(
        fixture.catalog.make(put(bucket, "late", b"x")).await,
        Err(CatalogError::Closed)
    ));
    let reopened = fixture.reopened().await;
    let page = reopened
        .list_objects(&crate::query::ListObjects::all(bucket, 100))
        .await
        .unwrap();
    assert_eq!(page.entries.len(), stored);
    assert_eq!(
        refusal(&reopened, put(BucketId(1 << 40), "k", b"x")).await,
        Refusal::BucketGone(BucketId(1 << 40))
    );
    reopened.close().await;
}

/// A task of upkeep that is aborted, as at a stop, must not leave its transaction to the next user of the connection.
pub(super) async fn is_not_disturbed_by_an_aborted_transaction(fixture: &Fixture) {
    let bucket = fixture.bucket("aborted").await.id;
    let (begun, is_begun) = tokio::sync::oneshot::channel();
    let catalog = fixture.catalog.clone();
    let aborted = tokio::spawn(async move {
        let half = async |connection: &mut Connection| {
            let insert = "INSERT INTO settings (name, value) VALUES ($1, $2)";
            let insert = Statement::new(insert).bind("half").bind(vec![1_u8]);
            connection.execute(insert).await?;
            begun.send(()).unwrap();
            std::future::pending::<Result<(), CatalogError>>().await
        };
        catalog.engine().transact(half).await
    });
    is_begun.await.unwrap();
    aborted.abort();
    assert!(aborted.await.unwrap_err().is_cancelled());
    for number in 0..10 {
        fixture.put(bucket, &format!("k-{number}")).await;
    }
    for node in [&fixture.catalog, &fixture.other] {
        assert_eq!(node.setting("half").await.unwrap(), None);
    }
}
