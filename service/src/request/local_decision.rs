//! A decision that the S3 adapter in this process has requested for the call that follows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::presumed::PresumedCaller;
use super::requirement::Requirements;
use crate::access;

/// The decision on one call, carried in the extensions of `Authorize`'s answer and of the call itself.
///
/// It replaces the session where both are in one process: the call need not parse a session, open a seal or find the
/// bucket again. Only this process can make one, and it cannot be sent: a request from the network has no such extension.
/// It has no age limit, and may have been made on remembered rows: the current rows are read when the operation begins,
/// or by the statement with which it reads its object, and the call is decided on those.
#[derive(Clone)]
pub(crate) struct LocalDecision(Arc<Inner>);

struct Inner {
    /// The caller, by the rows that the decision was made on. No bucket if the call is about none or creates one.
    presumed: PresumedCaller,
    requirements: Requirements,
    redeemed: AtomicBool,
}

/// Why a call cannot use a decision. Neither can be caused by a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecisionMismatch {
    #[error("the decision does not cover what the call needs")]
    OtherCall,
    #[error("the decision has been used for another call")]
    Redeemed,
}

impl LocalDecision {
    pub(crate) fn new(presumed: PresumedCaller, requirements: Requirements) -> Self {
        Self(Arc::new(Inner {
            presumed,
            requirements,
            redeemed: AtomicBool::new(false),
        }))
    }

    /// The caller that the decision is about. To act on it, a call must redeem the decision.
    pub(crate) fn caller(&self) -> &access::Caller {
        &self.0.presumed.caller
    }

    /// Redeems the decision for one call. Returns the caller, by the rows that the decision was made on.
    ///
    /// # Errors
    /// [`DecisionMismatch`] if the call needs more than was decided, or if the decision has been redeemed already.
    pub(crate) fn redeem(&self, call: &Requirements) -> Result<&PresumedCaller, DecisionMismatch> {
        if !self.0.requirements.cover(call) {
            return Err(DecisionMismatch::OtherCall);
        }
        if self.0.redeemed.swap(true, Ordering::Relaxed) {
            return Err(DecisionMismatch::Redeemed);
        }
        Ok(&self.0.presumed)
    }
}

#[cfg(test)]
mod tests {
    use bucketry_contract::access_table::AccessClass;

    use super::*;
    use crate::access::{ClientAddress, ExpectedOwners, Origin};
    use crate::catalog::AccessRows;
    use crate::request::Resource;

    fn call(rpc: &'static str, class: AccessClass, bucket: &str, key: &str) -> Requirements {
        Requirements::of_class(rpc, class, Resource::object(bucket, key))
    }

    fn decision() -> LocalDecision {
        let origin = Origin {
            address: ClientAddress::UNKNOWN,
            request_id: "r-1".into(),
            operation: "GetObject".into(),
            user_agent: None,
        };
        let decided = call("GetObject", AccessClass::Read, "bucket", "a/b");
        let caller = access::Caller::anonymous(origin);
        let (rows, owners) = (AccessRows::default(), ExpectedOwners::default());
        LocalDecision::new(PresumedCaller::of_decision(caller, rows, owners), decided)
    }

    #[test]
    fn a_decision_is_good_for_the_call_that_it_was_made_for() {
        let decision = decision();
        for (rpc, class, bucket, key) in [
            ("PutObject", AccessClass::Read, "bucket", "a/b"),
            ("GetObject", AccessClass::Write, "bucket", "a/b"),
            ("GetObject", AccessClass::Read, "bucket2", "a/b"),
            ("GetObject", AccessClass::Read, "bucket", "a/c"),
            ("GetObject", AccessClass::Read, "bucket", ""),
            ("GetObject", AccessClass::Read, "", "a/b"),
            ("GetObject", AccessClass::Read, "bucketa", "/b"),
        ] {
            let refused = decision.redeem(&call(rpc, class, bucket, key)).err();
            let other = Some(DecisionMismatch::OtherCall);
            assert_eq!(refused, other, "{rpc} {class:?} {bucket} {key}");
        }
        let same = call("GetObject", AccessClass::Read, "bucket", "a/b");
        assert!(decision.redeem(&same).is_ok());
    }

    #[test]
    fn a_decision_is_good_for_one_call() {
        let decision = decision();
        let same = call("GetObject", AccessClass::Read, "bucket", "a/b");
        assert!(decision.clone().redeem(&same).is_ok());
        let again = decision.redeem(&same).err();
        assert_eq!(again, Some(DecisionMismatch::Redeemed));
    }
}
