//! Sign-in by challenge: the secret does not travel, the server proves itself, and a session is worth what its key is.

mod impostor;
mod mutual_tls;
mod strangers;

use std::net::SocketAddr;
use std::process::{Command, Output};
use std::time::SystemTime;

use bucketry_contract::errors::explain;
use bucketry_contract::v1::token_service_client::TokenServiceClient;
use bucketry_contract::v1::{
    AnswerChallengeRequest, AnswerChallengeResponse, CreateChallengeRequest, ErrorReason,
    HeadBucketRequest, Permission, RevokeAdminKeyRequest, RevokeTokenRequest, SessionPurpose,
};
use bucketry_sign_in::{Credentials, ProofKey, Purpose, Session, SignIn, SignInError, Transcript};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients, channel};
use bucketry_tests::http1::{Request, exchange};
use bucketry_tests::postgres;
use bucketry_tests::server::{
    ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY, Server, ServerOptions, binary,
};
use bucketry_tests::sigv4::{Payload, Signer};
use bytes::Bytes;
use impostor::Impostor;
use tokio::net::TcpListener;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::separate_adapter::{Adapter, Key, edge_key};

const BUCKET: &str = "sign-in-test-bucket";

fn root() -> Key {
    Key {
        key_id: String::new(),
        access_key_id: ROOT_ACCESS_KEY_ID.to_owned(),
        secret_access_key: ROOT_SECRET_ACCESS_KEY.to_owned(),
    }
}

/// Signs in to a server by the address that it listens on.
pub(crate) async fn sign_in(
    server: &Server,
    key: &Key,
    purpose: Purpose,
) -> Result<Session, SignInError> {
    let sign_in = SignIn {
        channel: channel(server).await.expect("a connection"),
        credentials: Credentials::new(&key.access_key_id, &key.secret_access_key),
        endpoint: server.endpoint_url(),
        purpose,
    };
    sign_in.session().await
}

/// The command line with the root key, before an endpoint. Off the runtime, for the servers that it talks to may live
/// on that.
async fn command_line(endpoint: &str, arguments: &[&str]) -> Result<Output, HarnessError> {
    let mut command = Command::new(binary()?);
    command
        .args(arguments)
        .env("BUCKETRY_ENDPOINT", endpoint)
        .env("BUCKETRY_ACCESS_KEY_ID", ROOT_ACCESS_KEY_ID)
        .env("BUCKETRY_SECRET_ACCESS_KEY", ROOT_SECRET_ACCESS_KEY);
    let run = tokio::task::spawn_blocking(move || command.output());
    Ok(run.await.expect("the task").expect("the command to run"))
}

fn errors_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A signed request of S3.
async fn s3(address: SocketAddr, target: &str, key: (&str, &str)) -> Result<u16, HarnessError> {
    let request = Request::new("GET", target).header("host", &address.to_string());
    let request = Signer::new(key.0, key.1).header(request, SystemTime::now(), Payload::Signed)?;
    let sent = tokio::task::spawn_blocking(move || exchange(address, request));
    Ok(sent.await.expect("the task")?.status)
}

/// Another local user took the port while the service was down.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_sends_no_secret_to_an_impostor() -> Result<(), HarnessError> {
    let impostor = Impostor::start().await?;
    let endpoint = format!("http://{}", impostor.address);
    let output = command_line(&endpoint, &["bucket", "create", "photos"]).await?;
    assert!(!output.status.success());
    let told = format!("the server at {endpoint} does not know this key's secret");
    assert!(errors_of(&output).contains(&told), "{}", errors_of(&output));
    impostor.assert_never_heard(ROOT_SECRET_ACCESS_KEY);
    // It went no further than the proof.
    assert_eq!(
        impostor.called(),
        [
            "/bucketry.v1.TokenService/CreateChallenge",
            "/bucketry.v1.TokenService/AnswerChallenge"
        ]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_adapter_sends_no_secret_to_an_impostor() -> Result<(), HarnessError> {
    let impostor = Impostor::start().await?;
    let adapter = Adapter::with(&root(), &format!("http://{}", impostor.address), &[])?;
    let status = s3(
        adapter.address,
        "/",
        ("BKTYAAAAAAAAAAAAAAAA", "of a client"),
    )
    .await?;
    assert_eq!(status, 503);
    impostor.assert_never_heard(ROOT_SECRET_ACCESS_KEY);
    let called = impostor.called();
    assert!(!called.is_empty());
    let others = called.iter().find(|path| !path.ends_with("Challenge"));
    assert_eq!(others, None);
    Ok(())
}

/// Relays all connections: what an attacker in between can do without knowing the secret.
async fn relay_to(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut server = tokio::net::TcpStream::connect(server).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_is_refused_unless_it_is_an_alias() -> Result<(), HarnessError> {
    let mut server = Server::start(ServerOptions::new())?;
    let relay = relay_to(server.address()).await;
    let dialled = format!("http://{relay}");
    let refused = command_line(&dialled, &["bucket", "list"]).await?;
    let told = errors_of(&refused);
    assert!(!refused.status.success());
    assert!(told.contains(&format!("dialled {dialled}")), "{told}");
    assert!(told.contains(&server.endpoint_url()), "{told}");
    assert!(
        told.contains(&format!("--endpoint-alias {dialled}")),
        "{told}"
    );
    // Under any name and address of this machine it is itself.
    for own in [server.endpoint_url(), server.localhost_url()] {
        let done = command_line(&own, &["bucket", "list"]).await?;
        assert!(done.status.success(), "{}", errors_of(&done));
    }
    let listen = server.address().to_string();
    let options = ServerOptions::new().listen(&listen);
    server.restart_with(options.argument("--endpoint-alias").argument(&dialled))?;
    let done = command_line(&dialled, &["bucket", "list"]).await?;
    assert!(done.status.success(), "{}", errors_of(&done));
    Ok(())
}

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

fn reason(status: &Status) -> Option<ErrorReason> {
    explain(status).map(|explained| explained.reason)
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

/// The adapter's client learns nothing of the adapter's key.
#[tokio::test]
async fn an_adapter_whose_key_is_revoked_is_unavailable() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let mut clients = Clients::root(&server).await?;
    clients.create_bucket(BUCKET).await?;
    let key = edge_key(&mut clients).await?;
    let adapter = Adapter::with(&key, &server.endpoint_url(), &[])?;
    let root = (ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY);
    let target = format!("/{BUCKET}?list-type=2");
    assert_eq!(s3(adapter.address, &target, root).await?, 200);
    let revoke = RevokeAdminKeyRequest { key_id: key.key_id };
    clients.admin.revoke_admin_key(revoke).await?;
    for _ in 0..3 {
        assert_eq!(s3(adapter.address, &target, root).await?, 503);
    }
    Ok(())
}

/// Started while its service is away, it signs in when the service comes, and goes on after a restart of it.
#[tokio::test]
async fn an_adapter_outlives_restarts_of_its_service() -> Result<(), HarnessError> {
    let mut server = Server::start(ServerOptions::new())?;
    let key = edge_key(&mut Clients::root(&server).await?).await?;
    let endpoint = server.endpoint_url();
    let options = ServerOptions::new().listen(&server.address().to_string());
    server.kill9()?;
    let adapter = Adapter::with(&key, &endpoint, &[])?;
    let list = async || {
        s3(
            adapter.address,
            "/",
            (ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY),
        )
        .await
    };
    assert_eq!(list().await?, 503);
    for _ in 0..2 {
        server.restart_with(options.clone())?;
        // It tries every 5 seconds at least.
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
        while list().await? != 200 {
            assert!(
                tokio::time::Instant::now() < deadline,
                "it does not come back"
            );
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        server.kill9()?;
    }
    Ok(())
}

#[tokio::test]
async fn only_an_edge_key_signs_in_for_an_adapter() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let key = edge_key(&mut Clients::root(&server).await?).await?;
    assert!(sign_in(&server, &key, Purpose::Adapter).await.is_ok());
    for (key, purpose) in [(&root(), Purpose::Adapter), (&key, Purpose::Client)] {
        let refused = sign_in(&server, key, purpose).await;
        let Err(SignInError::Refused(status)) = refused else {
            panic!("{purpose:?}: {refused:?}");
        };
        assert_eq!(reason(&status), Some(ErrorReason::AccessDenied));
        let advice = status.message().contains("bucketry key create --edge");
        assert_eq!(advice, purpose == Purpose::Adapter, "{}", status.message());
    }
    Ok(())
}

#[tokio::test]
async fn the_command_line_makes_lists_and_revokes_edge_keys() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let endpoint = server.endpoint_url();
    let run = async |arguments: &[&str]| {
        let output = command_line(&endpoint, arguments).await?;
        assert!(output.status.success(), "{}", errors_of(&output));
        Ok::<_, HarnessError>(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let made = run(&["key", "create", "--edge", "front", "--output", "env"]).await?;
    let value = |name: &str| {
        let line = made.lines().find_map(|line| line.strip_prefix(name));
        line.expect(name).to_owned()
    };
    let key = Key {
        key_id: String::new(),
        access_key_id: value("BUCKETRY_ACCESS_KEY_ID="),
        secret_access_key: value("BUCKETRY_SECRET_ACCESS_KEY="),
    };
    assert!(sign_in(&server, &key, Purpose::Adapter).await.is_ok());
    let listed = run(&["key", "list"]).await?;
    let line = listed
        .lines()
        .find(|line| line.contains(&key.access_key_id));
    assert!(
        line.is_some_and(|line| line.starts_with("front") && line.contains("edge")),
        "{listed}"
    );
    run(&["key", "revoke", &key.access_key_id]).await?;
    assert!(sign_in(&server, &key, Purpose::Adapter).await.is_err());
    let events = run(&["audit"]).await?;
    assert!(
        events.contains("edge_key.create") && events.contains("admin_key.revoke"),
        "{events}"
    );
    Ok(())
}
