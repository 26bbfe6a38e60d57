use bucketry_contract::v1::{CloneTokenRequest, CloneTokenResponse};
use tonic::Request;

use super::create_token::make_token;
use super::{NewKey, admit_token};
use crate::convert::token_name;
use crate::error::Error;
use crate::request::Service;

pub(crate) async fn clone_token(
    service: &Service,
    request: Request<CloneTokenRequest>,
) -> Result<CloneTokenResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let (grant, original) =
        admit_token(service, caller, &asked, &asked.bucket, &asked.token_id).await?;
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
    let (token, credentials) = make_token(service, &grant, new, Some(&original)).await?;
    Ok(CloneTokenResponse {
        token: Some(token),
        credentials: Some(credentials),
    })
}
