//! Verifies the credentials of a call once it is known what the call needs.

use super::credentials::{Credentials, Proof, session_error};
use super::key_row::current_facts;
use super::local_decision::LocalDecision;
use super::presumed::{IdentifiedCaller, PresumedCaller};
use super::requirement::Requirements;
use super::service::Service;
use crate::access::{OperationSession, SessionUse};
use crate::catalog::AccessRows;
use crate::error::Error;

impl Service {
    /// Verifies the credentials of a call against what it needs.
    pub(crate) async fn identify(
        &self,
        credentials: Credentials,
        call: &Requirements,
    ) -> Result<IdentifiedCaller, Error> {
        let counting = credentials.counting();
        let text = match credentials.proof {
            Proof::Verified(caller) => {
                return Ok(IdentifiedCaller {
                    caller,
                    bucket: None,
                    counting,
                });
            }
            Proof::Decision(decision) => {
                let presumed = redeem(&decision, call)?;
                let current = self.catalog.current_rows(&presumed.rows).await?;
                return self.by_current_rows(presumed, current, call.resource());
            }
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
            counting,
        })
    }

    /// The caller of a call that reads an object of a bucket, and compares the rows when it does.
    pub(super) async fn presume(
        &self,
        credentials: Credentials,
        call: &Requirements,
    ) -> Result<PresumedCaller, Error> {
        if let Proof::Decision(decision) = &credentials.proof {
            return redeem(decision, call);
        }
        let identified = self.identify(credentials, call).await?;
        Ok(PresumedCaller {
            caller: identified.caller,
            rows: AccessRows::default(),
            counting: identified.counting,
        })
    }
}

/// Redeems a local decision. Its rows may have changed since: they may have been remembered, or the request's body may
/// have been read in between.
fn redeem(decision: &LocalDecision, call: &Requirements) -> Result<PresumedCaller, Error> {
    let (caller, rows) = decision.redeem(call).map_err(|error| {
        tracing::error!(rpc = call.rpc(), %error, "a call came with an unusable decision");
        Error::Internal(Box::new(error))
    })?;
    Ok(PresumedCaller::new(caller.clone(), rows.clone()))
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
