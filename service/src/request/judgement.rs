//! Calls the evaluator, and converts a denial into the caller's error.

use crate::access::{
    self, AccessClass, AccessTarget, Decision, Denial, Explanation, PolicyVerdict, Question,
    Subject, explain,
};
use crate::domain::Timestamp;
use crate::error::Error;

/// What a caller may not do, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AccessDenial {
    class: AccessClass,
    denial: Denial,
}

/// Decides on one class of operation, for enforcement and explanation alike.
pub(crate) fn decide(
    subject: Subject<'_>,
    class: AccessClass,
    target: AccessTarget,
    now: Timestamp,
) -> Decision {
    access::decide(&Question {
        subject,
        class,
        target,
        policy: PolicyVerdict::Silent,
        now,
    })
}

/// Whether all of `classes` are allowed; if not, the first that is denied.
pub(crate) fn judge(
    caller: &access::Caller,
    classes: &[AccessClass],
    target: AccessTarget,
    now: Timestamp,
) -> Result<(), AccessDenial> {
    classes.iter().try_for_each(
        |&class| match decide(caller.subject(), class, target, now) {
            Decision::Allow { .. } => Ok(()),
            Decision::Deny(denial) => Err(AccessDenial { class, denial }),
        },
    )
}

impl AccessDenial {
    /// What decided, for the administrator.
    pub(crate) fn explanation(&self) -> Explanation {
        explain(&Decision::Deny(self.denial), self.class)
    }

    /// What the caller reads: no more than S3's codes.
    pub(crate) fn to_error(self, caller: &access::Caller) -> Error {
        match self.denial {
            Denial::KeyUnusable(_) => Error::InvalidAccessKeyId {
                access_key_id: caller
                    .key()
                    .map(|key| key.access_key_id.to_string())
                    .unwrap_or_default(),
            },
            Denial::Anonymous => Error::CredentialsRequired,
            Denial::EdgeKeysOnly => Error::EdgeKeyNeeded,
            Denial::Address(_)
            | Denial::Policy
            | Denial::OtherBucket
            | Denial::OtherAccount
            | Denial::PermissionLacks(_)
            | Denial::AdministratorsOnly
            | Denial::OperatorsOnly
            | Denial::EdgeKey
            | Denial::NoBucketNamed
            | Denial::BucketDeleted => Error::AccessDenied,
        }
    }
}
