use std::sync::Arc;

use bucketry_contract::access_table::Classified;

use crate::access::AccessTarget;
use crate::catalog::model::{AccessKey, KeyScope};
use crate::domain::{AccessKeyPk, AccountId, BucketId};
use crate::error::Error;
use crate::request::{
    BucketGrant, Credentials, Grant, IdentifiedCaller, Requirements, Resource, Service,
};

/// Admits a caller to a token, by its id or access key id: of the bucket that is named, or, if none is, of whichever
/// bucket it is, be that gone.
///
/// Who administers nothing learns nothing; who administers another account hears that there is no such token.
pub(super) async fn admit_token(
    service: &Service,
    caller: Credentials,
    request: &impl Classified,
    bucket: &str,
    token_id: &str,
) -> Result<(BucketGrant, Arc<AccessKey>), Error> {
    if !bucket.is_empty() {
        let grant = service
            .admit(caller, request, Resource::bucket(bucket))
            .await?;
        let found = find(service, token_id).await?;
        let (_, token) = found
            .filter(|(of, _)| *of == grant.bucket.id)
            .ok_or_else(|| no_such(token_id))?;
        return Ok((grant, token));
    }
    let requirements = Requirements::of(request, Resource::Service);
    let IdentifiedCaller {
        caller, counting, ..
    } = service.identify(caller, &requirements).await?;
    service.decide(&caller, &requirements, AccessTarget::AbsentBucket)?;
    let found = find(service, token_id).await?;
    let (of, token) = found.ok_or_else(|| no_such(token_id))?;
    let bucket = service.catalog.bucket(of).await?;
    let bucket = bucket.ok_or_else(|| Error::internal("a token of a bucket without a row"))?;
    match service.grant_bucket(caller, requirements, bucket) {
        Ok(grant) => {
            service.count(counting, &grant).await?;
            Ok((grant, token))
        }
        Err(Error::AccessDenied) => Err(no_such(token_id)),
        Err(error) => Err(error),
    }
}

/// Admits an administrator to what is asked for without a bucket: the account that is administered; none for operators,
/// who administer all.
pub(super) async fn administered_account(
    service: &Service,
    caller: Credentials,
    request: &impl Classified,
) -> Result<Option<AccountId>, Error> {
    let requirements = Requirements::of(request, Resource::Service);
    let IdentifiedCaller {
        caller, counting, ..
    } = service.identify(caller, &requirements).await?;
    let grant = service.grant_account(caller, requirements, AccessTarget::AbsentBucket)?;
    service.count(counting, &grant).await?;
    match grant.scope() {
        Some(KeyScope::Everything) => Ok(None),
        Some(KeyScope::Account(account)) => Ok(Some(account)),
        Some(KeyScope::Bucket { .. } | KeyScope::Edge) | None => Err(Error::AccessDenied),
    }
}

/// A token and the id of its bucket. Operators' and administrators' keys are no tokens.
pub(super) async fn find(
    service: &Service,
    id: &str,
) -> Result<Option<(BucketId, Arc<AccessKey>)>, Error> {
    let row = match id.parse::<i64>() {
        Ok(pk) => service.catalog.access_key_by_pk(AccessKeyPk(pk)).await?,
        Err(_) => match id.parse() {
            Ok(id) => service.catalog.access_key(&id).await?,
            Err(_) => None,
        },
    };
    Ok(row.and_then(|row| match row.scope {
        KeyScope::Bucket { bucket, .. } => Some((bucket, row)),
        KeyScope::Everything | KeyScope::Account(_) | KeyScope::Edge => None,
    }))
}

pub(super) fn no_such(token_id: &str) -> Error {
    Error::NoSuchToken {
        token_id: token_id.chars().take(128).collect(),
    }
}
