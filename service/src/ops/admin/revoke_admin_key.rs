use std::sync::Arc;

use bucketry_contract::v1::{RevokeAdminKeyRequest, RevokeAdminKeyResponse};
use serde_json::json;
use tonic::Request;

use crate::catalog::model::{AccessKey, KeyScope, KeyState};
use crate::catalog::mutation::{KeyEdit, UpdateAccessKey};
use crate::convert::admin_key_to_proto;
use crate::domain::AccessKeyPk;
use crate::error::Error;
use crate::ops::tokens::{About, audit_entry};
use crate::request::{Grant, Service};

pub(crate) async fn revoke_admin_key(
    service: &Service,
    request: Request<RevokeAdminKeyRequest>,
) -> Result<RevokeAdminKeyResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service.admit_account(caller, &asked).await?;
    let before = find_admin_key(service, &asked.key_id).await?;
    // An operator who could revoke the calling key could lock everyone out.
    if grant.caller().key().is_some_and(|key| key.pk == before.pk) {
        return Err(Error::InvalidRequest(
            "a key cannot revoke itself: use another operator key",
        ));
    }
    if before.state == KeyState::Revoked {
        return Ok(RevokeAdminKeyResponse {
            key: Some(admin_key_to_proto(&before)),
        });
    }
    let change = UpdateAccessKey {
        pk: before.pk,
        if_version: None,
        edit: KeyEdit {
            state: Some(KeyState::Revoked),
            ..KeyEdit::default()
        },
        by: grant.actor(),
    };
    let about = About {
        access_key: Some(before.pk),
        ..About::default()
    };
    let entry = audit_entry(service, &grant, "admin_key.revoke", about, json!({}));
    let after = service.commit(&grant, change, vec![entry]).await?;
    Ok(RevokeAdminKeyResponse {
        key: Some(admin_key_to_proto(&after)),
    })
}

async fn find_admin_key(service: &Service, id: &str) -> Result<Arc<AccessKey>, Error> {
    let row = match id.parse::<i64>() {
        Ok(pk) => service.catalog.access_key_by_pk(AccessKeyPk(pk)).await?,
        Err(_) => match id.parse() {
            Ok(id) => service.catalog.access_key(&id).await?,
            Err(_) => None,
        },
    };
    row.filter(|row| !matches!(row.scope, KeyScope::Bucket { .. }))
        .ok_or_else(|| Error::NoSuchToken {
            token_id: id.chars().take(128).collect(),
        })
}
