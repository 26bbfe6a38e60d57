use super::fixture::{Fixture, T0, later, put};
use crate::catalog::model::{LastUse, UsageRow};
use crate::catalog::mutation::RecordUsage;
use crate::domain::{AccessKeyPk, Timestamp};

fn usage(key: AccessKeyPk, hours: u64, class: &str, requests: u64) -> UsageRow {
    let hour = later(hours * 3600).hour();
    UsageRow {
        access_key: key,
        hour,
        class: class.into(),
        requests,
        bytes_in: 10,
        bytes_out: 100,
        denials: 1,
    }
}

fn used(key: AccessKeyPk, seconds: u64, operation: &str) -> LastUse {
    LastUse {
        access_key: key,
        at: later(seconds),
        address: Some("192.0.2.1".into()),
        user_agent: None,
        operation: operation.into(),
    }
}

pub(super) async fn sum_up(fixture: &Fixture) {
    let (key, neighbour) = (AccessKeyPk(7), AccessKeyPk(8));
    let rows = vec![
        usage(key, 0, "read", 1),
        usage(key, 0, "read", 2),
        usage(key, 1, "write", 4),
        usage(neighbour, 0, "read", 9),
    ];
    let first = RecordUsage {
        usage: rows,
        last_uses: vec![used(key, 5, "GetObject"), used(key, 3, "older")],
    };
    let second = RecordUsage {
        usage: vec![usage(key, 0, "read", 8)],
        last_uses: vec![used(key, 4, "late news")],
    };
    let (first, second) = tokio::join!(fixture.catalog.submit(first), fixture.other.submit(second));
    first.and(second).unwrap();
    let found = fixture
        .other
        .usage(key, Timestamp::EPOCH, Timestamp::MAX)
        .await
        .unwrap();
    let read = UsageRow {
        bytes_in: 30,
        bytes_out: 300,
        denials: 3,
        ..usage(key, 0, "read", 11)
    };
    assert_eq!(found, [read.clone(), usage(key, 1, "write", 4)]);
    let hour = fixture
        .other
        .usage(key, T0.hour(), later(3600).hour())
        .await
        .unwrap();
    assert_eq!(hour, [read]);
    assert_eq!(
        fixture.catalog.last_use(key).await.unwrap(),
        Some(used(key, 5, "GetObject"))
    );
    assert_eq!(fixture.catalog.last_use(neighbour).await.unwrap(), None);
}

pub(super) async fn settings_are_claimed_once(fixture: &Fixture) {
    assert_eq!(fixture.catalog.store_id(), fixture.other.store_id());
    assert_eq!(fixture.catalog.store_id().len(), 32);
    assert_eq!(fixture.catalog.setting("canary").await.unwrap(), None);
    assert_eq!(
        fixture
            .catalog
            .claim_setting("canary", vec![1])
            .await
            .unwrap(),
        [1]
    );
    assert_eq!(
        fixture
            .other
            .claim_setting("canary", vec![2])
            .await
            .unwrap(),
        [1]
    );
    assert_eq!(
        fixture.other.setting("canary").await.unwrap(),
        Some(vec![1])
    );
}

pub(super) async fn everything_survives_a_restart(fixture: &Fixture) {
    let bucket = fixture.bucket("durable").await;
    let token = fixture.token(bucket.id).await;
    let stored = fixture
        .catalog
        .submit(put(bucket.id, "k", b"bytes"))
        .await
        .unwrap();
    let object = fixture.get(bucket.id, "k").await;
    let last_id = fixture.catalog.next_id().await.unwrap();
    let reopened = fixture.reopened().await;
    assert_eq!(reopened.store_id(), fixture.catalog.store_id());
    assert_eq!(
        reopened.object(bucket.id, &stored.row.key).await.unwrap(),
        object
    );
    assert_eq!(
        reopened.access_key(&token.access_key_id).await.unwrap(),
        Some(token)
    );
    assert!(reopened.next_id().await.unwrap() > last_id);
    let after = reopened.submit(put(bucket.id, "k", b"more")).await.unwrap();
    assert_eq!(
        (after.replaced, after.row.generation.0),
        (Some(stored.row.clone()), stored.row.generation.0 + 1)
    );
    reopened.close().await;
}
