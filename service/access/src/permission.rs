//! The one evaluator: may this subject do this kind of operation to this target, from this address, now?
//!
//! Pure. Every front door, every re-decision at a commit, and `explain` ask it, and nothing else decides.

use super::access_class::{AccessClass, Holder, TargetNeed};
use super::caller::Caller;
use super::client_address::ClientAddress;
use super::ip_rules::IpVerdict;
use super::key_facts::{KeyFacts, KeyUnusable};
use bucketry_catalog::model::KeyScope;
use bucketry_domain::{AccountId, BucketId, Permission, Timestamp};

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
pub enum AccessTarget {
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
    pub target: AccessTarget,
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
        AccessClass::Authenticated if question.target == AccessTarget::ServiceOfOrphan => {
            Err(Denial::BucketDeleted)
        }
        AccessClass::Authenticated if key.scope != KeyScope::Edge => Ok(Basis::AnyKey),
        class => decide_scope(class, question.target, question.policy, key.scope),
    };
    basis.map(|basis| (basis, ip))
}

fn decide_scope(
    class: AccessClass,
    target: AccessTarget,
    policy: PolicyVerdict,
    scope: KeyScope,
) -> Result<Basis, Denial> {
    if scope == KeyScope::Edge {
        return match class {
            AccessClass::Edge => Ok(Basis::Edge),
            _ => Err(Denial::EdgeKey),
        };
    }
    if class.rule().target == TargetNeed::Bucket
        && !matches!(
            target,
            AccessTarget::Bucket { .. } | AccessTarget::AbsentBucket
        )
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
fn decide_account(
    class: AccessClass,
    target: AccessTarget,
    own: AccountId,
) -> Result<Basis, Denial> {
    if class.rule().account == Holder::Refused {
        return Err(Denial::OperatorsOnly);
    }
    match target {
        AccessTarget::Service | AccessTarget::ServiceOfOrphan | AccessTarget::AbsentBucket => {
            Ok(Basis::AccountAdministrator)
        }
        AccessTarget::Account(account) if account == own => Ok(Basis::AccountAdministrator),
        AccessTarget::Account(_) => Err(Denial::OtherAccount),
        AccessTarget::Bucket { account, .. } if account == own => Ok(Basis::AccountAdministrator),
        AccessTarget::Bucket { .. } => Err(Denial::OtherBucket),
    }
}

/// The bucket is judged before the class, so that every answer about another bucket is the same one.
fn decide_token(
    class: AccessClass,
    target: AccessTarget,
    own: BucketId,
    permission: Permission,
) -> Result<Basis, Denial> {
    let rule = class.rule();
    match target {
        AccessTarget::Bucket { bucket, .. } if bucket == own => {}
        AccessTarget::Bucket { .. } | AccessTarget::AbsentBucket => {
            return Err(Denial::OtherBucket);
        }
        AccessTarget::ServiceOfOrphan => return Err(Denial::BucketDeleted),
        AccessTarget::Service | AccessTarget::Account(_) => {
            let operators_only = rule.account == Holder::Refused;
            return Err(if operators_only {
                Denial::OperatorsOnly
            } else {
                Denial::AdministratorsOnly
            });
        }
    }
    if rule.tokens.contains(&permission) {
        Ok(Basis::Token(permission))
    } else if rule.account == Holder::Refused {
        Err(Denial::OperatorsOnly)
    } else if rule.tokens.is_empty() {
        Err(Denial::AdministratorsOnly)
    } else {
        Err(Denial::PermissionLacks(permission))
    }
}

/// A policy speaks of its own bucket and what is in it. Administration is never given away by it.
fn policy_can_grant(class: AccessClass, target: AccessTarget) -> bool {
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
    of_the_bucket && matches!(target, AccessTarget::Bucket { .. })
}

#[cfg(test)]
mod tests;
