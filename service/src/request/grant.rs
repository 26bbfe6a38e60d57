//! What an admitted caller holds while its operation runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::requirement::{Requirements, Resource};
use crate::access::{self, AccessClass, AccessTarget, ExpectedOwners};
use crate::catalog::model::{Bucket, KeyScope};
use crate::catalog::mutation::PolicyGuard;
use crate::domain::AccountId;
use crate::error::Error;
use crate::metering::RequestClass;

/// A positive decision: who may do what, and the facts that it is based on.
///
/// The facts are the caller's key, whose epoch orders the commit against an edit of the key, and the target. A grant on a
/// bucket has its row as well, whose policy epoch orders the commit against a change of what the bucket permits.
pub(crate) struct Authorization {
    caller: access::Caller,
    requirements: Requirements,
    target: AccessTarget,
    request_class: RequestClass,
    /// Whether the withdrawal of the grant has been recorded: once per request.
    withdrawn: AtomicBool,
}

impl Authorization {
    /// Called only by admission, after the decision.
    pub(super) fn new(
        caller: access::Caller,
        requirements: Requirements,
        target: AccessTarget,
    ) -> Self {
        Self {
            request_class: requirements.request_class(),
            caller,
            requirements,
            target,
            withdrawn: AtomicBool::new(false),
        }
    }
}

/// Permission to do what the call needs, until the caller's key or the bucket's policy changes: the decision is then made
/// again.
pub(crate) trait Grant: Sync {
    fn authorization(&self) -> &Authorization;

    fn caller(&self) -> &access::Caller {
        &self.authorization().caller
    }

    fn requirements(&self) -> &Requirements {
        &self.authorization().requirements
    }

    /// The classes that the call needs.
    fn classes(&self) -> &[AccessClass] {
        self.requirements().classes()
    }

    fn target(&self) -> AccessTarget {
        self.authorization().target
    }

    /// The kind of request, for usage.
    fn request_class(&self) -> RequestClass {
        self.authorization().request_class
    }

    /// The resource of the call, by name.
    fn resource(&self) -> Resource<'_> {
        self.requirements().resource()
    }

    /// The bucket and the policy epoch that were decided on; none if the grant is not on a bucket.
    fn policy(&self) -> Option<PolicyGuard> {
        None
    }

    /// Records that the grant is withdrawn. Returns whether this is the first time.
    fn withdraw(&self) -> bool {
        !self.authorization().withdrawn.swap(true, Ordering::Relaxed)
    }

    fn scope(&self) -> Option<KeyScope> {
        self.caller().key().map(|key| key.scope)
    }

    /// The caller's name in audit records.
    fn actor(&self) -> String {
        self.caller().key().map_or_else(
            || "anonymous".to_owned(),
            |key| key.access_key_id.to_string(),
        )
    }
}

/// A grant on a bucket or an object in it.
pub(crate) struct BucketGrant {
    pub(crate) bucket: Arc<Bucket>,
    pub(super) authorization: Authorization,
    /// The account that the source of a copy must belong to; any if absent.
    pub(super) source_owner: Option<AccountId>,
}

impl BucketGrant {
    /// The same grant, if its bucket has the owner that the request demands: the bucket that the edge found by this name
    /// may have been deleted since, and another created.
    ///
    /// # Errors
    /// [`Error::AccessDenied`] if the bucket is of another account.
    pub(super) fn with_expected_owners(self, owners: ExpectedOwners) -> Result<Self, Error> {
        check_owner(owners.bucket, &self.bucket)?;
        Ok(Self {
            source_owner: owners.source,
            ..self
        })
    }

    /// The same check for the source of a copy.
    ///
    /// # Errors
    /// [`Error::AccessDenied`] if the bucket is of another account.
    pub(super) fn check_source_owner(&self, source: &Bucket) -> Result<(), Error> {
        check_owner(self.source_owner, source)
    }
}

fn check_owner(expected: Option<AccountId>, bucket: &Bucket) -> Result<(), Error> {
    match expected.is_none_or(|account| account == bucket.account) {
        true => Ok(()),
        false => Err(Error::AccessDenied),
    }
}

/// A grant on an account or the service as a whole, or to create a bucket.
pub(crate) struct AccountGrant {
    pub(super) authorization: Authorization,
}

impl Grant for BucketGrant {
    fn authorization(&self) -> &Authorization {
        &self.authorization
    }

    fn policy(&self) -> Option<PolicyGuard> {
        Some(PolicyGuard {
            bucket: self.bucket.id,
            epoch: self.bucket.policy_epoch,
        })
    }

    /// The request may identify the bucket by something other than its name.
    fn resource(&self) -> Resource<'_> {
        Resource::object(
            self.bucket.name.as_str(),
            self.requirements().resource().key(),
        )
    }
}

impl Grant for AccountGrant {
    fn authorization(&self) -> &Authorization {
        &self.authorization
    }
}
