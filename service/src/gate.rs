//! From a request to a caller: the one place where credentials are read.

use std::sync::Arc;

use bucketry_contract::access_table::Classified;
use bucketry_edge::DecisionSignal;
use bucketry_edge::fair::on_behalf;
use http::{Extensions, HeaderMap};
use tonic::Request;

use crate::access::authenticate::{AuthenticateError, authenticate_bearer};
use crate::access::{
    self, BearerSession, ClientAddress, KeyFacts, OperationSession, Origin, SecretKey,
    SessionError, SessionUse,
};
use crate::catalog::Catalog;
use crate::catalog::model::{AccessKey, Bucket};
use crate::config::PlaintextCredentials;
use crate::decision::LocalDecision;
use crate::domain::{AccessKeyId, AccessKeyPk};
use crate::error::Error;
use crate::requirement::{Requirements, Resource};
use crate::sealing::LiveKeyring;
use crate::server::{ClientCertificate, ConnectionInfo, EffectiveAddress, Encryption, RequestId};
use crate::service::{AdapterCertificate, Service};

/// The metadata in which the edge sends a session along.
pub(crate) const SESSION_METADATA: &str = "x-bucketry-session";

/// Who counts a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counting {
    /// Whoever admits it here.
    Here,
    /// The edge's `Authorize`, which it came through.
    AtTheEdge,
}

/// The credentials of a call: of one of the three kinds, or none.
#[derive(Clone)]
pub(crate) struct Credentials {
    rpc: &'static str,
    proof: Proof,
    /// Whether the credentials were a session instead of the key itself.
    by_session: bool,
    /// Sent when the caller is known.
    decision: Option<DecisionSignal>,
}

#[derive(Clone)]
enum Proof {
    /// Verified, or anonymous.
    Verified(access::Caller),
    /// An edge's session; it is good for one operation on one resource, so it is read when that is known.
    Session(String),
    /// The decision for the edge in this process, on one operation on one resource.
    Decision(LocalDecision),
}

/// A caller whose credentials have been verified for the call.
pub(crate) struct IdentifiedCaller {
    pub(crate) caller: access::Caller,
    /// The bucket, if it has been found already.
    pub(crate) bucket: Option<Arc<Bucket>>,
}

impl Credentials {
    /// Refuses a caller without credentials, where a message must be waited for before the caller can be judged: an
    /// anonymous caller must not keep streams open by sending nothing. No operation that waits is open to everyone.
    ///
    /// # Errors
    /// [`Error::CredentialsRequired`].
    pub(crate) fn authenticated(self) -> Result<Self, Error> {
        match &self.proof {
            Proof::Verified(known) if known.key().is_none() => Err(Error::CredentialsRequired),
            Proof::Verified(_) | Proof::Session(_) | Proof::Decision(_) => Ok(self),
        }
    }

    /// The authenticated or anonymous caller; `None` for an edge's session or decision, which is read later.
    pub(crate) fn known(&self) -> Option<&access::Caller> {
        match &self.proof {
            Proof::Verified(known) => Some(known),
            Proof::Session(_) | Proof::Decision(_) => None,
        }
    }

    /// Whether the caller showed a session, and not the secret of its key.
    pub(crate) fn is_by_session(&self) -> bool {
        self.by_session
    }

    /// Who counts the request.
    pub(crate) fn counting(&self) -> Counting {
        match &self.proof {
            Proof::Verified(_) => Counting::Here,
            Proof::Session(_) | Proof::Decision(_) => Counting::AtTheEdge,
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
        let (known, by_session) = match text(headers, "authorization")? {
            None => (access::Caller::anonymous(origin), false),
            Some(authorization) => {
                self.check_transport(connection)?;
                self.bearer(authorization, origin).await?
            }
        };
        if known.key().is_some()
            && let Some(decision) = &decision
        {
            decision.decided();
        }
        let proof = Proof::Verified(known);
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
            Proof::Verified(known) => Ok(known.key().map(|key| key.pk)),
            Proof::Session(text) => {
                let keyring = self.keyring.current();
                let session = OperationSession::authentic(&keyring, text, self.now());
                let session = session.map_err(session_error)?;
                Ok(session.key.map(|key| key.pk))
            }
            Proof::Decision(decision) => Ok(decision.caller().key().map(|key| key.pk)),
        }
    }

    /// Refuses credentials, and the making of a session, over plaintext from elsewhere.
    pub(crate) fn check_transport(&self, connection: Option<ConnectionInfo>) -> Result<(), Error> {
        let safe = connection.is_some_and(|connection| {
            connection.encryption == Encryption::Tls || connection.is_loopback()
        });
        if safe || self.settings.plaintext_credentials == PlaintextCredentials::Anywhere {
            return Ok(());
        }
        Err(Error::InsecureTransport)
    }

    /// Refuses a separate adapter whose connection lacks the client certificate that the operator asks for.
    pub(crate) fn check_edge_connection(
        &self,
        connection: Option<ConnectionInfo>,
    ) -> Result<(), Error> {
        let verified = connection
            .is_some_and(|connection| connection.client_certificate == ClientCertificate::Verified);
        match self.settings.adapter_certificate {
            AdapterCertificate::Required if !verified => Err(Error::ClientCertificateNeeded),
            AdapterCertificate::Required | AdapterCertificate::NotAsked => Ok(()),
        }
    }

    /// The caller, and whether it showed a session.
    async fn bearer(
        &self,
        authorization: &str,
        origin: Origin,
    ) -> Result<(access::Caller, bool), Error> {
        let credential = authorization
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, credential)| credential.trim())
            .ok_or(Error::CredentialsRequired)?;
        match credential.split_once('.') {
            Some((id, secret)) => Ok((self.bearer_secret(id, secret, origin).await?, false)),
            None => Ok((self.bearer_session(credential, origin).await?, true)),
        }
    }

    async fn bearer_secret(
        &self,
        id: &str,
        secret: &str,
        origin: Origin,
    ) -> Result<access::Caller, Error> {
        let (id, row) = self.key_row(id).await?;
        let facts = Arc::new(KeyFacts::from(row.as_ref()));
        let open = || self.open_secret(&row);
        let known = authenticate_bearer(&id, secret, Arc::clone(&facts), open, origin.clone());
        known.map_err(|error| match error {
            AuthenticateError::Claim(_) | AuthenticateError::OtherKey => {
                // The resource is read only after this.
                (self.ledger).wrong_proof(&facts, "secret", &origin, Resource::Service);
                Error::SecretMismatch
            }
            AuthenticateError::Secret(error) => error,
        })
    }

    async fn bearer_session(&self, text: &str, origin: Origin) -> Result<access::Caller, Error> {
        let session = BearerSession::open(&self.keyring.current(), text, self.now())
            .map_err(bearer_session_error)?;
        let (_, row) = self.key_row(session.key.access_key_id.as_str()).await?;
        let facts = Arc::new(KeyFacts::from(row.as_ref()));
        session.caller(facts, origin).map_err(bearer_session_error)
    }

    /// The key of this id, whatever its state: the evaluator judges that. What it reaches is proved by its seal.
    pub(crate) async fn key_row(&self, id: &str) -> Result<(AccessKeyId, Arc<AccessKey>), Error> {
        let unknown = || Error::InvalidAccessKeyId {
            access_key_id: id.chars().take(128).collect(),
        };
        let id: AccessKeyId = id.parse().map_err(|_| unknown())?;
        on_behalf::set_claim(id.as_str());
        let row = self.catalog.access_key(&id).await?.ok_or_else(unknown)?;
        check_seal(&self.keyring, &row)?;
        Ok((id, row))
    }

    /// The secret of a key. A keyring that lacks the sealing key is an outage, never a refusal.
    pub(crate) fn open_secret(&self, row: &AccessKey) -> Result<SecretKey, Error> {
        open_row(&self.keyring, row)
    }

    /// Verifies credentials for a call, now that it is known what the call needs.
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

    /// Uses a decision of this process. The key may have changed since: the request's body may have been read in between.
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

/// From where a call comes.
pub(crate) fn origin<T>(request: &Request<T>, rpc: &'static str) -> Origin {
    origin_of(request.metadata().as_ref(), request.extensions(), rpc)
}

fn origin_of(headers: &HeaderMap, extensions: &Extensions, rpc: &'static str) -> Origin {
    Origin {
        address: extensions
            .get::<EffectiveAddress>()
            .map_or(ClientAddress::UNKNOWN, |client| client.address),
        request_id: extensions
            .get::<RequestId>()
            .map_or_else(|| "unknown".into(), |id| id.as_str().into()),
        operation: rpc.into(),
        user_agent: (headers.get("user-agent"))
            .and_then(|value| value.to_str().ok())
            .and_then(Origin::user_agent),
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

/// What is known of a key now; none if it is gone.
pub(crate) async fn current_facts(
    catalog: &Catalog,
    keyring: &LiveKeyring,
    id: &AccessKeyId,
) -> Result<Option<Arc<KeyFacts>>, Error> {
    let row = catalog.access_key(id).await?;
    if let Some(row) = &row {
        check_seal(keyring, row)?;
    }
    Ok(row.map(|row| Arc::new(KeyFacts::from(row.as_ref()))))
}

/// Proves that a row reaches what it was made for: whoever can write to the database can neither give a key another
/// bucket or permission nor a secret of his own. Sessions and cached signing keys never open the secret, so it is
/// asked of every row.
pub(crate) fn check_seal(keyring: &LiveKeyring, row: &AccessKey) -> Result<(), Error> {
    open_row(keyring, row).map(drop)
}

fn open_row(keyring: &LiveKeyring, row: &AccessKey) -> Result<SecretKey, Error> {
    access::open_row(&keyring.current(), row).map_err(|error| {
        tracing::error!(
            access_key_id = %row.access_key_id,
            key = row.secret.kek_id,
            %error,
            "a secret cannot be opened; the request is answered as unavailable"
        );
        Error::Unavailable(Box::new(error))
    })
}

/// A client's own session: it can make another, so it is told that it should.
fn bearer_session_error(error: SessionError) -> Error {
    match session_error(error) {
        Error::InvalidSession => Error::SessionEnded,
        other => other,
    }
}

fn session_error(error: SessionError) -> Error {
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
