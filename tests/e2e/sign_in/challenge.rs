//! Challenges and their answers, call by call.

use bucketry_contract::v1::token_service_client::TokenServiceClient;
use bucketry_contract::v1::{
    AnswerChallengeRequest, AnswerChallengeResponse, CreateChallengeRequest, ErrorReason,
    HeadBucketRequest, Permission, RevokeTokenRequest, SessionPurpose,
};
use bucketry_sign_in::{ProofKey, Purpose, SignInError, Transcript};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients, channel};
use bucketry_tests::postgres;
use bucketry_tests::server::{ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY, Server, ServerOptions};
use bytes::Bytes;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::{BUCKET, reason, sign_in};
use crate::separate_adapter::Key;

/// One sign-in, step by step.
struct Attempt {
    access_key_id: String,
    key: ProofKey,
    endpoint: String,
    client_nonce: Vec<u8>,
    /// What the proxy says that the client's address is; empty: nothing.
    from: &'static str,
}

impl Attempt {
    fn new(server: &Server, access_key_id: &str, secret_access_key: &str) -> Self {
        Self {
            access_key_id: access_key_id.to_owned(),
            key: ProofKey::derive(secret_access_key),
            endpoint: server.endpoint_url(),
            client_nonce: vec![7; 32],
            from: "",
        }
    }

    fn request<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        if !self.from.is_empty() {
            let from = self.from.parse().expect("a header");
            request.metadata_mut().insert("x-forwarded-for", from);
        }
        request
    }

    async fn challenge(&self, channel: &Channel) -> Result<Bytes, Status> {
        let asked = self.request(CreateChallengeRequest {
            access_key_id: self.access_key_id.clone(),
            client_nonce: self.client_nonce.clone().into(),
        });
        let mut tokens = TokenServiceClient::new(channel.clone());
        Ok(tokens
            .create_challenge(asked)
            .await?
            .into_inner()
            .server_nonce)
    }

    async fn answer(
        &self,
        channel: &Channel,
        server_nonce: &Bytes,
    ) -> Result<AnswerChallengeResponse, Status> {
        let signature = self.key.sign(&Transcript {
            access_key_id: &self.access_key_id,
            client_nonce: &self.client_nonce,
            server_nonce,
            endpoint: &self.endpoint,
            purpose: Purpose::Client,
        });
        let answer = self.request(AnswerChallengeRequest {
            access_key_id: self.access_key_id.clone(),
            client_nonce: self.client_nonce.clone().into(),
            server_nonce: server_nonce.clone(),
            endpoint: self.endpoint.clone(),
            purpose: SessionPurpose::Client.into(),
            signature: signature.to_vec().into(),
        });
        let mut tokens = TokenServiceClient::new(channel.clone());
        Ok(tokens.answer_challenge(answer).await?.into_inner())
    }
}

#[tokio::test]
async fn an_unknown_key_gets_the_same_error_as_a_wrong_signature() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let channel = channel(&server).await?;
    let mut seen = Vec::new();
    for (id, secret) in [
        (ROOT_ACCESS_KEY_ID, "another secret"),
        ("BKTYAAAAAAAAAAAAAAAA", ROOT_SECRET_ACCESS_KEY),
        ("not an access key id", ROOT_SECRET_ACCESS_KEY),
        ("", ""),
        (&"B".repeat(128), ""),
    ] {
        let attempt = Attempt::new(&server, id, secret);
        let challenge = attempt.challenge(&channel).await?;
        let refused = attempt.answer(&channel, &challenge).await.unwrap_err();
        assert_eq!(reason(&refused), Some(ErrorReason::SignatureDoesNotMatch));
        seen.push((
            challenge.len(),
            refused.code(),
            refused.message().to_owned(),
            refused.details().to_vec(),
        ));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    Ok(())
}

/// An answer that is heard and sent again gains nothing, and neither does a session from elsewhere.
#[tokio::test]
async fn answers_and_sessions_are_of_one_address() -> Result<(), HarnessError> {
    let options = ServerOptions::new().argument("--trusted-proxy=127.0.0.1");
    let server = Server::start(options)?;
    let channel = channel(&server).await?;
    let here = Attempt {
        from: "192.0.2.1",
        ..Attempt::new(&server, ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY)
    };
    let there = Attempt {
        from: "192.0.2.2",
        ..Attempt::new(&server, ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY)
    };
    let challenge = here.challenge(&channel).await?;
    let first = here.answer(&channel, &challenge).await?;
    let again = here.answer(&channel, &challenge).await?;
    assert_eq!(first.session_token, again.session_token);
    let elsewhere = there.answer(&channel, &challenge).await.unwrap_err();
    assert_eq!(reason(&elsewhere), Some(ErrorReason::InvalidToken));
    let other_nonce = Attempt {
        client_nonce: vec![8; 32],
        from: "192.0.2.1",
        ..Attempt::new(&server, ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY)
    };
    let refused = other_nonce.answer(&channel, &challenge).await.unwrap_err();
    assert_eq!(reason(&refused), Some(ErrorReason::InvalidToken));
    for (attempt, wanted) in [(&here, None), (&there, Some(ErrorReason::InvalidToken))] {
        let mut request = attempt.request(bucketry_contract::v1::ListBucketsRequest::default());
        let bearer = format!("Bearer {}", first.session_token).parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
        let mut objects =
            bucketry_contract::v1::object_service_client::ObjectServiceClient::new(channel.clone());
        let answer = objects.list_buckets(request).await;
        assert_eq!(answer.err().as_ref().and_then(reason), wanted);
    }
    Ok(())
}

#[tokio::test]
async fn a_challenge_of_one_node_is_answered_at_another() -> Result<(), HarnessError> {
    let url = postgres::create_database().await?;
    let store = tempfile::tempdir().expect("a folder");
    let options = ServerOptions::new()
        .database_url(&url)
        .argument("--store")
        .argument(format!("file://{}", store.path().display()));
    let nodes = [Server::start(options.clone())?, Server::start(options)?];
    let channels = [channel(&nodes[0]).await?, channel(&nodes[1]).await?];
    let attempt = Attempt::new(&nodes[1], ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY);
    let challenge = attempt.challenge(&channels[0]).await?;
    let session = attempt
        .answer(&channels[1], &challenge)
        .await?
        .session_token;
    // And the session is good at both.
    for node in &nodes {
        let mut clients = Clients::connect(node, Bearer::session(&session)?).await?;
        clients
            .objects
            .list_buckets(bucketry_contract::v1::ListBucketsRequest::default())
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn revocation_ends_the_sessions_of_a_key_and_its_sign_ins() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let mut clients = Clients::root(&server).await?;
    clients.create_bucket(BUCKET).await?;
    let (token, credentials) = clients.create_token(BUCKET, Permission::ReadOnly).await?;
    let key = Key {
        key_id: token.token_id.clone(),
        access_key_id: credentials.access_key_id.clone(),
        secret_access_key: credentials.secret_access_key.clone(),
    };
    let session = sign_in(&server, &key, Purpose::Client)
        .await
        .expect("a session");
    let session = session.authorization.to_str().unwrap().to_owned();
    let session = Bearer::session(session.trim_start_matches("Bearer "))?;
    let mut holder = Clients::connect(&server, session).await?;
    let head = || HeadBucketRequest {
        bucket: BUCKET.to_owned(),
    };
    holder.objects.head_bucket(head()).await?;
    let prolonged = holder
        .tokens
        .create_session(bucketry_contract::v1::CreateSessionRequest {});
    assert_eq!(prolonged.await.unwrap_err().code(), Code::InvalidArgument);
    let revoke = RevokeTokenRequest {
        bucket: BUCKET.to_owned(),
        token_id: token.token_id,
    };
    clients.tokens.revoke_token(revoke).await?;
    let refused = holder.objects.head_bucket(head()).await.unwrap_err();
    assert_eq!(reason(&refused), Some(ErrorReason::InvalidAccessKeyId));
    let again = sign_in(&server, &key, Purpose::Client).await;
    let Err(SignInError::Refused(status)) = again else {
        panic!("{again:?}");
    };
    assert_eq!(reason(&status), Some(ErrorReason::InvalidAccessKeyId));
    Ok(())
}
