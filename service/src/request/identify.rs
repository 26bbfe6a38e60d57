//! Verifies the credentials of a call once it is known what the call needs.

use std::sync::Arc;

use super::credentials::{Credentials, Proof, session_error};
use super::key_row::current_facts;
use super::local_decision::LocalDecision;
use super::presumed::{IdentifiedCaller, PresumedCaller};
use super::requirement::Requirements;
use super::service::Service;
use crate::access::{self, KeyFacts, OperationSession, SessionUse};
use crate::catalog::AccessRows;
use crate::catalog::model::AccessKey;
use crate::error::Error;

impl Service {
    /// Verifies the credentials of a call against what it needs, by current rows.
    pub(crate) async fn identify(
        &self,
        credentials: Credentials,
        call: &Requirements,
    ) -> Result<IdentifiedCaller, Error> {
        let counting = credentials.counting();
        let caller = match &credentials.proof {
            Proof::Verified(caller) => caller.clone(),
            Proof::Decision(decision) => {
                let presumed = redeem(decision, call)?;
                let current = self.catalog.current_rows(&presumed.rows).await?;
                return self.by_current_rows(presumed, current, call.resource());
            }
            Proof::Session(text) => {
                let session = self.open_session(text, call)?;
                self.caller_of_session(&credentials, &session).await?
            }
        };
        Ok(IdentifiedCaller {
            caller,
            bucket: None,
            counting,
        })
    }

    /// Verifies the credentials of a call that reads the current rows next, with its object or without.
    pub(super) async fn presume(
        &self,
        credentials: Credentials,
        call: &Requirements,
    ) -> Result<PresumedCaller, Error> {
        let (caller, key) = match &credentials.proof {
            Proof::Verified(caller) => (caller.clone(), None),
            Proof::Decision(decision) => return redeem(decision, call),
            Proof::Session(text) => {
                let session = self.open_session(text, call)?;
                match self.remembered_caller(&session) {
                    Some((caller, row)) => {
                        credentials.signal_decision();
                        (caller, Some(row))
                    }
                    None => (self.caller_of_session(&credentials, &session).await?, None),
                }
            }
        };
        Ok(PresumedCaller {
            caller,
            rows: AccessRows { key, bucket: None },
            counting: credentials.counting(),
        })
    }

    fn open_session(&self, text: &str, call: &Requirements) -> Result<OperationSession, Error> {
        let session = OperationSession::open(
            &self.keyring.current(),
            text,
            &session_use(call),
            self.now(),
        );
        session.map_err(session_error)
    }

    /// The caller of a session, by the current row of its key.
    async fn caller_of_session(
        &self,
        credentials: &Credentials,
        session: &OperationSession,
    ) -> Result<access::Caller, Error> {
        let facts = match &session.key {
            None => None,
            Some(key) => current_facts(&self.catalog, &self.keyring, &key.access_key_id).await?,
        };
        let caller = session.caller(facts).map_err(session_error)?;
        credentials.signal_decision();
        Ok(caller)
    }

    /// The caller of a session, by the row of its key that the catalog remembers.
    fn remembered_caller(
        &self,
        session: &OperationSession,
    ) -> Option<(access::Caller, Arc<AccessKey>)> {
        let row = self.remembered_key_row(&session.key.as_ref()?.access_key_id)?;
        let facts = Arc::new(KeyFacts::from(row.as_ref()));
        Some((session.caller(Some(facts)).ok()?, row))
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
