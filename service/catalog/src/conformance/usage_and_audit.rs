use crate::Catalog;
use crate::model::{DenialCause, DenialRow, KeyState, LastUse, UsageRow};
use crate::mutation::{KeyEdit, Mutation, PurgeAccessKey, RecordUsage, UpdateAccessKey};
use crate::testing::{Fixture, T0, later, put};
use bucketry_domain::{AccessKeyPk, Timestamp};

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
        requests: 2,
    }
}

fn denial(key: AccessKeyPk, seconds: u64, cause: DenialCause) -> DenialRow {
    DenialRow {
        access_key: key,
        at: later(seconds),
        reason: 18,
        cause,
        rule: "permission: read-only lacks WRITE".into(),
        address: Some("192.0.2.1".into()),
        operation: "PutObject".into(),
        bucket: "b".into(),
        key: format!("k{seconds}"),
        user_agent: Some("curl/8".into()),
        request_id: format!("R{seconds}"),
    }
}

pub(super) async fn sum_up(fixture: &Fixture) {
    let bucket = fixture.bucket("used").await.id;
    let key = fixture.token(bucket).await.pk;
    let neighbour = fixture.token(bucket).await.pk;
    let rows = vec![
        usage(key, 0, "read", 1),
        usage(key, 0, "read", 2),
        usage(key, 1, "write", 4),
        usage(neighbour, 0, "read", 9),
    ];
    let first = RecordUsage {
        usage: rows,
        last_uses: vec![used(key, 5, "GetObject"), used(key, 3, "older")],
        denials: Vec::new(),
    };
    let second = RecordUsage {
        usage: vec![usage(key, 0, "read", 8)],
        last_uses: vec![used(key, 4, "late news")],
        denials: Vec::new(),
    };
    let (first, second) = tokio::join!(fixture.catalog.make(first), fixture.other.make(second));
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
    let (from, to) = (T0.hour(), later(3600).hour());
    let hour = fixture.other.usage(key, from, to).await.unwrap();
    assert_eq!(hour, [read]);
    assert_eq!(fixture.other.bytes_used(key, from, to).await.unwrap(), 330);
    assert_eq!(
        fixture
            .other
            .bytes_used(key, to, Timestamp::MAX)
            .await
            .unwrap(),
        110
    );
    let uses = fixture.catalog.last_uses(&[key, neighbour]).await.unwrap();
    let all_requests = LastUse {
        requests: 6,
        ..used(key, 5, "GetObject")
    };
    assert_eq!(uses.get(&key), Some(&all_requests));
    assert_eq!(uses.get(&neighbour), None);
}

pub(super) async fn keeps_the_latest_denials_of_each_cause(fixture: &Fixture) {
    let bucket = fixture.bucket("denied").await.id;
    let key = fixture.token(bucket).await.pk;
    let neighbour = fixture.token(bucket).await.pk;
    let record = async |catalog: &Catalog, denials: Vec<DenialRow>| {
        let change = RecordUsage {
            denials,
            ..RecordUsage::default()
        };
        catalog.make(change).await.unwrap();
    };
    let of = |seconds: std::ops::Range<u64>, cause| seconds.map(move |at| denial(key, at, cause));
    let neighbours = denial(neighbour, 0, DenialCause::Holder);
    let first = of(0..90, DenialCause::Holder).chain([neighbours.clone()]);
    record(&fixture.catalog, first.collect()).await;
    // More than there is room for, from both nodes and in one flood.
    let second = of(90..130, DenialCause::Holder).chain(of(0..15, DenialCause::Anybody));
    record(&fixture.other, second.collect()).await;
    record(
        &fixture.catalog,
        of(1000..1400, DenialCause::Anybody).collect(),
    )
    .await;
    record(
        &fixture.other,
        of(1400..1405, DenialCause::Anybody).collect(),
    )
    .await;
    let kept = fixture.other.denials(key, 1000).await.unwrap();
    let (strangers, holders): (Vec<_>, Vec<_>) = kept
        .into_iter()
        .partition(|denial| denial.cause == DenialCause::Anybody);
    let newest_first = |seconds: std::ops::Range<u64>, cause| {
        let mut denials: Vec<_> = of(seconds, cause).collect();
        denials.reverse();
        denials
    };
    assert_eq!(holders, newest_first(30..130, DenialCause::Holder));
    assert_eq!(strangers, newest_first(1385..1405, DenialCause::Anybody));
    assert_eq!(
        fixture.catalog.denials(key, 3).await.unwrap(),
        strangers[..3]
    );
    assert_eq!(
        fixture.catalog.denials(neighbour, 1000).await.unwrap(),
        [neighbours]
    );
}

pub(super) async fn go_with_their_key(fixture: &Fixture) {
    let bucket = fixture.bucket("purged").await.id;
    let (key, stays) = (fixture.token(bucket).await, fixture.token(bucket).await);
    let record = || RecordUsage {
        usage: vec![usage(key.pk, 0, "read", 1), usage(stays.pk, 0, "read", 1)],
        last_uses: vec![used(key.pk, 1, "GetObject"), used(stays.pk, 1, "GetObject")],
        denials: vec![
            denial(key.pk, 1, DenialCause::Holder),
            denial(stays.pk, 1, DenialCause::Holder),
        ],
    };
    fixture.catalog.make(record()).await.unwrap();
    let revoke = UpdateAccessKey {
        pk: key.pk,
        if_version: None,
        unless_last_of: None,
        edit: KeyEdit {
            state: Some(KeyState::Revoked),
            ..KeyEdit::default()
        },
        by: "root".into(),
    };
    let purge = PurgeAccessKey { pk: key.pk };
    // A flush in the batch of the purge, and one that comes after it, bring nothing back.
    let batch = vec![
        Mutation::from(revoke).untyped(),
        Mutation::from(record()).untyped(),
        Mutation::from(purge).untyped(),
        Mutation::from(record()).untyped(),
    ];
    for verdict in fixture.catalog.commit(batch).await.unwrap() {
        verdict.unwrap();
    }
    fixture.other.make(record()).await.unwrap();
    let left = async |pk| {
        let other = &fixture.other;
        let rows = other.usage(pk, Timestamp::EPOCH, Timestamp::MAX).await;
        (
            rows.unwrap().iter().map(|row| row.requests).sum::<u64>(),
            other.last_uses(&[pk]).await.unwrap().contains_key(&pk),
            other.denials(pk, 10).await.unwrap().len(),
        )
    };
    assert_eq!(left(key.pk).await, (0, false, 0));
    assert_eq!(left(stays.pk).await, (4, true, 4));
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
        .make(put(bucket.id, "k", b"bytes"))
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
    let after = reopened.make(put(bucket.id, "k", b"more")).await.unwrap();
    assert_eq!(after.replaced, Some(stored.row.clone()));
    assert!(after.row.generation > stored.row.generation);
    reopened.close().await;
}
