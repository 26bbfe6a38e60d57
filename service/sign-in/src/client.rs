use std::fmt;
use std::time::Duration;

use bucketry_contract::v1::token_service_client::TokenServiceClient;
use bucketry_contract::v1::{
    AnswerChallengeRequest, AnswerChallengeResponse, CreateChallengeRequest, SessionPurpose,
};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::transcript::{Granted, NONCE_LENGTH, ProofKey, Purpose, Transcript};

/// An access key id, and the key derived from its secret. The secret itself is not kept.
#[derive(Debug, Clone)]
pub struct SignInCredentials {
    access_key_id: String,
    key: ProofKey,
}

impl SignInCredentials {
    /// Derives the key; the caller wipes the secret.
    #[must_use]
    pub fn new(access_key_id: &str, secret_access_key: &str) -> Self {
        Self {
            access_key_id: access_key_id.to_owned(),
            key: ProofKey::derive(secret_access_key),
        }
    }

    /// The access key id.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }
}

/// A session of a server that has proved that it knows the secret.
#[derive(Clone)]
pub struct Session {
    /// The value of the metadata `authorization`. Marked as sensitive.
    pub authorization: MetadataValue<Ascii>,
    /// How long it lasts, counted from its arrival.
    pub lifetime: Duration,
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// Why a sign-in failed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The operating system's random generator failed.
    #[error("the operating system's random generator failed: {0}")]
    Entropy(getrandom::Error),
    /// The server does not support challenges.
    #[error(
        "the server at {endpoint} does not support sign-in by challenge: it is an older version or another program; \
         the secret was not sent"
    )]
    NoChallenge {
        /// The endpoint that was dialled.
        endpoint: String,
    },
    /// The answer does not prove the secret.
    #[error(
        "the server at {endpoint} does not know this key's secret: another program may listen there, or the key was \
         replaced; the secret was not sent"
    )]
    NotProven {
        /// The endpoint that was dialled.
        endpoint: String,
    },
    /// The server refused the sign-in or could not be reached.
    #[error("{}", .0.message())]
    Refused(Box<Status>),
}

/// One way to sign in.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The connection.
    pub channel: Channel,
    /// Who signs in.
    pub credentials: SignInCredentials,
    /// The endpoint that the connection dials, see [`crate::normalized_endpoint`].
    pub endpoint: String,
    /// What the session is for.
    pub purpose: Purpose,
}

impl SignIn {
    /// Gets a session. The secret does not travel, and a server that does not know it is refused.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn session(&self) -> Result<Session, SignInError> {
        let mut client_nonce = [0_u8; NONCE_LENGTH];
        getrandom::fill(&mut client_nonce).map_err(SignInError::Entropy)?;
        let mut client = TokenServiceClient::new(self.channel.clone());
        let challenge = client.create_challenge(CreateChallengeRequest {
            access_key_id: self.credentials.access_key_id.clone(),
            client_nonce: client_nonce.to_vec().into(),
        });
        let challenge = challenge.await.map_err(|status| self.refused(status))?;
        let server_nonce = challenge.into_inner().server_nonce;
        let transcript = Transcript {
            access_key_id: &self.credentials.access_key_id,
            client_nonce: &client_nonce,
            server_nonce: &server_nonce,
            endpoint: &self.endpoint,
            purpose: self.purpose,
        };
        let answer = client.answer_challenge(AnswerChallengeRequest {
            access_key_id: self.credentials.access_key_id.clone(),
            client_nonce: client_nonce.to_vec().into(),
            server_nonce: server_nonce.clone(),
            endpoint: self.endpoint.clone(),
            purpose: purpose(self.purpose).into(),
            signature: self.credentials.key.sign(&transcript).to_vec().into(),
        });
        let answer = answer.await.map_err(|status| self.refused(status))?;
        self.checked(&transcript, &answer.into_inner())
    }

    fn checked(
        &self,
        transcript: &Transcript<'_>,
        answer: &AnswerChallengeResponse,
    ) -> Result<Session, SignInError> {
        let not_proven = || SignInError::NotProven {
            endpoint: self.endpoint.clone(),
        };
        let expiry = answer.expire_time.as_ref().ok_or_else(not_proven)?;
        let granted = Granted {
            session_token: &answer.session_token,
            expiry: (expiry.seconds, expiry.nanos),
            lifetime_seconds: answer.lifetime_seconds,
        };
        let key = &self.credentials.key;
        if !key.verify_proof(transcript, &granted, &answer.server_proof) {
            return Err(not_proven());
        }
        let mut authorization: MetadataValue<Ascii> = format!("Bearer {}", answer.session_token)
            .parse()
            .map_err(|_| not_proven())?;
        // Kept out of Debug and of HTTP/2's header table.
        authorization.set_sensitive(true);
        let seconds = u64::try_from(answer.lifetime_seconds).unwrap_or_default();
        Ok(Session {
            authorization,
            lifetime: Duration::from_secs(seconds),
        })
    }

    fn refused(&self, status: Status) -> SignInError {
        match status.code() {
            Code::Unimplemented => SignInError::NoChallenge {
                endpoint: self.endpoint.clone(),
            },
            _ => SignInError::Refused(Box::new(status)),
        }
    }
}

fn purpose(purpose: Purpose) -> SessionPurpose {
    match purpose {
        Purpose::Client => SessionPurpose::Client,
        Purpose::Adapter => SessionPurpose::Adapter,
    }
}
