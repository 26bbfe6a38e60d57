//! Verifies the credentials of a call once it is known what the call needs.

use std::sync::Arc;

use super::credentials::{Credentials, Proof, session_error};
use super::key_row::current_row;
use super::local_decision::LocalDecision;
use super::presumed::{IdentifiedCaller, PresumedCaller};
use super::requirement::Requirements;
use super::service::Service;
use crate::access::{self, ExpectedOwners, KeyFacts, OperationSession, SessionUse};
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
        let presumed = self.presume(credentials, call).await?;
        let current = self.catalog.current_rows(&presumed.rows).await?;
        self.by_current_rows(presumed, current, call.resource())
    }

    /// Verifies the credentials of a call that reads the current rows next, with its object or without.
    pub(super) async fn presume(
        &self,
        credentials: Credentials,
        call: &Requirements,
    ) -> Result<PresumedCaller, Error> {
        let (caller, key, owners) = match &credentials.proof {
            Proof::Verified { caller, key } => {
                (caller.clone(), key.clone(), ExpectedOwners::default())
            }
            Proof::Decision(decision) => return redeem(decision, call),
            Proof::Session(text) => {
                let session = self.open_session(text, call)?;
                let (caller, key) = match self.remembered_caller(&session) {
                    Some((caller, row)) => (caller, Some(row)),
                    None => self.caller_of_session(&session).await?,
                };
                credentials.signal_decision();
                (caller, key, session.owners)
            }
        };
        Ok(PresumedCaller {
            caller,
            rows: AccessRows { key, bucket: None },
            counting: credentials.counting(),
            owners,
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

    /// The caller of a session, by the row that its key has now.
    async fn caller_of_session(
        &self,
        session: &OperationSession,
    ) -> Result<(access::Caller, Option<Arc<AccessKey>>), Error> {
        let row = match &session.key {
            None => None,
            Some(key) => current_row(&self.catalog, &self.keyring, &key.access_key_id).await?,
        };
        let facts = row.as_deref().map(|row| Arc::new(KeyFacts::from(row)));
        let caller = session.caller(facts).map_err(session_error)?;
        Ok((caller, row))
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
    let presumed = decision.redeem(call).map_err(|error| {
        tracing::error!(rpc = call.rpc(), %error, "a call came with an unusable decision");
        Error::Internal(Box::new(error))
    })?;
    Ok(presumed.clone())
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
