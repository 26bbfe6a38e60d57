//! From a request to a caller: the one place where credentials are read.

use std::sync::Arc;

use bucketry_contract::access_table::Classified;
use bucketry_edge::{ConnectionInfo, DecisionSignal};
use http::{Extensions, HeaderMap};
use tonic::Request;

use super::counting::Counting;
use super::local_decision::LocalDecision;
use super::origin::origin_of;
use super::requirement::Resource;
use super::service::Service;
use crate::access::authenticate::{AuthenticateError, authenticate_bearer};
use crate::access::{self, BearerSession, KeyFacts, OperationSession, Origin, SessionError};
use crate::catalog::model::AccessKey;
use crate::domain::AccessKeyPk;
use crate::error::Error;

/// The metadata in which the edge sends a session along.
pub(crate) const SESSION_METADATA: &str = "x-bucketry-session";

/// The credentials of a call: one of three kinds, or none.
#[derive(Clone)]
pub(crate) struct Credentials {
    rpc: &'static str,
    pub(super) proof: Proof,
    /// Whether the credentials were a session instead of the key itself.
    by_session: bool,
    /// Sent when the caller is known.
    decision: Option<DecisionSignal>,
}

#[derive(Clone)]
pub(super) enum Proof {
    /// Verified when the call's head came, or anonymous. The key may have been changed since: the call's message may
    /// have come much later.
    Verified {
        caller: access::Caller,
        /// The row of the caller's key; none if it is anonymous.
        key: Option<Arc<AccessKey>>,
    },
    /// An edge's session; it is good for one operation on one resource, so it is read when that is known.
    Session(String),
    /// The decision for the edge in this process, on one operation on one resource.
    Decision(LocalDecision),
}

impl Credentials {
    /// Refuses a caller without credentials, where a message must be waited for before the caller can be judged: an
    /// anonymous caller must not keep streams open by sending nothing. No operation that waits is open to everyone.
    ///
    /// # Errors
    /// [`Error::CredentialsRequired`].
    pub(crate) fn authenticated(self) -> Result<Self, Error> {
        match &self.proof {
            Proof::Verified { key: None, .. } => Err(Error::CredentialsRequired),
            Proof::Verified { .. } | Proof::Session(_) | Proof::Decision(_) => Ok(self),
        }
    }

    /// The authenticated or anonymous caller; `None` for an edge's session or decision, which is read later.
    pub(crate) fn known(&self) -> Option<&access::Caller> {
        match &self.proof {
            Proof::Verified { caller, .. } => Some(caller),
            Proof::Session(_) | Proof::Decision(_) => None,
        }
    }

    /// Whether the caller showed a session, and not the secret of its key.
    pub(crate) fn is_by_session(&self) -> bool {
        self.by_session
    }

    /// Reports that the caller is known.
    pub(super) fn signal_decision(&self) {
        if let Some(decision) = &self.decision {
            decision.decided();
        }
    }

    /// Who counts the request.
    pub(crate) fn counting(&self) -> Counting {
        match &self.proof {
            Proof::Verified { .. } => Counting::Here,
            Proof::Session(_) => Counting::AtTheEdge,
            Proof::Decision(_) => Counting::ByDecision,
        }
    }
}

impl Service {
    /// The caller as authenticated from the call's head; a call from within this process is authenticated here.
    pub(crate) async fn caller<T: Classified>(
        &self,
        request: &Request<T>,
    ) -> Result<Credentials, Error> {
        self.caller_of_stream::<T, T>(request).await
    }

    /// As [`Service::caller`], for a client stream whose first message carries `Spec`.
    pub(crate) async fn caller_of_stream<Spec: Classified, T>(
        &self,
        request: &Request<T>,
    ) -> Result<Credentials, Error> {
        let rpc = Spec::RPC;
        let extensions = request.extensions();
        match extensions.get::<Credentials>() {
            Some(credentials) if credentials.rpc == rpc => Ok(credentials.clone()),
            Some(_) => Err(Error::internal("a call that was judged as another")),
            None => {
                let headers = request.metadata().as_ref();
                self.read_credentials(headers, extensions, rpc).await
            }
        }
    }

    /// Reads the credentials of a call from its head.
    pub(crate) async fn read_credentials(
        &self,
        headers: &HeaderMap,
        extensions: &Extensions,
        rpc: &'static str,
    ) -> Result<Credentials, Error> {
        let decision = extensions.get::<DecisionSignal>().cloned();
        if let Some(decided) = extensions.get::<LocalDecision>() {
            return Ok(Credentials {
                rpc,
                proof: Proof::Decision(decided.clone()),
                by_session: true,
                decision,
            });
        }
        if let Some(session) = text(headers, SESSION_METADATA)? {
            let proof = Proof::Session(session.to_owned());
            return Ok(Credentials {
                rpc,
                proof,
                by_session: true,
                decision,
            });
        }
        let connection = extensions.get::<ConnectionInfo>().copied();
        let origin = origin_of(headers, extensions, rpc);
        let (proof, by_session) = match text(headers, "authorization")? {
            None => {
                let (caller, key) = (access::Caller::anonymous(origin), None);
                (Proof::Verified { caller, key }, false)
            }
            Some(authorization) => {
                self.check_transport(connection)?;
                let (caller, key, by_session) = self.bearer(authorization, origin).await?;
                if let Some(decision) = &decision {
                    decision.decided();
                }
                let key = Some(key);
                (Proof::Verified { caller, key }, by_session)
            }
        };
        Ok(Credentials {
            rpc,
            proof,
            by_session,
            decision,
        })
    }

    /// The key of an edge's session; none if the session is anonymous. What the session permits is judged later.
    ///
    /// # Errors
    /// As of a session that is not authentic or has ended.
    pub(crate) fn session_key(
        &self,
        credentials: &Credentials,
    ) -> Result<Option<AccessKeyPk>, Error> {
        match &credentials.proof {
            Proof::Verified { caller, .. } => Ok(caller.key().map(|key| key.pk)),
            Proof::Session(text) => {
                let keyring = self.keyring.current();
                let session = OperationSession::authentic(&keyring, text, self.now());
                let session = session.map_err(session_error)?;
                Ok(session.key.map(|key| key.pk))
            }
            Proof::Decision(decision) => Ok(decision.caller().key().map(|key| key.pk)),
        }
    }

    /// The caller, the row of its key, and whether it showed a session.
    async fn bearer(
        &self,
        authorization: &str,
        origin: Origin,
    ) -> Result<(access::Caller, Arc<AccessKey>, bool), Error> {
        let credential = authorization
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, credential)| credential.trim())
            .ok_or(Error::CredentialsRequired)?;
        let by_session = !credential.contains('.');
        let (caller, key) = match credential.split_once('.') {
            Some((id, secret)) => self.bearer_secret(id, secret, origin).await?,
            None => self.bearer_session(credential, origin).await?,
        };
        Ok((caller, key, by_session))
    }

    async fn bearer_secret(
        &self,
        id: &str,
        secret: &str,
        origin: Origin,
    ) -> Result<(access::Caller, Arc<AccessKey>), Error> {
        let (id, row) = self.key_row(id).await?;
        let facts = Arc::new(KeyFacts::from(row.as_ref()));
        let open = || self.open_secret(&row);
        let known = authenticate_bearer(&id, secret, Arc::clone(&facts), open, origin.clone());
        let caller = known.map_err(|error| match error {
            AuthenticateError::Claim(_) | AuthenticateError::OtherKey => {
                // The resource is not known yet.
                (self.ledger).wrong_proof(&facts, "secret", &origin, Resource::Service);
                Error::SecretMismatch
            }
            AuthenticateError::Secret(error) => error,
        })?;
        Ok((caller, row))
    }

    async fn bearer_session(
        &self,
        text: &str,
        origin: Origin,
    ) -> Result<(access::Caller, Arc<AccessKey>), Error> {
        let session = BearerSession::open(&self.keyring.current(), text, self.now())
            .map_err(bearer_session_error)?;
        let of_row = |row: &AccessKey| {
            let facts = Arc::new(KeyFacts::from(row));
            session.caller(facts, origin.clone())
        };
        // The call compares the row with the current one when its message has come.
        if let Some(row) = self.remembered_key_row(&session.key.access_key_id)
            && let Ok(caller) = of_row(&row)
        {
            return Ok((caller, row));
        }
        let row = self.key_row_of(&session.key.access_key_id).await?;
        let caller = of_row(&row).map_err(bearer_session_error)?;
        Ok((caller, row))
    }
}

/// A client's own session: the error says to create another.
fn bearer_session_error(error: SessionError) -> Error {
    match session_error(error) {
        Error::InvalidSession => Error::SessionEnded,
        other => other,
    }
}

pub(super) fn session_error(error: SessionError) -> Error {
    match error {
        SessionError::KeyMissing { .. } => Error::Unavailable(Box::new(error)),
        SessionError::NotAuthentic
        | SessionError::Expired { .. }
        | SessionError::OtherUse(_)
        | SessionError::OtherAddress
        | SessionError::OtherKey => Error::InvalidSession,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Error> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Error::InvalidRequest("credentials are given twice"));
    }
    first
        .map(|value| value.to_str().map_err(|_| Error::CredentialsRequired))
        .transpose()
}
