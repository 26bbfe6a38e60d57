use bucketry_contract::access::v1::AccessClass;
use bucketry_contract::v1::{
    ResumeTokenRequest, ResumeTokenResponse, SuspendTokenRequest, SuspendTokenResponse, Token,
};
use tonic::Request;

use super::revoke_token::change_state;
use crate::catalog::model::KeyState;
use crate::error::Error;
use crate::gate::Caller;
use crate::service::Service;

pub(crate) async fn suspend_token(
    service: &Service,
    request: Request<SuspendTokenRequest>,
) -> Result<SuspendTokenResponse, Error> {
    let caller = service.caller(&request, "SuspendToken").await?;
    let asked = request.into_inner();
    let token = switch(service, caller, &asked.bucket, &asked.token_id, KeyState::Suspended).await?;
    Ok(SuspendTokenResponse { token: Some(token) })
}

pub(crate) async fn resume_token(
    service: &Service,
    request: Request<ResumeTokenRequest>,
) -> Result<ResumeTokenResponse, Error> {
    let caller = service.caller(&request, "ResumeToken").await?;
    let asked = request.into_inner();
    let token = switch(service, caller, &asked.bucket, &asked.token_id, KeyState::Active).await?;
    Ok(ResumeTokenResponse { token: Some(token) })
}

async fn switch(
    service: &Service,
    caller: Caller,
    bucket: &str,
    token_id: &str,
    state: KeyState,
) -> Result<Token, Error> {
    let grant = service
        .admit(caller, AccessClass::BucketAdmin, bucket, "")
        .await?;
    change_state(service, &grant, token_id, state).await
}
