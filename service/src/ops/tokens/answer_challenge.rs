use std::sync::Arc;

use bucketry_contract::access_table::{AccessClass, Classified};
use bucketry_contract::v1::{AnswerChallengeRequest, AnswerChallengeResponse, SessionPurpose};
use bucketry_sign_in::{Granted, NONCE_LENGTH, ProofKey, Purpose, Transcript};
use tonic::Request;

use crate::access::authenticate::authenticate_challenge;
use crate::access::{
    self, BearerSession, ChallengeError, ChallengeFor, KeyFacts, Origin, open_challenge,
};
use crate::catalog::model::KeyScope;
use crate::convert::timestamp_to_proto;
use crate::domain::Timestamp;
use crate::error::Error;
use crate::request::{Counting, Grant, Requirements, Resource, Service, origin};
use bucketry_edge::ConnectionInfo;

/// Verifies the challenge, then the signature, and only then checks endpoint, key and address, so that a caller who
/// does not know the secret learns nothing about the key or the names of this server.
pub(crate) async fn answer_challenge(
    service: &Service,
    request: Request<AnswerChallengeRequest>,
) -> Result<AnswerChallengeResponse, Error> {
    let connection = request.extensions().get::<ConnectionInfo>().copied();
    service.check_transport(connection)?;
    let connection = connection.ok_or_else(|| Error::internal("a call without a connection"))?;
    let origin = origin(&request, AnswerChallengeRequest::RPC);
    let sent = request.into_inner();
    let purpose = purpose(&sent)?;
    let transcript = Transcript {
        access_key_id: &sent.access_key_id,
        client_nonce: client_nonce(&sent.client_nonce)?,
        server_nonce: &sent.server_nonce,
        endpoint: &sent.endpoint,
        purpose,
    };
    let issued = issued(service, &transcript, &origin)?;
    let (caller, key) = prove(service, &transcript, &sent.signature, origin).await?;
    let endpoints = &service.settings.endpoints;
    endpoints
        .check(&sent.endpoint, &connection)
        // The key's holder signed for another server, which may be an attack: log it.
        .inspect_err(
            |error| tracing::warn!(access_key_id = %sent.access_key_id, %error, "sign-in refused"),
        )?;
    if purpose == Purpose::Adapter {
        service.check_edge_connection(Some(connection))?;
    }
    let class = class(purpose, &caller)?;
    let requirements =
        Requirements::of_class(AnswerChallengeRequest::RPC, class, Resource::Service);
    let target = service.service_target(&caller).await?;
    let grant = service.grant_account(caller, requirements, target)?;
    service.count(Counting::Here, &grant).await?;
    let session = BearerSession::of_challenge(grant.caller(), issued)
        .ok_or_else(|| Error::internal("a proven caller without a key"))?;
    answer(service, &session, &transcript, &key)
}

fn purpose(sent: &AnswerChallengeRequest) -> Result<Purpose, Error> {
    match sent.purpose() {
        SessionPurpose::Client => Ok(Purpose::Client),
        SessionPurpose::Adapter => Ok(Purpose::Adapter),
        SessionPurpose::Unspecified => Err(Error::InvalidArgument {
            field: "purpose",
            problem: "must be given".to_owned(),
        }),
    }
}

/// The client's nonce, if it has the right length.
pub(super) fn client_nonce(sent: &[u8]) -> Result<&[u8], Error> {
    if sent.len() == NONCE_LENGTH {
        return Ok(sent);
    }
    Err(Error::InvalidArgument {
        field: "client_nonce",
        problem: format!("must be {NONCE_LENGTH} random bytes"),
    })
}

fn issued(
    service: &Service,
    transcript: &Transcript<'_>,
    origin: &Origin,
) -> Result<Timestamp, Error> {
    let challenge = ChallengeFor {
        access_key_id: transcript.access_key_id,
        client_nonce: transcript.client_nonce,
        address: origin.address,
    };
    let keyring = service.keyring.current();
    let opened = open_challenge(&keyring, &challenge, transcript.server_nonce, service.now());
    opened.map_err(|error| match error {
        ChallengeError::KeyMissing { .. } => Error::Unavailable(Box::new(error)),
        ChallengeError::NotAuthentic | ChallengeError::Expired => Error::ChallengeEnded,
    })
}

/// The caller, and the key with which the server proves itself. For an unknown access key id the same is computed with a
/// random key, and the error is the same.
async fn prove(
    service: &Service,
    transcript: &Transcript<'_>,
    signature: &[u8],
    origin: Origin,
) -> Result<(access::Caller, ProofKey), Error> {
    let row = match service.key_row(transcript.access_key_id).await {
        Ok((_, row)) => row,
        Err(Error::InvalidAccessKeyId { .. }) => {
            let nobody = ProofKey::derive(&hex::encode(service.random::<20>()?));
            std::hint::black_box(nobody.verify(transcript, signature));
            return Err(Error::ChallengeFailed);
        }
        Err(error) => return Err(error),
    };
    let key = ProofKey::derive(service.open_secret(&row)?.expose());
    let facts = Arc::new(KeyFacts::from(row.as_ref()));
    let known = authenticate_challenge(
        transcript,
        signature,
        Arc::clone(&facts),
        &key,
        origin.clone(),
    );
    match known {
        Some(caller) => Ok((caller, key)),
        None => {
            (service.ledger).wrong_proof(&facts, "signature", &origin, Resource::Service);
            Err(Error::ChallengeFailed)
        }
    }
}

fn class(purpose: Purpose, caller: &access::Caller) -> Result<AccessClass, Error> {
    let edge = caller.key().is_some_and(|key| key.scope == KeyScope::Edge);
    match purpose {
        Purpose::Client => Ok(AccessClass::Authenticated),
        Purpose::Adapter if edge => Ok(AccessClass::Edge),
        Purpose::Adapter => Err(Error::EdgeKeyNeeded),
    }
}

fn answer(
    service: &Service,
    session: &BearerSession,
    transcript: &Transcript<'_>,
    key: &ProofKey,
) -> Result<AnswerChallengeResponse, Error> {
    let session_token = session.issue(&service.keyring.current());
    let expire_time = timestamp_to_proto(session.not_after);
    let left = session.not_after.as_micros() - service.now().as_micros();
    let lifetime_seconds = i32::try_from(left / 1_000_000)
        .map_err(|_| Error::internal("a session that lasts for years"))?;
    let granted = Granted {
        session_token: &session_token,
        expiry: (expire_time.seconds, expire_time.nanos),
        lifetime_seconds,
    };
    let server_proof = key.prove(transcript, &granted).to_vec().into();
    Ok(AnswerChallengeResponse {
        session_token,
        expire_time: Some(expire_time),
        lifetime_seconds,
        server_proof,
    })
}
