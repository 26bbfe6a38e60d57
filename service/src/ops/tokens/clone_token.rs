use bucketry_contract::v1::{CloneTokenRequest, CloneTokenResponse};
use tonic::Request;

use super::create_token::make_token;
use super::{NewKey, find_token};
use crate::convert::token_name;
use crate::error::Error;
use crate::service::Service;

pub(crate) async fn clone_token(
    service: &Service,
    request: Request<CloneTokenRequest>,
) -> Result<CloneTokenResponse, Error> {
    let caller = service.caller(&request, "CloneToken").await?;
    let asked = request.into_inner();
    let grant = service.admit(caller, &asked, &asked.bucket, "").await?;
    let original = find_token(service, &grant, &asked.token_id).await?;
    let new = NewKey {
        scope: original.scope,
        name: if asked.name.is_empty() {
            original.name.clone()
        } else {
            token_name(&asked.name)?
        },
        allowed: original.allowed.clone(),
        disallowed: original.disallowed.clone(),
        // An expiry that has passed would make a clone that never works.
        expires: original.expires.filter(|&at| at > service.now()),
        limits: original.limits,
    };
    let (token, credentials) = make_token(service, &grant, new, "token.clone").await?;
    Ok(CloneTokenResponse {
        token: Some(token),
        credentials: Some(credentials),
    })
}
