use std::sync::Arc;

use bucketry_contract::access_table::{AccessClass, Classified};
use bucketry_contract::v1::{RevokeAdminKeyRequest, RevokeAdminKeyResponse};
use serde_json::json;
use tonic::Request;

use crate::access::AccessTarget;
use crate::catalog::model::{AccessKey, KeyScope, KeyState};
use crate::catalog::mutation::{KeyEdit, UpdateAccessKey};
use crate::convert::admin_key_to_proto;
use crate::domain::{AccessKeyPk, AccountId};
use crate::error::Error;
use crate::ops::tokens::{About, audit_entry, recorded_uses};
use crate::request::{
    AccountGrant, Credentials, Grant, IdentifiedCaller, Requirements, Resource, Service,
};

/// When this returns, the catalog refuses every commit with the key, and every look-up shows it revoked.
pub(crate) async fn revoke_admin_key(
    service: &Service,
    request: Request<RevokeAdminKeyRequest>,
) -> Result<RevokeAdminKeyResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let (grant, before) = admit_to_key(service, caller, &asked).await?;
    let own_account = own_account(&grant);
    let is_caller = grant.caller().key().is_some_and(|key| key.pk == before.pk);
    // An operator who could revoke the calling key could lock everyone out; the last key of an account is kept below.
    if is_caller && own_account.is_none() {
        return Err(Error::InvalidRequest(
            "a key cannot revoke itself: use another operator key",
        ));
    }
    if before.state == KeyState::Revoked {
        return Ok(answer(service, &before).await);
    }
    let change = UpdateAccessKey {
        pk: before.pk,
        if_version: None,
        unless_last_of: own_account,
        edit: KeyEdit {
            state: Some(KeyState::Revoked),
            ..KeyEdit::default()
        },
        by: grant.actor(),
    };
    let about = About {
        account: before.scope.account(),
        access_key: Some(before.pk),
        bucket: None,
    };
    let entry = audit_entry(service, &grant, "admin_key.revoke", about, json!({}));
    let after = service.commit(&grant, change, vec![entry]).await?;
    Ok(answer(service, &after).await)
}

/// Admits a caller to a key: an operator to all but tokens, an account administrator to those of the account. To others
/// there is no such key.
async fn admit_to_key(
    service: &Service,
    caller: Credentials,
    asked: &RevokeAdminKeyRequest,
) -> Result<(AccountGrant, Arc<AccessKey>), Error> {
    let requirements = Requirements::of(asked, Resource::Service);
    let IdentifiedCaller {
        caller, counting, ..
    } = service.identify(caller, &requirements).await?;
    let whole = service.service_target(&caller).await?;
    // Who administers nothing learns nothing about keys.
    service.decide(&caller, &requirements, whole)?;
    let key = find_admin_key(service, &asked.key_id).await?;
    let key = key.ok_or_else(|| no_such(&asked.key_id))?;
    let (requirements, target) = match key.scope {
        KeyScope::Account(account) => (requirements, AccessTarget::Account(account)),
        KeyScope::Everything | KeyScope::Edge | KeyScope::Bucket { .. } => {
            let (rpc, class) = (RevokeAdminKeyRequest::RPC, AccessClass::Operator);
            let operators = Requirements::of_class(rpc, class, Resource::Service);
            (operators, whole)
        }
    };
    match service.grant_account(caller, requirements, target) {
        Ok(grant) => {
            service.count(counting, &grant).await?;
            Ok((grant, key))
        }
        Err(Error::AccessDenied) => Err(no_such(&asked.key_id)),
        Err(error) => Err(error),
    }
}

/// The account that the caller administers; none for operators.
fn own_account(grant: &AccountGrant) -> Option<AccountId> {
    grant.scope().and_then(KeyScope::account)
}

async fn answer(service: &Service, key: &AccessKey) -> RevokeAdminKeyResponse {
    let uses = recorded_uses(service, key.pk).await;
    let key = uses.of_admin_key(key.pk, admin_key_to_proto(key));
    RevokeAdminKeyResponse { key: Some(key) }
}

async fn find_admin_key(service: &Service, id: &str) -> Result<Option<Arc<AccessKey>>, Error> {
    let row = match id.parse::<i64>() {
        Ok(pk) => service.catalog.access_key_by_pk(AccessKeyPk(pk)).await?,
        Err(_) => match id.parse() {
            Ok(id) => service.catalog.access_key(&id).await?,
            Err(_) => None,
        },
    };
    Ok(row.filter(|row| !matches!(row.scope, KeyScope::Bucket { .. })))
}

fn no_such(key_id: &str) -> Error {
    Error::NoSuchToken {
        token_id: key_id.chars().take(128).collect(),
    }
}
