//! What decided, in words: for administrators, in the records of refused requests and in the answers of `ExplainAccess`.
//! The client of a refused request never sees it.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::access_class::AccessClass;
use super::ip_rules::IpVerdict;
use super::key_facts::KeyUnusable;
use super::permission::{Basis, Decision, Denial};
use bucketry_domain::Timestamp;

/// What decided on a request: the contract's `DecisionReason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DecisionReason {
    /// Allowed: the key's scope and permission include the operation.
    Permitted,
    /// Allowed: it is for every usable key, or for everybody.
    ForAnyKey,
    /// Refused: the signature or secret is wrong, or there is none.
    Signature,
    /// Refused: the key is suspended.
    Suspended,
    /// Refused: the key is revoked.
    Revoked,
    /// Refused: the key is past its time.
    Expired,
    /// Refused: the key has IP rules and the client's address is not known.
    AddressUnknown,
    /// Refused: the client's address is disallowed.
    AddressDisallowed,
    /// Refused: the client's address is not allowed.
    AddressNotAllowed,
    /// Refused: it is about another bucket or account.
    OtherBucket,
    /// Refused: the token's permission does not include the operation.
    Permission,
    /// Refused: for administrators, or names no bucket.
    AdministratorsOnly,
    /// Refused: for operators.
    OperatorsOnly,
    /// Refused: the bucket's policy.
    Policy,
    /// Refused: the requests per second are used up.
    RequestLimit,
    /// Refused: the bytes of the day are used up.
    ByteLimit,
}

impl DecisionReason {
    /// Every reason, in the order of the contract.
    pub const ALL: [Self; 16] = [
        Self::Permitted,
        Self::ForAnyKey,
        Self::Signature,
        Self::Suspended,
        Self::Revoked,
        Self::Expired,
        Self::AddressUnknown,
        Self::AddressDisallowed,
        Self::AddressNotAllowed,
        Self::OtherBucket,
        Self::Permission,
        Self::AdministratorsOnly,
        Self::OperatorsOnly,
        Self::Policy,
        Self::RequestLimit,
        Self::ByteLimit,
    ];

    /// The contract's number of it.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Permitted => 1,
            Self::ForAnyKey => 2,
            Self::Signature => 10,
            Self::Suspended => 11,
            Self::Revoked => 12,
            Self::Expired => 13,
            Self::AddressUnknown => 14,
            Self::AddressDisallowed => 15,
            Self::AddressNotAllowed => 16,
            Self::OtherBucket => 17,
            Self::Permission => 18,
            Self::AdministratorsOnly => 19,
            Self::OperatorsOnly => 20,
            Self::Policy => 21,
            Self::RequestLimit => 22,
            Self::ByteLimit => 23,
        }
    }

    /// The reason of a number; none if it is one of a later version.
    #[must_use]
    pub fn numbered(number: i64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.number() == number)
    }

    /// Its name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Permitted => "permitted",
            Self::ForAnyKey => "for_any_key",
            Self::Signature => "signature",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::AddressUnknown => "address_unknown",
            Self::AddressDisallowed => "address_disallowed",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::OtherBucket => "other_bucket",
            Self::Permission => "permission",
            Self::AdministratorsOnly => "administrators_only",
            Self::OperatorsOnly => "operators_only",
            Self::Policy => "policy",
            Self::RequestLimit => "request_limit",
            Self::ByteLimit => "byte_limit",
        }
    }

    /// The reason of a name; none if it is one of a later version.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// A decision for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Whether it may be done.
    pub allowed: bool,
    /// What kind of rule decided.
    pub reason: DecisionReason,
    /// The rule itself, as in `disallowed_ips: 10.1.0.0/16` or `permission: write-only lacks READ`.
    pub rule: String,
}

/// Explains a decision about an operation of `class`.
#[must_use]
pub fn explain(decision: &Decision, class: AccessClass) -> Explanation {
    match decision {
        Decision::Allow { basis, ip } => {
            let (reason, rule) = allowance(*basis, *ip, class);
            Explanation {
                allowed: true,
                reason,
                rule,
            }
        }
        Decision::Deny(denial) => {
            let (reason, rule) = refusal(denial, class);
            refused(reason, rule)
        }
    }
}

/// A wrong signature or secret: `what` says which, as in `signature` or `secret`.
#[must_use]
pub fn explain_wrong_proof(what: &str) -> Explanation {
    refused(
        DecisionReason::Signature,
        format!("{what}: not made with this key's secret"),
    )
}

/// More requests per second than `limit`.
#[must_use]
pub fn explain_request_limit(limit: u32) -> Explanation {
    refused(
        DecisionReason::RequestLimit,
        format!("limits.requests_per_second: {limit}"),
    )
}

/// The day's `limit` of bytes is used up.
#[must_use]
pub fn explain_byte_limit(limit: u64) -> Explanation {
    refused(
        DecisionReason::ByteLimit,
        format!("limits.bytes_per_day: {limit}"),
    )
}

fn refused(reason: DecisionReason, rule: String) -> Explanation {
    Explanation {
        allowed: false,
        reason,
        rule,
    }
}

fn allowance(basis: Basis, ip: IpVerdict, class: AccessClass) -> (DecisionReason, String) {
    let needed = class.name();
    let (reason, rule) = match basis {
        Basis::Public => (
            DecisionReason::ForAnyKey,
            format!("{needed}: for everybody"),
        ),
        Basis::AnyKey => (
            DecisionReason::ForAnyKey,
            format!("{needed}: for every usable key"),
        ),
        Basis::Operator => (
            DecisionReason::Permitted,
            format!("scope: operators may {needed}"),
        ),
        Basis::AccountAdministrator => (
            DecisionReason::Permitted,
            format!("scope: the account's administrators may {needed}"),
        ),
        Basis::Token(permission) => (
            DecisionReason::Permitted,
            format!("permission: {permission} has {needed}"),
        ),
        Basis::Policy => (
            DecisionReason::Permitted,
            format!("policy: allows {needed}"),
        ),
        Basis::Edge => (
            DecisionReason::Permitted,
            format!("scope: edge keys may {needed}"),
        ),
    };
    match ip {
        IpVerdict::Allowed(net) => (reason, format!("{rule}; allowed_ips: {net}")),
        IpVerdict::Unrestricted
        | IpVerdict::Disallowed(_)
        | IpVerdict::NotListed
        | IpVerdict::UnknownAddress => (reason, rule),
    }
}

fn refusal(denial: &Denial, class: AccessClass) -> (DecisionReason, String) {
    let needed = class.name();
    match denial {
        Denial::Anonymous => (
            DecisionReason::Signature,
            "credentials: none were given".to_owned(),
        ),
        Denial::KeyUnusable(KeyUnusable::Suspended) => {
            (DecisionReason::Suspended, "state: suspended".to_owned())
        }
        Denial::KeyUnusable(KeyUnusable::Revoked) => {
            (DecisionReason::Revoked, "state: revoked".to_owned())
        }
        Denial::KeyUnusable(KeyUnusable::Expired { at }) => (
            DecisionReason::Expired,
            format!("expire_time: {}", rfc3339(*at)),
        ),
        Denial::Address(verdict) => address(*verdict),
        Denial::Policy => (DecisionReason::Policy, format!("policy: denies {needed}")),
        Denial::OtherBucket => (
            DecisionReason::OtherBucket,
            "bucket: not this key's own".to_owned(),
        ),
        Denial::OtherAccount => (
            DecisionReason::OtherBucket,
            "account: not this key's own".to_owned(),
        ),
        Denial::PermissionLacks(permission) => (
            DecisionReason::Permission,
            format!("permission: {permission} lacks {needed}"),
        ),
        Denial::AdministratorsOnly => (
            DecisionReason::AdministratorsOnly,
            format!("{needed}: for administrators, not for tokens"),
        ),
        Denial::OperatorsOnly => (
            DecisionReason::OperatorsOnly,
            format!("{needed}: for operators"),
        ),
        Denial::BucketDeleted => (
            DecisionReason::OtherBucket,
            "bucket: deleted, so the token is orphaned".to_owned(),
        ),
        Denial::EdgeKeysOnly => (
            DecisionReason::OperatorsOnly,
            format!("{needed}: for edge keys"),
        ),
        Denial::EdgeKey => (
            DecisionReason::Permission,
            format!("scope: edge keys may EDGE, not {needed}"),
        ),
        Denial::NoBucketNamed => (
            DecisionReason::AdministratorsOnly,
            format!("bucket: {needed} needs one"),
        ),
    }
}

/// A refusing verdict carries its entry. The two allowing ones never come here; they say so if they ever do.
fn address(verdict: IpVerdict) -> (DecisionReason, String) {
    match verdict {
        IpVerdict::Disallowed(net) => (
            DecisionReason::AddressDisallowed,
            format!("disallowed_ips: {net}"),
        ),
        IpVerdict::NotListed => (
            DecisionReason::AddressNotAllowed,
            "allowed_ips: none holds the address".to_owned(),
        ),
        IpVerdict::UnknownAddress => (
            DecisionReason::AddressUnknown,
            "allowed_ips, disallowed_ips: the address is unknown".to_owned(),
        ),
        IpVerdict::Unrestricted | IpVerdict::Allowed(_) => (
            DecisionReason::AddressNotAllowed,
            "allowed_ips: the address was refused although allowed".to_owned(),
        ),
    }
}

/// A moment that no calendar holds is shown as seconds since 1970.
fn rfc3339(at: Timestamp) -> String {
    OffsetDateTime::from_unix_timestamp(at.as_seconds())
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("@{}", at.as_seconds()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bucketry_domain::Permission;

    fn denied(denial: Denial, class: AccessClass) -> Explanation {
        explain(&Decision::Deny(denial), class)
    }

    #[test]
    fn a_refusal_names_its_rule() {
        let net = "10.1.0.0/16".parse().unwrap();
        for (denial, reason, rule) in [
            (
                Denial::Address(IpVerdict::Disallowed(net)),
                DecisionReason::AddressDisallowed,
                "disallowed_ips: 10.1.0.0/16",
            ),
            (
                Denial::PermissionLacks(Permission::WriteOnly),
                DecisionReason::Permission,
                "permission: write-only lacks READ",
            ),
            (
                Denial::KeyUnusable(KeyUnusable::Expired {
                    at: Timestamp::from_seconds(1_369_353_600),
                }),
                DecisionReason::Expired,
                "expire_time: 2013-05-24T00:00:00Z",
            ),
        ] {
            let explained = denied(denial, AccessClass::Read);
            assert_eq!(
                (explained.allowed, explained.reason, explained.rule.as_str()),
                (false, reason, rule)
            );
        }
    }

    #[test]
    fn an_allowance_names_permission_and_entry() {
        let allow = |ip| Decision::Allow {
            basis: Basis::Token(Permission::ReadOnly),
            ip,
        };
        let explained = explain(&allow(IpVerdict::Unrestricted), AccessClass::List);
        assert_eq!(explained.rule, "permission: read-only has LIST");
        let net = "192.0.2.0/24".parse().unwrap();
        let explained = explain(&allow(IpVerdict::Allowed(net)), AccessClass::List);
        assert_eq!(
            explained.rule,
            "permission: read-only has LIST; allowed_ips: 192.0.2.0/24"
        );
        assert!(explained.allowed);
    }

    #[test]
    fn names_numbers_and_places_lead_back() {
        for (place, reason) in DecisionReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, place);
            assert_eq!(DecisionReason::named(reason.name()), Some(reason));
            assert_eq!(DecisionReason::numbered(reason.number()), Some(reason));
        }
    }

    #[test]
    fn a_moment_beyond_the_calendar_is_still_told() {
        assert_eq!(rfc3339(Timestamp::MAX), "@9223372036854");
    }
}
