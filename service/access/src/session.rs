//! Caller sessions: what the service tells the edge, or a gRPC client, to show again instead of a signature.
//!
//! Self-contained and authenticated with a key of this one purpose. A session says who proved a key and until when; it
//! does not say that anything is allowed. Whoever takes one reads the key's current facts and decides with them, so a
//! session outlives neither revocation nor an edit of the IP rules.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac as _;

use super::caller::{Caller, Origin};
use super::client_address::ClientAddress;
use super::fields::{FieldReader, push_field, push_optional};
use super::key_facts::KeyFacts;
use super::keyring::{KekId, KeyPurpose, Keyring};
use bucketry_domain::{AccessKeyId, AccessKeyPk, AccountId, Timestamp};

/// Longest life of a session. A stream that began within it goes on; what it commits is decided again.
pub const MAX_SESSION_LIFE: Duration = Duration::from_secs(15 * 60);

/// Longest session text that is looked at: three times what the longest key, bucket and operation need.
const MAX_TEXT_LENGTH: usize = 8192;

const VERSION: u8 = 1;
const OPERATION: u8 = 1;
const BEARER: u8 = 2;
const BOUND_BEARER: u8 = 3;
const OPERATION_WITH_OWNERS: u8 = 4;
const MAC_LENGTH: usize = 32;

/// The one operation on the one resource that an operation session is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionUse {
    /// The operation's name in the contract.
    pub operation: String,
    /// The bucket, when there is one.
    pub bucket: Option<String>,
    /// The object key, when there is one.
    pub key: Option<String>,
}

/// The accounts that the buckets of a call must belong to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExpectedOwners {
    /// The account of the call's bucket; any if absent.
    pub bucket: Option<AccountId>,
    /// The account of the bucket that a copy reads from; any if absent.
    pub source: Option<AccountId>,
}

/// The key that a session's holder proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionKey {
    /// The row's own number.
    pub pk: AccessKeyPk,
    /// The public id.
    pub access_key_id: AccessKeyId,
    /// The key's epoch when it was decided on.
    pub epoch: i64,
}

/// A session for one operation, as the edge carries it between authorization and the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationSession {
    /// The key; none for an anonymous caller.
    pub key: Option<SessionKey>,
    /// What it is good for.
    pub usage: SessionUse,
    /// The owners that the request demands of its buckets.
    pub owners: ExpectedOwners,
    /// From where the request came, as the edge saw it.
    pub origin: Origin,
    /// The last moment at which it is good.
    pub not_after: Timestamp,
}

/// A session for any operation, as a gRPC client gets it in exchange for its secret or for the answer to a challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BearerSession {
    /// The key.
    pub key: SessionKey,
    /// The last moment at which it is good.
    pub not_after: Timestamp,
    /// The only address from which it is valid; `None`: any.
    pub only_from: Option<ClientAddress>,
}

/// Why a session is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Not made here, changed, or made for another purpose.
    #[error("the session is not authentic")]
    NotAuthentic,
    /// Made under a key that the keyring does not have: to be answered as unavailable.
    #[error("the keyring has no key {kek_id} for the session")]
    KeyMissing {
        /// The key that is needed.
        kek_id: KekId,
    },
    /// Its time is over.
    #[error("the session has ended")]
    Expired {
        /// The last moment at which it was good.
        not_after: Timestamp,
    },
    /// Good for another operation, bucket or key.
    #[error("the session is good for another use")]
    OtherUse(Box<SessionUse>),
    /// Used from an address other than the one that it is bound to.
    #[error("the session is bound to another address")]
    OtherAddress,
    /// The facts given are of another key, or of none.
    #[error("the session belongs to another key")]
    OtherKey,
}

impl OperationSession {
    /// A session of a caller for one use, good for at most [`MAX_SESSION_LIFE`] from `now`.
    #[must_use]
    pub fn new(caller: &Caller, usage: SessionUse, now: Timestamp, life: Duration) -> Self {
        Self {
            key: caller.key().map(|key| SessionKey::of(key)),
            usage,
            owners: ExpectedOwners::default(),
            origin: caller.origin().clone(),
            not_after: now.saturating_add(life.min(MAX_SESSION_LIFE)),
        }
    }

    /// The session as text: base64url, authenticated under the active key.
    #[must_use]
    pub fn issue(&self, keyring: &Keyring) -> String {
        let mut fields = Vec::with_capacity(256);
        fields.extend_from_slice(&self.not_after.as_micros().to_be_bytes());
        push_optional(
            &mut fields,
            self.key.as_ref().map(SessionKey::encode).as_deref(),
        );
        push_field(&mut fields, self.usage.operation.as_bytes());
        push_optional(&mut fields, self.usage.bucket.as_deref().map(str::as_bytes));
        push_optional(&mut fields, self.usage.key.as_deref().map(str::as_bytes));
        push_optional(
            &mut fields,
            self.origin
                .address
                .ip()
                .map(|ip| ip.to_string())
                .as_deref()
                .map(str::as_bytes),
        );
        push_field(&mut fields, self.origin.request_id.as_bytes());
        push_field(&mut fields, self.origin.operation.as_bytes());
        push_optional(
            &mut fields,
            self.origin.user_agent.as_deref().map(str::as_bytes),
        );
        if self.owners == ExpectedOwners::default() {
            return seal_text(keyring, OPERATION, &fields);
        }
        for owner in [self.owners.bucket, self.owners.source] {
            let number = owner.map(|owner| owner.0.to_be_bytes());
            push_optional(&mut fields, number.as_ref().map(<[u8; 8]>::as_slice));
        }
        seal_text(keyring, OPERATION_WITH_OWNERS, &fields)
    }

    /// Reads a session that is shown for `usage`.
    ///
    /// # Errors
    /// [`SessionError`], but for `OtherKey`.
    pub fn open(
        keyring: &Keyring,
        text: &str,
        usage: &SessionUse,
        now: Timestamp,
    ) -> Result<Self, SessionError> {
        let session = Self::authentic(keyring, text, now)?;
        if session.usage != *usage {
            return Err(SessionError::OtherUse(Box::new(session.usage)));
        }
        Ok(session)
    }

    /// Reads a session without checking its purpose: it authenticates the caller, and does not authorize the call.
    ///
    /// # Errors
    /// [`SessionError`], but for `OtherUse` and `OtherKey`.
    pub fn authentic(keyring: &Keyring, text: &str, now: Timestamp) -> Result<Self, SessionError> {
        let (purpose, fields) = open_text(keyring, &[OPERATION, OPERATION_WITH_OWNERS], text)?;
        let session = Self::decode(purpose, &fields).ok_or(SessionError::NotAuthentic)?;
        check_time(session.not_after, now)?;
        Ok(session)
    }

    /// The caller, with the current facts of the session's key (none for an anonymous session).
    ///
    /// # Errors
    /// [`SessionError::OtherKey`] when the facts are not of the session's key.
    pub fn caller(&self, current: Option<Arc<KeyFacts>>) -> Result<Caller, SessionError> {
        match (&self.key, current) {
            (None, None) => Ok(Caller::anonymous(self.origin.clone())),
            (Some(key), Some(facts)) => key.caller(facts, self.origin.clone()),
            (None, Some(_)) | (Some(_), None) => Err(SessionError::OtherKey),
        }
    }

    fn decode(purpose: u8, fields: &[u8]) -> Option<Self> {
        let mut reader = FieldReader::new(fields);
        let not_after = Timestamp::from_micros(i64::from_be_bytes(reader.array()?));
        let key = match reader.byte()? {
            0 => None,
            _ => Some(SessionKey::decode(reader.field()?)?),
        };
        let operation = reader.text()?.to_owned();
        let bucket = reader.optional_text()?.map(str::to_owned);
        let object_key = reader.optional_text()?.map(str::to_owned);
        let address = match reader.optional_text()? {
            None => ClientAddress::UNKNOWN,
            Some(address) => ClientAddress::known(address.parse().ok()?),
        };
        let request_id = reader.text()?.into();
        let client_operation = reader.text()?.into();
        let user_agent = reader.optional_text()?.map(Arc::from);
        let owners = match purpose == OPERATION_WITH_OWNERS {
            true => ExpectedOwners {
                bucket: read_owner(&mut reader)?,
                source: read_owner(&mut reader)?,
            },
            false => ExpectedOwners::default(),
        };
        reader.end()?;
        let usage = SessionUse {
            operation,
            bucket,
            key: object_key,
        };
        Some(Self {
            key,
            usage,
            owners,
            origin: Origin {
                address,
                request_id,
                operation: client_operation,
                user_agent,
            },
            not_after,
        })
    }
}

impl BearerSession {
    /// A session of a caller who proved a key, good for at most [`MAX_SESSION_LIFE`] from `now`. None for an anonymous
    /// caller.
    #[must_use]
    pub fn new(caller: &Caller, now: Timestamp, life: Duration) -> Option<Self> {
        let key = caller.key().map(|key| SessionKey::of(key))?;
        Some(Self {
            key,
            not_after: now.saturating_add(life.min(MAX_SESSION_LIFE)),
            only_from: None,
        })
    }

    /// The session for the answer to a challenge that was issued at `issued`, bound to the caller's address. It is
    /// derived from challenge and key, so that a repeated answer yields the same session. None for an anonymous caller.
    #[must_use]
    pub fn of_challenge(caller: &Caller, issued: Timestamp) -> Option<Self> {
        let key = caller.key().map(|key| SessionKey::of(key))?;
        Some(Self {
            key,
            not_after: issued.saturating_add(MAX_SESSION_LIFE),
            only_from: Some(caller.address()),
        })
    }

    /// The session as text: base64url, authenticated under the active key. A bearer secret while it lasts.
    #[must_use]
    pub fn issue(&self, keyring: &Keyring) -> String {
        let mut fields = Vec::with_capacity(64);
        fields.extend_from_slice(&self.not_after.as_micros().to_be_bytes());
        push_field(&mut fields, &self.key.encode());
        let Some(address) = self.only_from else {
            return seal_text(keyring, BEARER, &fields);
        };
        let address = address.ip().map(|ip| ip.to_string());
        push_optional(&mut fields, address.as_deref().map(str::as_bytes));
        seal_text(keyring, BOUND_BEARER, &fields)
    }

    /// Reads a session.
    ///
    /// # Errors
    /// [`SessionError`], but for `OtherUse` and `OtherKey`.
    pub fn open(keyring: &Keyring, text: &str, now: Timestamp) -> Result<Self, SessionError> {
        let (purpose, fields) = open_text(keyring, &[BEARER, BOUND_BEARER], text)?;
        let session = Self::decode(purpose, &fields).ok_or(SessionError::NotAuthentic)?;
        check_time(session.not_after, now)?;
        Ok(session)
    }

    /// The caller of one call, with the current facts of the session's key.
    ///
    /// # Errors
    /// [`SessionError::OtherKey`] when the facts are not of the session's key, [`SessionError::OtherAddress`].
    pub fn caller(&self, current: Arc<KeyFacts>, origin: Origin) -> Result<Caller, SessionError> {
        if self
            .only_from
            .is_some_and(|address| address != origin.address)
        {
            return Err(SessionError::OtherAddress);
        }
        self.key.caller(current, origin)
    }

    fn decode(purpose: u8, fields: &[u8]) -> Option<Self> {
        let mut reader = FieldReader::new(fields);
        let not_after = Timestamp::from_micros(i64::from_be_bytes(reader.array()?));
        let key = SessionKey::decode(reader.field()?)?;
        let only_from = match (purpose == BOUND_BEARER).then(|| reader.optional_text()) {
            None => None,
            Some(address) => Some(match address? {
                None => ClientAddress::UNKNOWN,
                Some(address) => ClientAddress::known(address.parse().ok()?),
            }),
        };
        reader.end()?;
        Some(Self {
            key,
            not_after,
            only_from,
        })
    }
}

impl SessionKey {
    fn of(facts: &KeyFacts) -> Self {
        Self {
            pk: facts.pk,
            access_key_id: facts.access_key_id.clone(),
            epoch: facts.epoch,
        }
    }

    /// The id is compared as well as the row: a row number could be used again after a restore from backup.
    fn caller(&self, facts: Arc<KeyFacts>, origin: Origin) -> Result<Caller, SessionError> {
        if facts.pk == self.pk && facts.access_key_id == self.access_key_id {
            Ok(Caller::proven(facts, origin))
        } else {
            Err(SessionError::OtherKey)
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut fields = Vec::with_capacity(48);
        fields.extend_from_slice(&self.pk.0.to_be_bytes());
        fields.extend_from_slice(&self.epoch.to_be_bytes());
        push_field(&mut fields, self.access_key_id.as_str().as_bytes());
        fields
    }

    fn decode(fields: &[u8]) -> Option<Self> {
        let mut reader = FieldReader::new(fields);
        let pk = AccessKeyPk(i64::from_be_bytes(reader.array()?));
        let epoch = i64::from_be_bytes(reader.array()?);
        let access_key_id = reader.text()?.parse().ok()?;
        reader.end()?;
        Some(Self {
            pk,
            access_key_id,
            epoch,
        })
    }
}

/// An account that may be absent; `None` if it cannot be read.
fn read_owner(reader: &mut FieldReader<'_>) -> Option<Option<AccountId>> {
    match reader.byte()? {
        0 => Some(None),
        _ => {
            let number = reader.field()?.try_into().ok()?;
            Some(Some(AccountId(i64::from_be_bytes(number))))
        }
    }
}

fn check_time(not_after: Timestamp, now: Timestamp) -> Result<(), SessionError> {
    if now > not_after {
        Err(SessionError::Expired { not_after })
    } else {
        Ok(())
    }
}

fn seal_text(keyring: &Keyring, purpose: u8, fields: &[u8]) -> String {
    let mut token = Vec::with_capacity(6 + fields.len() + MAC_LENGTH);
    token.extend_from_slice(&[VERSION, purpose]);
    token.extend_from_slice(&keyring.active_id().get().to_be_bytes());
    token.extend_from_slice(fields);
    let mut mac = keyring.active_key(KeyPurpose::SessionMac).mac();
    mac.update(&token);
    token.extend_from_slice(&mac.finalize().into_bytes());
    URL_SAFE_NO_PAD.encode(token)
}

/// The purpose, one of `purposes`, and the fields. Everything is authenticated, version and purpose included, before a
/// field is read.
fn open_text(
    keyring: &Keyring,
    purposes: &[u8],
    text: &str,
) -> Result<(u8, Vec<u8>), SessionError> {
    if text.len() > MAX_TEXT_LENGTH {
        return Err(SessionError::NotAuthentic);
    }
    let token = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| SessionError::NotAuthentic)?;
    let (body, tag) = token
        .split_last_chunk::<MAC_LENGTH>()
        .ok_or(SessionError::NotAuthentic)?;
    let (head, fields) = body
        .split_first_chunk::<6>()
        .ok_or(SessionError::NotAuthentic)?;
    let [version, purpose, kek_id @ ..] = *head;
    let kek_id = KekId::new(u32::from_be_bytes(kek_id)).ok_or(SessionError::NotAuthentic)?;
    let key = keyring
        .key(kek_id, KeyPurpose::SessionMac)
        .ok_or(SessionError::KeyMissing { kek_id })?;
    let mut mac = key.mac();
    mac.update(body);
    mac.verify_slice(tag)
        .map_err(|_| SessionError::NotAuthentic)?;
    if version != VERSION || !purposes.contains(&purpose) {
        return Err(SessionError::NotAuthentic);
    }
    Ok((purpose, fields.to_vec()))
}

#[cfg(test)]
mod tests;
