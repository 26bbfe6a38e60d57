use super::super::ip_rules::IpRules;
use super::super::key_facts::tests::facts;
use super::*;
use bucketry_catalog::model::KeyState;

const OWN_ACCOUNT: AccountId = AccountId(1);
const OWN: AccessTarget = AccessTarget::Bucket {
    bucket: BucketId(10),
    account: OWN_ACCOUNT,
};
const SISTER: AccessTarget = AccessTarget::Bucket {
    bucket: BucketId(11),
    account: OWN_ACCOUNT,
};
const FOREIGN: AccessTarget = AccessTarget::Bucket {
    bucket: BucketId(20),
    account: AccountId(2),
};
const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn token(permission: Permission) -> KeyScope {
    KeyScope::Bucket {
        account: OWN_ACCOUNT,
        bucket: BucketId(10),
        permission,
    }
}

fn ask(
    key: Option<&KeyFacts>,
    class: AccessClass,
    target: AccessTarget,
    policy: PolicyVerdict,
) -> Decision {
    let subject = Subject {
        key,
        address: ClientAddress::known("192.0.2.1".parse().unwrap()),
    };
    decide(&Question {
        subject,
        class,
        target,
        policy,
        now: NOW,
    })
}

fn allowed(scope: Option<KeyScope>, class: AccessClass, target: AccessTarget) -> bool {
    let key = scope.map(facts);
    ask(key.as_ref(), class, target, PolicyVerdict::Silent).is_allowed()
}

/// The promised table, written apart from the code: one letter per column.
/// Columns: anonymous, RO, WO, RW, account administrator, operator, edge key.
const OWN_BUCKET: [(AccessClass, &str); 16] = [
    (AccessClass::Public, "yyyyyyy"),
    (AccessClass::Authenticated, "-yyyyy-"),
    (AccessClass::BucketProbe, "-yyyyy-"),
    (AccessClass::CreateBucket, "-yyyyy-"),
    (AccessClass::BucketSetting, "-y-yyy-"),
    (AccessClass::Read, "-y-yyy-"),
    (AccessClass::List, "-y-yyy-"),
    (AccessClass::Write, "--yyyy-"),
    (AccessClass::ReadWrite, "---yyy-"),
    (AccessClass::Copy, "---yyy-"),
    (AccessClass::Delete, "---yyy-"),
    (AccessClass::ListParts, "--yyyy-"),
    (AccessClass::BucketAdmin, "----yy-"),
    (AccessClass::AccountAdmin, "----yy-"),
    (AccessClass::Operator, "-----y-"),
    (AccessClass::Edge, "------y"),
];

fn columns() -> [Option<KeyScope>; 7] {
    [
        None,
        Some(token(Permission::ReadOnly)),
        Some(token(Permission::WriteOnly)),
        Some(token(Permission::ReadWrite)),
        Some(KeyScope::Account(OWN_ACCOUNT)),
        Some(KeyScope::Everything),
        Some(KeyScope::Edge),
    ]
}

fn row(class: AccessClass, target: AccessTarget) -> String {
    columns()
        .into_iter()
        .map(|scope| {
            if allowed(scope, class, target) {
                'y'
            } else {
                '-'
            }
        })
        .collect()
}

#[test]
fn the_whole_table_on_the_own_bucket() {
    assert_eq!(OWN_BUCKET.map(|(class, _)| class), AccessClass::ALL);
    for (class, expected) in OWN_BUCKET {
        assert_eq!(row(class, OWN), expected, "{class:?}");
    }
}

#[test]
fn the_whole_table_elsewhere() {
    for class in AccessClass::ALL {
        let keyless = match class {
            AccessClass::Public => Some("yyyyyyy"),
            AccessClass::Authenticated => Some("-yyyyy-"),
            // On any resource.
            AccessClass::Edge => Some("------y"),
            _ => None,
        };
        let administrator = class.rule().account == Holder::Granted;
        let with_account = if administrator { "----yy-" } else { "-----y-" };
        for (target, expected) in [
            (SISTER, with_account),
            (FOREIGN, "-----y-"),
            (AccessTarget::AbsentBucket, with_account),
        ] {
            assert_eq!(
                row(class, target),
                keyless.unwrap_or(expected),
                "{class:?} {target:?}"
            );
        }
        let nowhere = if class.rule().target == TargetNeed::Bucket {
            "-------"
        } else {
            with_account
        };
        for target in [AccessTarget::Service, AccessTarget::Account(OWN_ACCOUNT)] {
            assert_eq!(
                row(class, target),
                keyless.unwrap_or(nowhere),
                "{class:?} {target:?}"
            );
        }
        let foreign_account = if class.rule().target == TargetNeed::Bucket {
            "-------"
        } else {
            "-----y-"
        };
        assert_eq!(
            row(class, AccessTarget::Account(AccountId(2))),
            keyless.unwrap_or(foreign_account),
            "{class:?}"
        );
    }
}

#[test]
fn a_token_cannot_tell_an_absent_bucket_from_another() {
    for permission in Permission::ALL {
        let key = facts(token(permission));
        for class in AccessClass::ALL {
            if matches!(class, AccessClass::Public | AccessClass::Authenticated) {
                continue;
            }
            for target in [SISTER, FOREIGN, AccessTarget::AbsentBucket] {
                let decision = ask(Some(&key), class, target, PolicyVerdict::Silent);
                assert_eq!(
                    decision,
                    Decision::Deny(Denial::OtherBucket),
                    "{class:?} {target:?}"
                );
            }
        }
    }
}

#[test]
fn a_token_whose_bucket_is_deleted_reaches_nothing() {
    for permission in Permission::ALL {
        let key = facts(token(permission));
        for class in AccessClass::ALL {
            let decision = ask(
                Some(&key),
                class,
                AccessTarget::ServiceOfOrphan,
                PolicyVerdict::Silent,
            );
            assert_eq!(
                decision.is_allowed(),
                class == AccessClass::Public,
                "{class:?}"
            );
        }
    }
}

#[test]
fn denials_name_the_rule() {
    for (scope, class, target, expected) in [
        (None, AccessClass::Read, OWN, Denial::Anonymous),
        (
            Some(token(Permission::WriteOnly)),
            AccessClass::Read,
            OWN,
            Denial::PermissionLacks(Permission::WriteOnly),
        ),
        (
            Some(token(Permission::ReadWrite)),
            AccessClass::BucketAdmin,
            OWN,
            Denial::AdministratorsOnly,
        ),
        (
            Some(token(Permission::ReadWrite)),
            AccessClass::AccountAdmin,
            AccessTarget::Service,
            Denial::AdministratorsOnly,
        ),
        (
            Some(token(Permission::ReadWrite)),
            AccessClass::Operator,
            OWN,
            Denial::OperatorsOnly,
        ),
        (
            Some(token(Permission::ReadWrite)),
            AccessClass::Operator,
            AccessTarget::Service,
            Denial::OperatorsOnly,
        ),
        (
            Some(token(Permission::ReadOnly)),
            AccessClass::Read,
            AccessTarget::Service,
            Denial::NoBucketNamed,
        ),
        (
            Some(KeyScope::Account(OWN_ACCOUNT)),
            AccessClass::Operator,
            OWN,
            Denial::OperatorsOnly,
        ),
        (
            Some(KeyScope::Everything),
            AccessClass::Edge,
            AccessTarget::Service,
            Denial::EdgeKeysOnly,
        ),
        (
            Some(KeyScope::Edge),
            AccessClass::Authenticated,
            AccessTarget::Service,
            Denial::EdgeKey,
        ),
        (
            Some(KeyScope::Edge),
            AccessClass::Read,
            AccessTarget::Service,
            Denial::EdgeKey,
        ),
        (
            Some(KeyScope::Account(OWN_ACCOUNT)),
            AccessClass::Read,
            FOREIGN,
            Denial::OtherBucket,
        ),
        (
            Some(KeyScope::Account(OWN_ACCOUNT)),
            AccessClass::AccountAdmin,
            AccessTarget::Account(AccountId(2)),
            Denial::OtherAccount,
        ),
    ] {
        let key = scope.map(facts);
        let decision = ask(key.as_ref(), class, target, PolicyVerdict::Silent);
        assert_eq!(
            decision,
            Decision::Deny(expected),
            "{scope:?} {class:?} {target:?}"
        );
    }
}

/// All but what is for everybody: there the key is not looked at.
#[test]
fn an_unusable_key_or_address_ends_every_class_even_for_operators() {
    let rules = |allowed: &[&str]| IpRules::parse(allowed, &[] as &[&str]).unwrap();
    for scope in columns().into_iter().flatten() {
        let good = facts(scope);
        for (key, expected) in [
            (
                KeyFacts {
                    state: KeyState::Revoked,
                    ..good.clone()
                },
                Denial::KeyUnusable(KeyUnusable::Revoked),
            ),
            (
                KeyFacts {
                    state: KeyState::Suspended,
                    ..good.clone()
                },
                Denial::KeyUnusable(KeyUnusable::Suspended),
            ),
            (
                KeyFacts {
                    expires_at: Some(NOW),
                    ..good.clone()
                },
                Denial::KeyUnusable(KeyUnusable::Expired { at: NOW }),
            ),
            (
                KeyFacts {
                    ip_rules: rules(&["10.0.0.0/8"]),
                    ..good.clone()
                },
                Denial::Address(IpVerdict::NotListed),
            ),
        ] {
            for class in AccessClass::ALL {
                let decision = ask(Some(&key), class, OWN, PolicyVerdict::Allows);
                let expected = match class {
                    AccessClass::Public => Decision::Allow {
                        basis: Basis::Public,
                        ip: IpVerdict::Unrestricted,
                    },
                    _ => Decision::Deny(expected),
                };
                assert_eq!(decision, expected, "{class:?}");
            }
        }
        let listed = KeyFacts {
            ip_rules: rules(&["192.0.2.0/24"]),
            ..good
        };
        let class = match scope {
            KeyScope::Edge => AccessClass::Edge,
            _ => AccessClass::BucketProbe,
        };
        let Decision::Allow { ip, .. } = ask(Some(&listed), class, OWN, PolicyVerdict::Silent)
        else {
            panic!("{scope:?} was refused");
        };
        assert_eq!(ip, IpVerdict::Allowed("192.0.2.0/24".parse().unwrap()));
    }
}

#[test]
fn a_policy_refuses_all_but_operators() {
    for (class, _) in OWN_BUCKET {
        let refused = !matches!(class, AccessClass::Public | AccessClass::Authenticated);
        for scope in columns() {
            let key = scope.map(facts);
            let decision = ask(key.as_ref(), class, OWN, PolicyVerdict::Denies);
            let expected = match (scope, class) {
                (_, AccessClass::Public) | (Some(KeyScope::Edge), AccessClass::Edge) => true,
                (Some(KeyScope::Everything), class) => class != AccessClass::Edge,
                (Some(KeyScope::Edge), _) => false,
                (None, _) => false,
                _ => !refused,
            };
            assert_eq!(decision.is_allowed(), expected, "{scope:?} {class:?}");
        }
    }
}

#[test]
fn a_policy_opens_its_bucket_but_widens_no_token_and_gives_no_administration() {
    let foreign_administrator = facts(KeyScope::Account(AccountId(2)));
    for (class, on_own_bucket) in OWN_BUCKET {
        let administration = matches!(
            class,
            AccessClass::CreateBucket
                | AccessClass::BucketAdmin
                | AccessClass::AccountAdmin
                | AccessClass::Operator
                | AccessClass::Edge
        );
        let anonymous = !administration && class != AccessClass::Authenticated;
        assert_eq!(
            ask(None, class, OWN, PolicyVerdict::Allows).is_allowed(),
            anonymous,
            "{class:?}"
        );
        let decision = ask(
            Some(&foreign_administrator),
            class,
            OWN,
            PolicyVerdict::Allows,
        );
        assert_eq!(decision.is_allowed(), !administration, "{class:?}");
        for (column, permission) in Permission::ALL.into_iter().enumerate() {
            let key = facts(token(permission));
            let expected = on_own_bucket.as_bytes()[column + 1] == b'y';
            assert_eq!(
                ask(Some(&key), class, OWN, PolicyVerdict::Allows).is_allowed(),
                expected
            );
            let elsewhere = matches!(class, AccessClass::Public | AccessClass::Authenticated);
            assert_eq!(
                ask(Some(&key), class, FOREIGN, PolicyVerdict::Allows).is_allowed(),
                elsewhere
            );
        }
    }
    assert!(
        !ask(
            None,
            AccessClass::Read,
            AccessTarget::AbsentBucket,
            PolicyVerdict::Allows
        )
        .is_allowed()
    );
}
