//! Verifies the credentials of a call once it is known what the call needs.

use std::sync::Arc;

use super::credentials::{Credentials, Proof, session_error};
use super::key_row::{check_seal, current_facts};
use super::local_decision::LocalDecision;
use super::requirement::Requirements;
use super::service::Service;
use crate::access::{self, KeyFacts, OperationSession, SessionUse};
use crate::catalog::model::Bucket;
use crate::error::Error;

/// A caller whose credentials have been verified for the call.
pub(crate) struct IdentifiedCaller {
    pub(crate) caller: access::Caller,
    /// The bucket, if it has been found already.
    pub(crate) bucket: Option<Arc<Bucket>>,
}

impl Service {
    /// Verifies the credentials of a call against what it needs.
    pub(crate) async fn identify(
        &self,
        credentials: Credentials,
        call: &Requirements,
    ) -> Result<IdentifiedCaller, Error> {
        let text = match credentials.proof {
            Proof::Verified(caller) => {
                return Ok(IdentifiedCaller {
                    caller,
                    bucket: None,
                });
            }
            Proof::Decision(decision) => return self.redeem(&decision, call).await,
            Proof::Session(text) => text,
        };
        let usage = session_use(call);
        let session = OperationSession::open(&self.keyring.current(), &text, &usage, self.now())
            .map_err(session_error)?;
        let facts = match &session.key {
            None => None,
            Some(key) => current_facts(&self.catalog, &self.keyring, &key.access_key_id).await?,
        };
        let caller = session.caller(facts).map_err(session_error)?;
        if let Some(decision) = &credentials.decision {
            decision.decided();
        }
        Ok(IdentifiedCaller {
            caller,
            bucket: None,
        })
    }

    /// Redeems a local decision. The key may have changed since: the request's body may have been read in between.
    async fn redeem(
        &self,
        decision: &LocalDecision,
        call: &Requirements,
    ) -> Result<IdentifiedCaller, Error> {
        let (caller, bucket) = decision.redeem(call).map_err(|error| {
            tracing::error!(rpc = call.rpc(), %error, "a call came with an unusable decision");
            Error::Internal(Box::new(error))
        })?;
        let bucket = bucket.cloned();
        let Some(facts) = caller.key() else {
            let caller = caller.clone();
            return Ok(IdentifiedCaller { caller, bucket });
        };
        let row = self.catalog.access_key(&facts.access_key_id).await?;
        let row = row.ok_or(Error::InvalidSession)?;
        let is_same = row.pk == facts.pk && row.epoch == facts.epoch && row.limits == facts.limits;
        if is_same {
            let caller = caller.clone();
            return Ok(IdentifiedCaller { caller, bucket });
        }
        check_seal(&self.keyring, &row)?;
        let current = Arc::new(KeyFacts::from(row.as_ref()));
        let caller = caller
            .with_current_facts(current)
            .ok_or(Error::InvalidSession)?;
        Ok(IdentifiedCaller { caller, bucket })
    }
}

/// The one call for which an edge's session is valid.
pub(crate) fn session_use(call: &Requirements) -> SessionUse {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let resource = call.resource();
    SessionUse {
        operation: call.rpc().to_owned(),
        bucket: some(resource.bucket_name()),
        key: some(resource.key()),
    }
}
