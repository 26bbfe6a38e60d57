//! The one evaluator: may this subject do this kind of operation to this target, from this address, now?
//!
//! Pure. Every front door, every re-decision at a commit, and `explain` ask it, and nothing else decides.

use super::access_class::{AccessClass, Holder, TargetNeed};
use super::caller::Caller;
use super::client_address::ClientAddress;
use super::ip_rules::IpVerdict;
use super::key_facts::{KeyFacts, KeyUnusable};
use crate::catalog::model::KeyScope;
use crate::domain::{AccountId, BucketId, Permission, Timestamp};

/// Who is judged. A [`Caller`] gives one; `explain` makes one up without holding any proof.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The key; none for an anonymous caller.
    pub key: Option<&'a KeyFacts>,
    /// The address that IP rules judge.
    pub address: ClientAddress,
}

/// What the operation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The service as a whole.
    Service,
    /// An account.
    Account(AccountId),
    /// A bucket, or something in it.
    Bucket {
        /// The bucket's id.
        bucket: BucketId,
        /// The account that owns it.
        account: AccountId,
    },
    /// A bucket name that no bucket has.
    AbsentBucket,
    /// The service as a whole, asked by a token whose bucket is deleted.
    ServiceOfOrphan,
}

/// What the bucket's policy and ACL say about this subject, class and target.
///
/// The evaluator honours all three. Buckets that carry neither policy nor ACL are [`PolicyVerdict::Silent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PolicyVerdict {
    /// Nothing: the key's own scope decides.
    #[default]
    Silent,
    /// An explicit permission. Reaches anonymous callers and other accounts' administrators. It never widens a token:
    /// a token's bucket and permission are its whole reach.
    Allows,
    /// An explicit refusal: beats every permission but an operator's.
    Denies,
}

/// A question to the evaluator.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who asks.
    pub subject: Subject<'a>,
    /// The kind of operation.
    pub class: AccessClass,
    /// What it is about.
    pub target: Target,
    /// What policy and ACL say.
    pub policy: PolicyVerdict,
    /// This server's clock.
    pub now: Timestamp,
}

/// The answer, with what decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may be done.
    Allow {
        /// Why.
        basis: Basis,
        /// What the key's IP rules said; [`IpVerdict::Unrestricted`] for anonymous callers.
        ip: IpVerdict,
    },
    /// It may not.
    Deny(Denial),
}

/// Why something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// It is for everybody.
    Public,
    /// It is for every usable key.
    AnyKey,
    /// An operator's key.
    Operator,
    /// The administrator of the account concerned.
    AccountAdministrator,
    /// A token of the bucket concerned, with this permission.
    Token(Permission),
    /// The bucket's policy or ACL.
    Policy,
    /// The key of a separate adapter, for the adapter's service.
    Edge,
}

/// Why something is denied: for administrators and logs. What the client reads is decided at the boundary, and is the
/// same for [`Denial::OtherBucket`] whether or not the bucket exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// The caller is anonymous.
    Anonymous,
    /// The key is suspended, revoked or expired.
    KeyUnusable(KeyUnusable),
    /// The key's IP rules refuse the address.
    Address(IpVerdict),
    /// The bucket's policy or ACL refuses explicitly.
    Policy,
    /// A token asks about another bucket than its own, there or not; or an administrator about another account's.
    OtherBucket,
    /// An administrator asks about another account.
    OtherAccount,
    /// The token's permission does not include this.
    PermissionLacks(Permission),
    /// For administrators of the bucket or account, not for tokens.
    AdministratorsOnly,
    /// For operators.
    OperatorsOnly,
    /// For edge keys; an operator asks.
    EdgeKeysOnly,
    /// An edge key is used for something other than the adapter's service.
    EdgeKey,
    /// The operation is about a bucket, but none is named.
    NoBucketNamed,
    /// The token's bucket is deleted: the token reaches nothing.
    BucketDeleted,
}

impl Caller {
    /// The caller as the evaluator sees it.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            key: self.key().map(AsRef::as_ref),
            address: self.address(),
        }
    }
}

impl Decision {
    /// Whether it may be done.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        match self {
            Self::Allow { .. } => true,
            Self::Deny(_) => false,
        }
    }
}

/// Decides.
///
/// First the key itself (state, expiry), then the address, then explicit refusals, then scope and permission: the
/// order in which an administrator wants to hear of it.
#[must_use]
pub fn decide(question: &Question<'_>) -> Decision {
    let verdict = match question.subject.key {
        None => decide_anonymous(question).map(|basis| (basis, IpVerdict::Unrestricted)),
        Some(key) => decide_key(question, key),
    };
    match verdict {
        Ok((basis, ip)) => Decision::Allow { basis, ip },
        Err(denial) => Decision::Deny(denial),
    }
}

fn decide_anonymous(question: &Question<'_>) -> Result<Basis, Denial> {
    match (question.class, question.policy) {
        (AccessClass::Public, _) => Ok(Basis::Public),
        (_, PolicyVerdict::Denies) => Err(Denial::Policy),
        (class, PolicyVerdict::Allows) if policy_can_grant(class, question.target) => {
            Ok(Basis::Policy)
        }
        (_, PolicyVerdict::Allows | PolicyVerdict::Silent) => Err(Denial::Anonymous),
    }
}

fn decide_key(question: &Question<'_>, key: &KeyFacts) -> Result<(Basis, IpVerdict), Denial> {
    // These operations need no key, so its state and address rules are not judged.
    if question.class == AccessClass::Public {
        return Ok((Basis::Public, IpVerdict::Unrestricted));
    }
    if let Some(reason) = key.unusable(question.now) {
        return Err(Denial::KeyUnusable(reason));
    }
    let ip = key.ip_rules.judge(question.subject.address);
    if !ip.is_allowed() {
        return Err(Denial::Address(ip));
    }
    let basis = match question.class {
        AccessClass::Authenticated if question.target == Target::ServiceOfOrphan => {
            Err(Denial::BucketDeleted)
        }
        AccessClass::Authenticated if key.scope != KeyScope::Edge => Ok(Basis::AnyKey),
        class => decide_scope(class, question.target, question.policy, key.scope),
    };
    basis.map(|basis| (basis, ip))
}

fn decide_scope(
    class: AccessClass,
    target: Target,
    policy: PolicyVerdict,
    scope: KeyScope,
) -> Result<Basis, Denial> {
    if scope == KeyScope::Edge {
        return match class {
            AccessClass::Edge => Ok(Basis::Edge),
            _ => Err(Denial::EdgeKey),
        };
    }
    if class.grant().target == TargetNeed::Bucket
        && !matches!(target, Target::Bucket { .. } | Target::AbsentBucket)
    {
        return Err(Denial::NoBucketNamed);
    }
    match (scope, policy) {
        (KeyScope::Everything, _) if class == AccessClass::Edge => Err(Denial::EdgeKeysOnly),
        (KeyScope::Everything, _) => Ok(Basis::Operator),
        (KeyScope::Edge, _) => Err(Denial::EdgeKey),
        (_, PolicyVerdict::Denies) => Err(Denial::Policy),
        (KeyScope::Account(own), policy) => match decide_account(class, target, own) {
            Err(Denial::OtherBucket)
                if policy == PolicyVerdict::Allows && policy_can_grant(class, target) =>
            {
                Ok(Basis::Policy)
            }
            decided => decided,
        },
        (
            KeyScope::Bucket {
                bucket, permission, ..
            },
            _,
        ) => decide_token(class, target, bucket, permission),
    }
}

/// An account administrator learns that a name is free (creating a bucket would tell it anyway), hence `NoSuchBucket`
/// and the client's next step; of another account's bucket it learns nothing but the refusal.
fn decide_account(class: AccessClass, target: Target, own: AccountId) -> Result<Basis, Denial> {
    if class.grant().account == Holder::Refused {
        return Err(Denial::OperatorsOnly);
    }
    match target {
        Target::Service | Target::ServiceOfOrphan | Target::AbsentBucket => {
            Ok(Basis::AccountAdministrator)
        }
        Target::Account(account) if account == own => Ok(Basis::AccountAdministrator),
        Target::Account(_) => Err(Denial::OtherAccount),
        Target::Bucket { account, .. } if account == own => Ok(Basis::AccountAdministrator),
        Target::Bucket { .. } => Err(Denial::OtherBucket),
    }
}

/// The bucket is judged before the class, so that every answer about another bucket is the same one.
fn decide_token(
    class: AccessClass,
    target: Target,
    own: BucketId,
    permission: Permission,
) -> Result<Basis, Denial> {
    let grant = class.grant();
    match target {
        Target::Bucket { bucket, .. } if bucket == own => {}
        Target::Bucket { .. } | Target::AbsentBucket => return Err(Denial::OtherBucket),
        Target::ServiceOfOrphan => return Err(Denial::BucketDeleted),
        Target::Service | Target::Account(_) => {
            let operators_only = grant.account == Holder::Refused;
            return Err(if operators_only {
                Denial::OperatorsOnly
            } else {
                Denial::AdministratorsOnly
            });
        }
    }
    if grant.tokens.contains(&permission) {
        Ok(Basis::Token(permission))
    } else if grant.account == Holder::Refused {
        Err(Denial::OperatorsOnly)
    } else if grant.tokens.is_empty() {
        Err(Denial::AdministratorsOnly)
    } else {
        Err(Denial::PermissionLacks(permission))
    }
}

/// A policy speaks of its own bucket and what is in it. Administration is never given away by it.
fn policy_can_grant(class: AccessClass, target: Target) -> bool {
    let of_the_bucket = match class {
        AccessClass::BucketProbe
        | AccessClass::BucketSetting
        | AccessClass::Read
        | AccessClass::List
        | AccessClass::Write
        | AccessClass::ReadWrite
        | AccessClass::Copy
        | AccessClass::Delete
        | AccessClass::ListParts => true,
        AccessClass::Public
        | AccessClass::Authenticated
        | AccessClass::CreateBucket
        | AccessClass::BucketAdmin
        | AccessClass::AccountAdmin
        | AccessClass::Operator
        | AccessClass::Edge => false,
    };
    of_the_bucket && matches!(target, Target::Bucket { .. })
}

#[cfg(test)]
mod tests {
    use super::super::ip_rules::IpRules;
    use super::super::key_facts::tests::facts;
    use super::*;
    use crate::catalog::model::KeyState;

    const OWN_ACCOUNT: AccountId = AccountId(1);
    const OWN: Target = Target::Bucket {
        bucket: BucketId(10),
        account: OWN_ACCOUNT,
    };
    const SISTER: Target = Target::Bucket {
        bucket: BucketId(11),
        account: OWN_ACCOUNT,
    };
    const FOREIGN: Target = Target::Bucket {
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
        target: Target,
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

    fn allowed(scope: Option<KeyScope>, class: AccessClass, target: Target) -> bool {
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

    fn row(class: AccessClass, target: Target) -> String {
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
            let administrator = class.grant().account == Holder::Granted;
            let with_account = if administrator { "----yy-" } else { "-----y-" };
            for (target, expected) in [
                (SISTER, with_account),
                (FOREIGN, "-----y-"),
                (Target::AbsentBucket, with_account),
            ] {
                assert_eq!(
                    row(class, target),
                    keyless.unwrap_or(expected),
                    "{class:?} {target:?}"
                );
            }
            let nowhere = if class.grant().target == TargetNeed::Bucket {
                "-------"
            } else {
                with_account
            };
            for target in [Target::Service, Target::Account(OWN_ACCOUNT)] {
                assert_eq!(
                    row(class, target),
                    keyless.unwrap_or(nowhere),
                    "{class:?} {target:?}"
                );
            }
            let foreign_account = if class.grant().target == TargetNeed::Bucket {
                "-------"
            } else {
                "-----y-"
            };
            assert_eq!(
                row(class, Target::Account(AccountId(2))),
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
                for target in [SISTER, FOREIGN, Target::AbsentBucket] {
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
                    Target::ServiceOfOrphan,
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
                Target::Service,
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
                Target::Service,
                Denial::OperatorsOnly,
            ),
            (
                Some(token(Permission::ReadOnly)),
                AccessClass::Read,
                Target::Service,
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
                Target::Service,
                Denial::EdgeKeysOnly,
            ),
            (
                Some(KeyScope::Edge),
                AccessClass::Authenticated,
                Target::Service,
                Denial::EdgeKey,
            ),
            (
                Some(KeyScope::Edge),
                AccessClass::Read,
                Target::Service,
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
                Target::Account(AccountId(2)),
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
                Target::AbsentBucket,
                PolicyVerdict::Allows
            )
            .is_allowed()
        );
    }
}
