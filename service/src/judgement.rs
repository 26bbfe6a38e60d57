//! Asks the evaluator, and says what a refusal is to the caller.

use crate::access::{
    self, AccessClass, Decision, Denial, Explanation, PolicyVerdict, Question, Target, explain,
};
use crate::domain::Timestamp;
use crate::error::Error;

/// Something that a caller may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    class: AccessClass,
    denial: Denial,
}

/// Whether all of `classes` is allowed; if not, the first that is refused.
pub(crate) fn judge(
    caller: &access::Caller,
    classes: &[AccessClass],
    target: Target,
    now: Timestamp,
) -> Result<(), Refused> {
    classes.iter().try_for_each(|&class| {
        let question = Question {
            subject: caller.subject(),
            class,
            target,
            policy: PolicyVerdict::Silent,
            now,
        };
        match access::decide(&question) {
            Decision::Allow { .. } => Ok(()),
            Decision::Deny(denial) => Err(Refused { class, denial }),
        }
    })
}

impl Refused {
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
