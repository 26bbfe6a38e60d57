//! Makes access keys: tokens, account administrators' keys and operators' keys alike.

use ipnet::IpNet;

use super::audit_details::bounded_details;
use crate::access::{SealBinding, SecretKey, generate_key_id, seal_secret};
use crate::catalog::model::{AuditEntry, Bucket, KeyLimits, KeyScope};
use crate::catalog::mutation::CreateAccessKey;
use crate::domain::{AccessKeyId, AccessKeyPk, AccountId, BucketId, Timestamp};
use crate::error::Error;
use crate::request::{Grant, Service};

/// What a new key shall be.
#[derive(Debug, Clone)]
pub(crate) struct NewKey {
    pub(crate) scope: KeyScope,
    pub(crate) name: String,
    pub(crate) allowed: Vec<IpNet>,
    pub(crate) disallowed: Vec<IpNet>,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) limits: KeyLimits,
}

/// Draws id and secret, seals the secret for its row, and gives the row that is to be committed.
pub(crate) async fn issue_key(
    service: &Service,
    new: NewKey,
    by: String,
) -> Result<(CreateAccessKey, SecretKey), Error> {
    let internal = |error: Box<dyn std::error::Error + Send + Sync>| Error::Internal(error);
    let access_key_id = generate_key_id().map_err(|error| internal(Box::new(error)))?;
    let secret = SecretKey::generate().map_err(|error| internal(Box::new(error)))?;
    let row = seal_key(service, new, access_key_id, &secret, by).await?;
    Ok((row, secret))
}

/// Seals a given pair.
pub(crate) async fn seal_key(
    service: &Service,
    new: NewKey,
    access_key_id: AccessKeyId,
    secret: &SecretKey,
    by: String,
) -> Result<CreateAccessKey, Error> {
    let pk = AccessKeyPk(service.catalog.next_id().await?);
    let binding = SealBinding {
        pk,
        access_key_id: &access_key_id,
        scope: new.scope,
    };
    let sealed = seal_secret(&service.keyring.current(), &binding, secret)
        .map_err(|error| Error::Internal(Box::new(error)))?;
    Ok(CreateAccessKey {
        pk,
        scope: new.scope,
        name: new.name,
        allowed: new.allowed,
        disallowed: new.disallowed,
        expires: new.expires,
        limits: new.limits,
        secret: sealed.into(),
        by,
        access_key_id,
    })
}

/// What a record in the audit is about.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct About {
    pub(crate) account: Option<AccountId>,
    pub(crate) bucket: Option<BucketId>,
    pub(crate) access_key: Option<AccessKeyPk>,
}

impl About {
    /// About a bucket as such.
    pub(crate) fn bucket(bucket: &Bucket) -> Self {
        Self {
            account: Some(bucket.account),
            bucket: Some(bucket.id),
            access_key: None,
        }
    }

    /// About a token of a bucket.
    pub(crate) fn token(bucket: &Bucket, token: AccessKeyPk) -> Self {
        Self {
            access_key: Some(token),
            ..Self::bucket(bucket)
        }
    }
}

/// A record of what an administrator does. `details` never hold a secret; long values are cut.
pub(crate) fn audit_entry(
    service: &Service,
    grant: &impl Grant,
    action: &'static str,
    about: About,
    details: serde_json::Value,
) -> AuditEntry {
    let caller = grant.caller();
    AuditEntry {
        at: service.now(),
        actor: grant.actor(),
        address: caller.address().ip().map(|address| address.to_string()),
        action: action.to_owned(),
        account: about.account,
        bucket: about.bucket,
        access_key: about.access_key,
        request_id: caller.request_id().to_string(),
        details: bounded_details(details).to_string(),
    }
}
