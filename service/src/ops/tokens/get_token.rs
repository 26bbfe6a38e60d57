use bucketry_contract::v1::{GetTokenRequest, GetTokenResponse};
use tonic::Request;

use super::admit_token;
use super::uses::uses;
use crate::convert::token_to_proto;
use crate::error::Error;
use crate::request::Service;

pub(crate) async fn get_token(
    service: &Service,
    request: Request<GetTokenRequest>,
) -> Result<GetTokenResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let (grant, token) =
        admit_token(service, caller, &asked, &asked.bucket, &asked.token_id).await?;
    let shown = token_to_proto(&token, &grant.bucket, service.now());
    let uses = uses(service, &[token.pk]).await?;
    Ok(GetTokenResponse {
        token: Some(uses.of(token.pk, shown)),
    })
}
