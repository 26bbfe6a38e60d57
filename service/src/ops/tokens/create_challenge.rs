use bucketry_contract::v1::{CreateChallengeRequest, CreateChallengeResponse};
use tonic::Request;

use super::answer_challenge::client_nonce;
use crate::access::{ChallengeFor, issue_challenge};
use crate::error::Error;
use crate::request::{Service, origin};

/// Far above the longest access key id, in bytes: what is authenticated must not grow as the caller likes.
const MAX_ID_LENGTH: usize = 128;

/// The key is not looked up: one that does not exist must give the same answer.
#[allow(clippy::unused_async, reason = "every operation has this shape")]
pub(crate) async fn create_challenge(
    service: &Service,
    request: Request<CreateChallengeRequest>,
) -> Result<CreateChallengeResponse, Error> {
    let address = origin(&request, "CreateChallenge").address;
    let sent = request.into_inner();
    if sent.access_key_id.len() > MAX_ID_LENGTH {
        return Err(Error::InvalidArgument {
            field: "access_key_id",
            problem: format!("has more than {MAX_ID_LENGTH} bytes"),
        });
    }
    let challenge = ChallengeFor {
        access_key_id: &sent.access_key_id,
        client_nonce: client_nonce(&sent.client_nonce)?,
        address,
    };
    let random = service.random()?;
    let nonce = issue_challenge(
        &service.keyring.current(),
        &challenge,
        random,
        service.now(),
    );
    Ok(CreateChallengeResponse {
        server_nonce: nonce.into(),
    })
}
