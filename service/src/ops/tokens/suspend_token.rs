use bucketry_contract::v1::{
    ResumeTokenRequest, ResumeTokenResponse, SuspendTokenRequest, SuspendTokenResponse,
};
use tonic::Request;

use super::admit_token;
use super::revoke_token::change_state;
use crate::catalog::model::KeyState;
use crate::error::Error;
use crate::request::Service;

pub(crate) async fn suspend_token(
    service: &Service,
    request: Request<SuspendTokenRequest>,
) -> Result<SuspendTokenResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let (grant, token) =
        admit_token(service, caller, &asked, &asked.bucket, &asked.token_id).await?;
    let token = change_state(service, &grant, &token, KeyState::Suspended).await?;
    Ok(SuspendTokenResponse { token: Some(token) })
}

pub(crate) async fn resume_token(
    service: &Service,
    request: Request<ResumeTokenRequest>,
) -> Result<ResumeTokenResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let (grant, token) =
        admit_token(service, caller, &asked, &asked.bucket, &asked.token_id).await?;
    let token = change_state(service, &grant, &token, KeyState::Active).await?;
    Ok(ResumeTokenResponse { token: Some(token) })
}
