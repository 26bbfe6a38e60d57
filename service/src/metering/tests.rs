use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;

use super::limits::LetIn;
use super::*;
use crate::access::{ClientAddress, DecisionReason};
use crate::catalog::model::{KeyLimits, KeyScope, KeyState, UsageRow};
use crate::catalog::mutation::{CreateAccessKey, RecordUsage};
use crate::catalog::testing::{T0, make, make_account};
use crate::catalog::{Catalog, CatalogError, CatalogOptions, DatabaseUrl};
use crate::clock::Clock;

fn key(pk: i64) -> KeyFacts {
    KeyFacts {
        pk: AccessKeyPk(pk),
        access_key_id: format!("BKTY{pk:016}").parse().unwrap(),
        scope: KeyScope::Everything,
        epoch: 1,
        state: KeyState::Active,
        expires_at: None,
        ip_rules: Default::default(),
        limits: KeyLimits::default(),
    }
}

fn limited(pk: i64, requests: u32, bytes: u64) -> KeyFacts {
    KeyFacts {
        limits: KeyLimits {
            requests_per_second: NonZeroU32::new(requests),
            bytes_per_day: NonZeroU64::new(bytes),
        },
        ..key(pk)
    }
}

fn origin(operation: &str) -> Origin {
    Origin {
        address: ClientAddress::known("192.0.2.7".parse().unwrap()),
        request_id: "R".into(),
        operation: operation.into(),
        user_agent: Some("curl/8".into()),
    }
}

fn explanation() -> Explanation {
    Explanation {
        allowed: false,
        reason: DecisionReason::Permission,
        rule: "permission: read-only lacks WRITE".into(),
    }
}

fn refuse(metering: &Metering, key: &KeyFacts, cause: DenialCause, request_id: &str) {
    let origin = Origin {
        request_id: request_id.into(),
        ..origin("PutObject")
    };
    let denial = DeniedRequest {
        explanation: &explanation(),
        cause,
        origin: &origin,
        bucket: "b",
        key: "k",
    };
    metering.denied(key, denial, T0);
}

/// A catalog that has the keys.
async fn catalog(keys: &[&KeyFacts]) -> (Catalog, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(directory.path().join("data"));
    let catalog = Catalog::open(&url, &CatalogOptions::default())
        .await
        .unwrap();
    make_account(&catalog, "owner").await.unwrap();
    for key in keys {
        let made = crate::catalog::testing::new_key(&catalog, key.scope).await;
        let made = CreateAccessKey {
            pk: key.pk,
            access_key_id: key.access_key_id.clone(),
            ..made
        };
        make(&catalog, made).await.unwrap();
    }
    (catalog, directory)
}

async fn rows(catalog: &Catalog, key: &KeyFacts) -> Vec<UsageRow> {
    catalog
        .usage(key.pk, Timestamp::EPOCH, Timestamp::MAX)
        .await
        .unwrap()
}

fn later(seconds: u64) -> Timestamp {
    T0.saturating_add(Duration::from_secs(seconds))
}

#[tokio::test]
async fn what_was_counted_is_written_once() {
    let (one, other) = (key(1001), key(1002));
    let (catalog, _directory) = catalog(&[&one, &other]).await;
    let metering = Arc::new(Metering::default());
    for seconds in [0, 1, 4000] {
        let let_in = metering.let_in(
            &one,
            RequestClass::Read,
            &origin("GetObject"),
            later(seconds),
        );
        assert_eq!(let_in, LetIn::Yes);
    }
    metering
        .transfer(&one, RequestClass::Read, Direction::Out, 100, T0)
        .unwrap();
    metering
        .transfer(&other, RequestClass::Write, Direction::In, 7, T0)
        .unwrap();
    refuse(&metering, &one, DenialCause::Holder, "R1");
    let clock = Clock::Fixed(later(4000));
    metering.flush(&catalog, clock.clone()).await.unwrap();
    // Nothing is counted twice.
    metering.flush(&catalog, clock).await.unwrap();
    let row = |hour: Timestamp, class: &str| UsageRow {
        access_key: one.pk,
        hour: hour.hour(),
        class: class.into(),
        requests: 0,
        bytes_in: 0,
        bytes_out: 0,
        denials: 0,
    };
    let expected = [
        UsageRow {
            denials: 1,
            ..row(T0, "denied.permission")
        },
        UsageRow {
            requests: 2,
            bytes_out: 100,
            ..row(T0, "read")
        },
        UsageRow {
            requests: 1,
            ..row(later(4000), "read")
        },
    ];
    assert_eq!(rows(&catalog, &one).await, expected);
    let bytes_in = rows(&catalog, &other).await[0].bytes_in;
    assert_eq!(bytes_in, 7);
    let uses = catalog.last_uses(&[one.pk, other.pk]).await.unwrap();
    let used = &uses[&one.pk];
    assert_eq!((used.at, used.requests), (later(4000), 3));
    assert_eq!(used.address.as_deref(), Some("192.0.2.7"));
    assert_eq!(used.user_agent.as_deref(), Some("curl/8"));
    assert_eq!(used.operation, "GetObject");
    // Bytes alone are no use: the request was counted where it was let in.
    assert!(!uses.contains_key(&other.pk));
    assert_eq!(catalog.denials(one.pk, 10).await.unwrap().len(), 1);
    catalog.close().await;
}

/// By the interval, and without it when many keys are counted.
#[tokio::test]
async fn counters_are_written_by_themselves() {
    const NEVER: Duration = Duration::from_secs(3600);
    for (interval, room) in [(Duration::from_millis(1), 1000), (NEVER, 2)] {
        let one = key(1001);
        let (catalog, _directory) = catalog(&[&one]).await;
        let metering = Arc::new(Metering::with_room(room));
        let clock = Clock::Fixed(T0);
        let writing = Arc::clone(&metering).flush_for_ever(catalog.clone(), clock, interval);
        let writing = tokio::spawn(writing);
        metering.let_in(&one, RequestClass::Read, &origin("GetObject"), T0);
        metering.let_in(&key(1002), RequestClass::Read, &origin("GetObject"), T0);
        while rows(&catalog, &one).await.is_empty() {}
        writing.abort();
        catalog.close().await;
    }
}

#[tokio::test]
async fn what_could_not_be_written_is_kept() {
    let one = key(1001);
    let (catalog, directory) = catalog(&[&one]).await;
    let metering = Arc::new(Metering::default());
    let count = || metering.let_in(&one, RequestClass::List, &origin("ListObjectsV2"), T0);
    count();
    refuse(&metering, &one, DenialCause::Anybody, "R1");
    catalog.close().await;
    let failed = metering.flush(&catalog, Clock::Fixed(T0)).await;
    assert!(matches!(failed, Err(CatalogError::Closed)), "{failed:?}");
    count();
    refuse(&metering, &one, DenialCause::Anybody, "R2");
    let url = DatabaseUrl::Sqlite(directory.path().join("data"));
    let again = Catalog::open(&url, &CatalogOptions::default())
        .await
        .unwrap();
    metering.flush(&again, Clock::Fixed(T0)).await.unwrap();
    let rows = rows(&again, &one).await;
    assert_eq!((rows[0].denials, rows[1].requests), (2, 2));
    assert_eq!(
        again.last_uses(&[one.pk]).await.unwrap()[&one.pk].requests,
        2
    );
    let ids: Vec<String> = (again.denials(one.pk, 10).await.unwrap().into_iter())
        .map(|denial| denial.request_id)
        .collect();
    assert_eq!(ids, ["R2", "R1"]);
    again.close().await;
}

#[tokio::test]
async fn a_flood_of_refusals_keeps_the_latest_and_counts_all() {
    let one = key(1001);
    let (catalog, _directory) = catalog(&[&one]).await;
    let metering = Arc::new(Metering::default());
    refuse(&metering, &one, DenialCause::Holder, "of the holder");
    for number in 0..1000 {
        refuse(&metering, &one, DenialCause::Anybody, &format!("{number}"));
    }
    metering.flush(&catalog, Clock::Fixed(T0)).await.unwrap();
    assert_eq!(rows(&catalog, &one).await[0].denials, 1001);
    let kept = catalog.denials(one.pk, 1000).await.unwrap();
    let of = |cause| kept.iter().filter(move |denial| denial.cause == cause);
    assert_eq!(of(DenialCause::Holder).count(), 1);
    assert_eq!(
        of(DenialCause::Anybody).count(),
        DenialCause::Anybody.kept()
    );
    assert!(of(DenialCause::Anybody).any(|denial| denial.request_id == "999"));
    assert_eq!(metering.kept_denials.load(Ordering::Relaxed), 0);
    catalog.close().await;
}

#[test]
fn requests_above_the_rate_are_refused_and_not_counted() {
    let metering = Metering::default();
    let one = limited(1, 2, 0);
    let request = |now| metering.let_in(&one, RequestClass::Other, &origin("HeadBucket"), now);
    let limit = LetIn::No(LimitReached::Requests(NonZeroU32::new(2).unwrap()));
    assert_eq!(
        [(); 3].map(|()| request(T0)),
        [LetIn::Yes, LetIn::Yes, limit]
    );
    assert_eq!(request(later(1)), LetIn::Yes);
    let shard = metering.shard(one.pk);
    let rows = shard[&one.pk].pending.rows(one.pk);
    assert_eq!((rows.len(), rows[0].requests), (1, 3));
}

/// The day's bytes are those of the catalog and those in memory, wherever a flush has brought them.
#[tokio::test]
async fn the_day_is_known_across_flushes_and_restarts() {
    let one = limited(1001, 0, 1000);
    let (catalog, _directory) = catalog(&[&one]).await;
    let metering = Arc::new(Metering::default());
    let class = RequestClass::Write;
    let request = async |metering: &Metering, now| {
        let origin = origin("PutObject");
        metering
            .request(&catalog, &one, class, &origin, now)
            .await
            .unwrap()
    };
    let send = |metering: &Metering, bytes, now| {
        metering
            .transfer(&one, class, Direction::In, bytes, now)
            .is_ok()
    };
    let receive = |metering: &Metering, bytes, now| {
        metering
            .transfer(&one, class, Direction::Out, bytes, now)
            .is_ok()
    };
    // Before the catalog was ever asked, as a session of another node's request.
    assert!(send(&metering, 100, T0));
    assert_eq!(request(&metering, T0).await, Ok(()));
    assert!(send(&metering, 400, T0));
    metering.flush(&catalog, Clock::Fixed(T0)).await.unwrap();
    assert!(send(&metering, 300, later(10)));
    // Asked again after a minute, with 500 in the catalog and 300 in memory.
    assert_eq!(request(&metering, later(70)).await, Ok(()));
    assert!(!receive(&metering, 201, later(70)), "nothing is handed out");
    assert!(receive(&metering, 200, later(70)));
    let limit = Err(LimitReached::Bytes(NonZeroU64::new(1000).unwrap()));
    assert_eq!(request(&metering, later(71)).await, limit);
    assert!(!send(&metering, 1, later(71)), "what came is counted");
    metering
        .flush(&catalog, Clock::Fixed(later(72)))
        .await
        .unwrap();
    assert_eq!(rows(&catalog, &one).await[0].bytes_in, 801);
    let restarted = Metering::default();
    assert_eq!(request(&restarted, later(80)).await, limit);
    // The next day has its own bytes.
    let tomorrow = later(24 * 3600);
    assert_eq!(request(&restarted, tomorrow).await, Ok(()));
    assert!(send(&restarted, 1000, tomorrow) && !send(&restarted, 1, tomorrow));
    catalog.close().await;
}

/// A download that stands still until a flush has forgotten its key goes on where the day is, not at its beginning.
#[tokio::test]
async fn a_transfer_that_stood_still_has_no_day_of_its_own() {
    let one = limited(1001, 0, 1000);
    let (catalog, _directory) = catalog(&[&one]).await;
    let metering = Arc::new(Metering::default());
    let class = RequestClass::Read;
    let origin = origin("GetObject");
    let let_in = metering.request(&catalog, &one, class, &origin, T0);
    assert_eq!(let_in.await.unwrap(), Ok(()));
    let receive = |bytes, now| metering.transfer(&one, class, Direction::Out, bytes, now);
    receive(900, T0).unwrap();
    let resumed = later(61);
    metering
        .flush(&catalog, Clock::Fixed(resumed))
        .await
        .unwrap();
    assert!(!metering.shard(one.pk).contains_key(&one.pk), "forgotten");
    metering.renew_day(&catalog, &one, resumed).await.unwrap();
    assert!(receive(101, resumed).is_err());
    assert!(receive(100, resumed).is_ok());
    catalog.close().await;
}

#[tokio::test]
async fn what_other_nodes_wrote_is_known_within_a_minute() {
    let one = limited(1001, 0, 100);
    let (catalog, _directory) = catalog(&[&one]).await;
    let metering = Metering::default();
    let request = async |now| {
        let origin = origin("GetObject");
        metering
            .request(&catalog, &one, RequestClass::Read, &origin, now)
            .await
            .unwrap()
    };
    assert_eq!(request(T0).await, Ok(()));
    let elsewhere = UsageRow {
        access_key: one.pk,
        hour: T0.hour(),
        class: "read".into(),
        requests: 1,
        bytes_in: 0,
        bytes_out: 100,
        denials: 0,
    };
    let change = RecordUsage {
        usage: vec![elsewhere],
        ..RecordUsage::default()
    };
    make(&catalog, change).await.unwrap();
    assert_eq!(request(later(59)).await, Ok(()));
    assert!(request(later(60)).await.is_err());
    catalog.close().await;
}

#[tokio::test]
async fn keys_are_bounded_but_limits_hold_for_all() {
    let (catalog, _directory) = catalog(&[]).await;
    let metering = Arc::new(Metering::with_room(3));
    let request = |key: &KeyFacts, now| {
        metering.let_in(key, RequestClass::Other, &origin("ListBuckets"), now)
    };
    for pk in 1..=5 {
        assert_eq!(request(&key(pk), T0), LetIn::Yes);
    }
    assert_eq!(metering.keys.load(Ordering::Relaxed), 3);
    assert_eq!(metering.passed_over.load(Ordering::Relaxed), 2);
    let strict = limited(9, 1, 0);
    assert_eq!(request(&strict, T0), LetIn::Yes);
    assert!(matches!(request(&strict, T0), LetIn::No(_)));
    // A flush makes room, and does not forget a limit that is in use.
    metering.flush(&catalog, Clock::Fixed(T0)).await.unwrap();
    assert_eq!(metering.keys.load(Ordering::Relaxed), 1);
    assert!(matches!(request(&strict, T0), LetIn::No(_)));
    assert_eq!(request(&key(4), T0), LetIn::Yes);
    metering
        .flush(&catalog, Clock::Fixed(later(61)))
        .await
        .unwrap();
    assert_eq!(metering.keys.load(Ordering::Relaxed), 0);
    catalog.close().await;
}
