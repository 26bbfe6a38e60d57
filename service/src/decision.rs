//! What the edge in this process has decided, for the call that follows.

use std::sync::Arc;

use bucketry_contract::adapter::v1::AuthorizeRequest;

use crate::access;
use crate::catalog::model::Bucket;

/// The decision on one call, carried in the extensions of `Authorize`'s answer and of the call itself.
///
/// It replaces the session where both are in one process: the call need not parse a session, open a seal or find the
/// bucket again. Only this process can make one, and it cannot be sent: a request from the network has no such extension.
/// It has no age limit, because the key is compared with its row again when the operation begins and when it commits.
#[derive(Clone)]
pub(crate) struct LocalDecision(Arc<Inner>);

struct Inner {
    caller: access::Caller,
    /// Found when it was decided; none if the call is about no bucket or about one that is to be made.
    bucket: Option<Arc<Bucket>>,
    rpc: String,
    bucket_name: String,
    key: String,
}

impl LocalDecision {
    pub(crate) fn new(
        caller: access::Caller,
        bucket: Option<Arc<Bucket>>,
        asked: AuthorizeRequest,
    ) -> Self {
        Self(Arc::new(Inner {
            caller,
            bucket,
            rpc: asked.rpc,
            bucket_name: asked.bucket,
            key: asked.key,
        }))
    }

    /// Who calls.
    pub(crate) fn caller(&self) -> &access::Caller {
        &self.0.caller
    }

    /// The bucket that was decided on.
    pub(crate) fn bucket(&self) -> Option<&Arc<Bucket>> {
        self.0.bucket.as_ref()
    }

    /// Whether it was made for this call; empty means none.
    pub(crate) fn is_for(&self, rpc: &str, bucket: &str, key: &str) -> bool {
        let made_for = [&self.0.rpc, &self.0.bucket_name, &self.0.key];
        made_for == [rpc, bucket, key]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{ClientAddress, Origin};

    #[test]
    fn a_decision_is_good_for_the_call_that_it_was_made_for() {
        let origin = Origin {
            address: ClientAddress::UNKNOWN,
            request_id: "r-1".into(),
            operation: "GetObject".into(),
            user_agent: None,
        };
        let asked = AuthorizeRequest {
            rpc: "GetObject".to_owned(),
            bucket: "bucket".to_owned(),
            key: "a/b".to_owned(),
            ..AuthorizeRequest::default()
        };
        let decision = LocalDecision::new(access::Caller::anonymous(origin), None, asked);
        assert!(decision.is_for("GetObject", "bucket", "a/b"));
        for (rpc, bucket, key) in [
            ("PutObject", "bucket", "a/b"),
            ("GetObject", "bucket2", "a/b"),
            ("GetObject", "bucket", "a/c"),
            ("GetObject", "bucket", ""),
            ("GetObject", "", "a/b"),
            ("GetObject", "bucketa", "/b"),
        ] {
            assert!(!decision.is_for(rpc, bucket, key), "{rpc} {bucket} {key}");
        }
    }
}
