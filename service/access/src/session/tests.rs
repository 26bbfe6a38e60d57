use proptest::prelude::*;

use super::super::key_facts::tests::facts;
use super::super::keyring::tests::{SECOND, keyring};
use super::*;
use bucketry_catalog::model::KeyScope;

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
const MINUTE: Duration = Duration::from_secs(60);

fn origin() -> Origin {
    Origin {
        address: ClientAddress::known("2001:db8::7".parse().unwrap()),
        request_id: "R-1".into(),
        operation: "PutObjectTagging".into(),
        user_agent: Some("curl/8".into()),
    }
}

fn caller() -> Caller {
    Caller::proven(Arc::new(facts(KeyScope::Everything)), origin())
}

fn usage(operation: &str, bucket: Option<&str>, key: Option<&str>) -> SessionUse {
    SessionUse {
        operation: operation.to_owned(),
        bucket: bucket.map(str::to_owned),
        key: key.map(str::to_owned),
    }
}

fn put() -> SessionUse {
    usage("PutObject", Some("bucket"), Some("a/b"))
}

#[test]
fn an_operation_session_carries_the_caller() {
    let session = OperationSession::new(&caller(), put(), NOW, MINUTE);
    let opened =
        OperationSession::open(&keyring(1), &session.issue(&keyring(1)), &put(), NOW).unwrap();
    assert_eq!(opened, session);
    let newer = Arc::new(KeyFacts {
        epoch: 9,
        ..facts(KeyScope::Everything)
    });
    let again = opened.caller(Some(newer)).unwrap();
    assert_eq!(
        (again.key().unwrap().epoch, opened.key.unwrap().epoch),
        (9, 3)
    );
    assert_eq!(
        (again.address(), &**again.request_id()),
        (origin().address, "R-1")
    );
}

#[test]
fn an_anonymous_session_stays_anonymous() {
    let anonymous = Caller::anonymous(Origin {
        address: ClientAddress::UNKNOWN,
        ..origin()
    });
    let text = OperationSession::new(&anonymous, put(), NOW, MINUTE).issue(&keyring(1));
    let opened = OperationSession::open(&keyring(1), &text, &put(), NOW).unwrap();
    let again = opened.caller(None).unwrap();
    assert!(again.key().is_none());
    assert_eq!(again.address(), ClientAddress::UNKNOWN);
    let key = Arc::new(facts(KeyScope::Everything));
    assert_eq!(opened.caller(Some(key)).err(), Some(SessionError::OtherKey));
    assert_eq!(BearerSession::new(&anonymous, NOW, MINUTE), None);
}

fn with_owners(bucket: Option<i64>, source: Option<i64>) -> OperationSession {
    OperationSession {
        owners: ExpectedOwners {
            bucket: bucket.map(AccountId),
            source: source.map(AccountId),
        },
        ..OperationSession::new(&caller(), put(), NOW, MINUTE)
    }
}

#[test]
fn an_operation_session_carries_the_expected_owners() {
    for (bucket, source) in [
        (Some(3), None),
        (None, Some(4)),
        (Some(3), Some(i64::MAX)),
        (None, None),
    ] {
        let session = with_owners(bucket, source);
        let text = session.issue(&keyring(1));
        let opened = OperationSession::open(&keyring(1), &text, &put(), NOW);
        assert_eq!(opened, Ok(session), "{bucket:?} {source:?}");
    }
}

#[test]
fn bound_to_operation_bucket_and_key() {
    let text = OperationSession::new(&caller(), put(), NOW, MINUTE).issue(&keyring(1));
    for other in [
        usage("GetObject", Some("bucket"), Some("a/b")),
        usage("PutObject", Some("bucket2"), Some("a/b")),
        usage("PutObject", Some("bucket"), Some("a/c")),
        usage("PutObject", Some("bucket"), None),
        usage("PutObject", None, Some("a/b")),
        usage("PutObject", Some("bucketa"), Some("/b")),
    ] {
        let refused = OperationSession::open(&keyring(1), &text, &other, NOW);
        assert_eq!(
            refused,
            Err(SessionError::OtherUse(Box::new(put()))),
            "{other:?}"
        );
    }
}

#[test]
fn ends_in_time_and_lives_no_longer_than_allowed() {
    let session = OperationSession::new(&caller(), put(), NOW, Duration::from_secs(86_400));
    assert_eq!(session.not_after, NOW.saturating_add(MAX_SESSION_LIFE));
    let text = session.issue(&keyring(1));
    assert!(OperationSession::open(&keyring(1), &text, &put(), session.not_after).is_ok());
    let late = Timestamp::from_micros(session.not_after.as_micros() + 1);
    assert_eq!(
        OperationSession::open(&keyring(1), &text, &put(), late),
        Err(SessionError::Expired {
            not_after: session.not_after
        })
    );
    let bearer = BearerSession::new(&caller(), NOW, Duration::from_secs(86_400)).unwrap();
    assert_eq!(bearer.not_after, NOW.saturating_add(MAX_SESSION_LIFE));
    let text = bearer.issue(&keyring(1));
    assert!(matches!(
        BearerSession::open(&keyring(1), &text, late),
        Err(SessionError::Expired { .. })
    ));
}

#[test]
fn one_purpose_is_never_the_other() {
    let operation = OperationSession::new(&caller(), put(), NOW, MINUTE).issue(&keyring(1));
    let bearer = BearerSession::new(&caller(), NOW, MINUTE)
        .unwrap()
        .issue(&keyring(1));
    assert_eq!(
        BearerSession::open(&keyring(1), &operation, NOW),
        Err(SessionError::NotAuthentic)
    );
    assert_eq!(
        OperationSession::open(&keyring(1), &bearer, &put(), NOW),
        Err(SessionError::NotAuthentic)
    );
}

#[test]
fn a_bearer_session_is_judged_by_the_address_of_each_call() {
    let text = BearerSession::new(&caller(), NOW, MINUTE)
        .unwrap()
        .issue(&keyring(1));
    let session = BearerSession::open(&keyring(2), &text, NOW).unwrap();
    let elsewhere = Origin {
        address: ClientAddress::UNKNOWN,
        request_id: "R-2".into(),
        ..origin()
    };
    let again = session
        .caller(Arc::new(facts(KeyScope::Everything)), elsewhere)
        .unwrap();
    assert_eq!(
        (again.address(), &**again.request_id()),
        (ClientAddress::UNKNOWN, "R-2")
    );
    for other in [
        KeyFacts {
            pk: AccessKeyPk(8),
            ..facts(KeyScope::Everything)
        },
        KeyFacts {
            access_key_id: "OTHER".parse().unwrap(),
            ..facts(KeyScope::Everything)
        },
    ] {
        assert_eq!(
            session.caller(Arc::new(other), origin()).err(),
            Some(SessionError::OtherKey)
        );
    }
}

#[test]
fn the_session_of_a_challenge_is_bound_to_its_address_and_the_same_each_time() {
    let make = || {
        let session = BearerSession::of_challenge(&caller(), NOW).unwrap();
        session.issue(&keyring(1))
    };
    assert_eq!(make(), make());
    let open = |now| BearerSession::open(&keyring(1), &make(), now);
    let session = open(NOW).unwrap();
    assert_eq!(session.only_from, Some(origin().address));
    let last = NOW.saturating_add(MAX_SESSION_LIFE);
    assert!(open(last).is_ok());
    let over = open(Timestamp::from_micros(last.as_micros() + 1));
    assert!(matches!(over, Err(SessionError::Expired { .. })));
    let facts = || Arc::new(facts(KeyScope::Everything));
    assert!(session.caller(facts(), origin()).is_ok());
    for address in [
        ClientAddress::UNKNOWN,
        ClientAddress::known("2001:db8::8".parse().unwrap()),
    ] {
        let elsewhere = Origin {
            address,
            ..origin()
        };
        let refused = session.caller(facts(), elsewhere).err();
        assert_eq!(refused, Some(SessionError::OtherAddress));
    }
}

#[test]
fn an_unknown_address_can_be_bound_to() {
    let unknown = Origin {
        address: ClientAddress::UNKNOWN,
        ..origin()
    };
    let key = Arc::new(facts(KeyScope::Everything));
    let caller = Caller::proven(Arc::clone(&key), unknown.clone());
    let text = BearerSession::of_challenge(&caller, NOW)
        .unwrap()
        .issue(&keyring(1));
    let session = BearerSession::open(&keyring(1), &text, NOW).unwrap();
    assert!(session.caller(Arc::clone(&key), unknown).is_ok());
    assert!(session.caller(key, origin()).is_err());
}

#[test]
fn a_lost_key_is_told_apart_from_a_forgery() {
    let text = BearerSession::new(&caller(), NOW, MINUTE)
        .unwrap()
        .issue(&keyring(1));
    let without = Keyring::parse(&format!("active = 2\n[keys]\n2 = \"{SECOND}\"")).unwrap();
    let kek_id = keyring(1).active_id();
    assert_eq!(
        BearerSession::open(&without, &text, NOW),
        Err(SessionError::KeyMissing { kek_id })
    );
}

proptest! {
    #[test]
    fn any_changed_byte_is_refused(at: prop::sample::Index, change in 1_u8..) {
        for text in [
            OperationSession::new(&caller(), put(), NOW, MINUTE).issue(&keyring(1)),
            with_owners(Some(3), Some(4)).issue(&keyring(1)),
            BearerSession::new(&caller(), NOW, MINUTE).unwrap().issue(&keyring(1)),
            BearerSession::of_challenge(&caller(), NOW).unwrap().issue(&keyring(1)),
        ] {
            let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= change;
            let changed = URL_SAFE_NO_PAD.encode(bytes);
            prop_assert!(OperationSession::open(&keyring(1), &changed, &put(), NOW).is_err());
            prop_assert!(BearerSession::open(&keyring(1), &changed, NOW).is_err());
        }
    }

    #[test]
    fn any_use_and_address_come_back(
        operation in "\\PC{0,20}",
        bucket in prop::option::of("\\PC{0,63}"),
        key in prop::option::of("\\PC{0,300}"),
        address: std::net::IpAddr,
    ) {
        let usage = usage(&operation, bucket.as_deref(), key.as_deref());
        let origin = Origin { address: ClientAddress::known(address), ..origin() };
        let caller = Caller::proven(Arc::new(facts(KeyScope::Everything)), origin);
        let session = OperationSession::new(&caller, usage.clone(), NOW, MINUTE);
        let opened = OperationSession::open(&keyring(1), &session.issue(&keyring(1)), &usage, NOW);
        prop_assert_eq!(opened, Ok(session));
    }

    #[test]
    fn any_text_is_refused_without_panic(text in "[A-Za-z0-9_=-]{0,120}") {
        prop_assert!(OperationSession::open(&keyring(1), &text, &put(), NOW).is_err());
        prop_assert!(BearerSession::open(&keyring(1), &text, NOW).is_err());
    }
}
