use std::time::Duration;

use bucketry_contract::v1::{CreateSessionRequest, CreateSessionResponse};
use tonic::Request;

use crate::access::{BearerSession, MAX_SESSION_LIFE};
use crate::convert::timestamp_to_proto;
use crate::error::Error;
use crate::request::{Grant, Service};

const LIFE: Duration = MAX_SESSION_LIFE;

pub(crate) async fn create_session(
    service: &Service,
    request: Request<CreateSessionRequest>,
) -> Result<CreateSessionResponse, Error> {
    let caller = service.caller(&request).await?;
    let by_session = caller.is_by_session();
    let grant = service.admit_account(caller, request.get_ref()).await?;
    // One that prolonged itself would be as good as the secret, for as long as the key lives.
    if by_session {
        return Err(Error::InvalidRequest(
            "a session makes no other: sign in with the access key id and secret access key",
        ));
    }
    let session = BearerSession::new(grant.caller(), service.now(), LIFE)
        .ok_or(Error::CredentialsRequired)?;
    Ok(CreateSessionResponse {
        session_token: session.issue(&service.keyring.current()),
        expire_time: Some(timestamp_to_proto(session.not_after)),
    })
}
