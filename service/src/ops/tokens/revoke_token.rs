use bucketry_contract::v1::{RevokeTokenRequest, RevokeTokenResponse, Token};
use serde_json::json;
use tonic::Request;

use super::uses::with_use;
use super::{About, admit_token, audit_entry};
use crate::catalog::model::{AccessKey, KeyState};
use crate::catalog::mutation::{KeyEdit, UpdateAccessKey};
use crate::convert::token_to_proto;
use crate::error::Error;
use crate::request::{BucketGrant, Grant, Service};

/// When this returns, the catalog refuses every commit with the token, and every look-up shows it revoked.
pub(crate) async fn revoke_token(
    service: &Service,
    request: Request<RevokeTokenRequest>,
) -> Result<RevokeTokenResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let (grant, token) =
        admit_token(service, caller, &asked, &asked.bucket, &asked.token_id).await?;
    let token = change_state(service, &grant, &token, KeyState::Revoked).await?;
    Ok(RevokeTokenResponse { token: Some(token) })
}

/// Suspends, resumes or revokes, with its record in the audit. Revoking again changes nothing.
pub(super) async fn change_state(
    service: &Service,
    grant: &BucketGrant,
    before: &AccessKey,
    state: KeyState,
) -> Result<Token, Error> {
    let shown = async |key: &AccessKey| {
        let token = token_to_proto(key, &grant.bucket, service.now());
        with_use(service, key.pk, token).await
    };
    if before.state == state {
        return Ok(shown(before).await);
    }
    let change = UpdateAccessKey {
        pk: before.pk,
        if_version: None,
        unless_last_of: None,
        edit: KeyEdit {
            state: Some(state),
            ..KeyEdit::default()
        },
        by: grant.actor(),
    };
    let about = About::token(&grant.bucket, before.pk);
    let action = match state {
        KeyState::Active => "token.resume",
        KeyState::Suspended => "token.suspend",
        KeyState::Revoked => "token.revoke",
    };
    let entry = audit_entry(
        service,
        grant,
        action,
        about,
        json!({ "name": before.name }),
    );
    let after = service.commit(grant, change, vec![entry]).await?;
    Ok(shown(&after).await)
}
