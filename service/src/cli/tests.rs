use std::collections::HashMap;
use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bucketry_contract::v1::{
    Account, AnswerChallengeRequest, AnswerChallengeResponse, CreateAccountResponse,
    CreateChallengeResponse, CreateTokenRequest, CreateTokenResponse, Credentials,
    GetCapabilitiesResponse, ListTokensRequest, ListTokensResponse, Permission, Token,
    admin_service_server, object_service_server, token_service_server,
};
use bucketry_edge::forwarding::Forwarding;
use bucketry_sign_in::{Granted, ProofKey, Purpose, Transcript};
use bytes::{BufMut, Bytes, BytesMut};
use clap::CommandFactory;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use prost::Message;
use tonic::Status;
use tonic::server::NamedService;

use super::*;
use crate::config::{KeyPair, Secret};
use crate::server::{
    DescriptorSets, Front, GrpcBuilder, Limits, Listener, Preamble, RequestBody, listen, serve,
};

mod tokens;

const SECRET: &str = "s3cret";
const SESSION: &str = "session-1";

/// What was asked: path, credentials, message.
type Asked = Arc<Mutex<Vec<(String, String, Bytes)>>>;
type Answers = Arc<Mutex<HashMap<String, Vec<Bytes>>>>;

/// A server that gives the answers it was told, and notes what it was asked. The messages are framed by hand, so that
/// no service with all its methods is needed.
#[derive(Clone, Default)]
struct Fake {
    asked: Asked,
    answers: Answers,
}

/// The fake under the name of one service.
struct Named<S>(Fake, PhantomData<fn() -> S>);

impl<S> Named<S> {
    fn of(fake: &Fake) -> Self {
        Self(fake.clone(), PhantomData)
    }
}

impl<S> Clone for Named<S> {
    fn clone(&self) -> Self {
        Self::of(&self.0)
    }
}

struct Objects;
struct Tokens;
struct Admin;

impl NamedService for Named<Objects> {
    const NAME: &'static str = object_service_server::SERVICE_NAME;
}

impl NamedService for Named<Tokens> {
    const NAME: &'static str = token_service_server::SERVICE_NAME;
}

impl NamedService for Named<Admin> {
    const NAME: &'static str = admin_service_server::SERVICE_NAME;
}

impl<S: 'static> tower::Service<Request<tonic::body::Body>> for Named<S> {
    type Response = Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        self.0.clone().answer(request).map(Ok).boxed()
    }
}

impl Fake {
    fn answers(self, path: &str, messages: impl IntoIterator<Item = Vec<u8>>) -> Self {
        // Popped from the end.
        let mut messages: Vec<Bytes> = messages.into_iter().map(Bytes::from).collect();
        messages.reverse();
        self.answers
            .lock()
            .unwrap()
            .insert(path.to_owned(), messages);
        self
    }

    async fn answer(self, request: Request<tonic::body::Body>) -> Response<tonic::body::Body> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let path = head.uri.path().to_owned();
        if let Some(answer) = self.sign_in(&path, body.slice(5..)) {
            return framed(answer);
        }
        let credentials = head.headers["authorization"].to_str().unwrap().to_owned();
        self.asked
            .lock()
            .unwrap()
            .push((path.clone(), credentials, body.slice(5..)));
        let Some(message) = self
            .answers
            .lock()
            .unwrap()
            .get_mut(&path)
            .and_then(Vec::pop)
        else {
            return Status::not_found("no such thing").into_http();
        };
        framed(message)
    }

    /// The answers of a server that knows the secret, as far as they are about signing in.
    fn sign_in(&self, path: &str, message: Bytes) -> Option<Bytes> {
        let answer = match path {
            "/bucketry.v1.TokenService/CreateChallenge" => CreateChallengeResponse {
                server_nonce: Bytes::from_static(b"server nonce"),
            }
            .encode_to_vec(),
            "/bucketry.v1.TokenService/AnswerChallenge" => {
                proven(&AnswerChallengeRequest::decode(message).unwrap()).encode_to_vec()
            }
            _ => return None,
        };
        Some(answer.into())
    }

    /// Runs a command line against this server; gives what it wrote, or why it failed.
    async fn run(&self, line: &[&str]) -> Result<(String, String), CliError> {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let grpc = GrpcBuilder::default()
            .service(Named::<Objects>::of(self))
            .service(Named::<Tokens>::of(self))
            .service(Named::<Admin>::of(self))
            .build(DescriptorSets {
                shown: &[],
                complete: &[],
            })
            .await
            .unwrap();
        let s3 = tower::service_fn(|_request: Request<RequestBody>| async {
            Ok(Response::new(tonic::body::Body::empty()))
        });
        let front = Front::new(grpc, s3, Forwarding::default());
        let limits = Limits::default();
        let server = tokio::spawn(serve(
            vec![Listener {
                socket: listener,
                preamble: Preamble::None,
            }],
            None,
            front,
            limits,
            std::future::pending(),
        ));
        let result = run(line, &endpoint).await;
        server.abort();
        result
    }
}

fn framed(message: Bytes) -> Response<tonic::body::Body> {
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(message.len() as u32);
    frame.put(message);
    let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
    let frames = [Frame::data(frame.freeze()), Frame::trailers(trailers)].map(Ok::<_, Infallible>);
    let body = tonic::body::Body::new(StreamBody::new(tokio_stream::iter(frames)));
    Response::builder()
        .header("content-type", "application/grpc")
        .body(body)
        .unwrap()
}

/// A session, and the proof of who knows the secret.
fn proven(answer: &AnswerChallengeRequest) -> AnswerChallengeResponse {
    let transcript = Transcript {
        access_key_id: &answer.access_key_id,
        client_nonce: &answer.client_nonce,
        server_nonce: &answer.server_nonce,
        endpoint: &answer.endpoint,
        purpose: Purpose::Client,
    };
    let key = ProofKey::derive(SECRET);
    assert!(key.verify(&transcript, &answer.signature));
    let granted = Granted {
        session_token: SESSION,
        expiry: (1_900, 0),
        lifetime_seconds: 900,
    };
    AnswerChallengeResponse {
        session_token: SESSION.into(),
        expire_time: Some(prost_types::Timestamp {
            seconds: 1_900,
            nanos: 0,
        }),
        lifetime_seconds: 900,
        server_proof: key.prove(&transcript, &granted).to_vec().into(),
    }
}

async fn run(line: &[&str], endpoint: &str) -> Result<(String, String), CliError> {
    let line = [&["bucketry"], line, &["--endpoint", endpoint]].concat();
    let Command::Client(command) = Cli::try_parse_from(line).unwrap().command else {
        panic!("not a client command");
    };
    let credentials = KeyPair {
        access_key_id: "BKTY1".into(),
        secret_access_key: Secret::new(SECRET.into()),
    };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut terminal = Terminal {
        out: &mut out,
        err: &mut err,
    };
    command.run(Some(credentials), now, &mut terminal).await?;
    Ok((
        String::from_utf8(out).unwrap(),
        String::from_utf8(err).unwrap(),
    ))
}

fn created() -> Vec<u8> {
    CreateTokenResponse {
        token: Some(Token {
            token_id: "t1".into(),
            ..Token::default()
        }),
        credentials: Some(Credentials {
            // An address: whether names resolve depends on the machine.
            endpoint_url: "http://127.0.0.1:9000".into(),
            bucket: "photos".into(),
            access_key_id: "BKTY2".into(),
            secret_access_key: "bkty_2".into(),
        }),
        warnings: vec!["your own address is not allowed".into()],
    }
    .encode_to_vec()
}

const CREATE_TOKEN: &str = "/bucketry.v1.TokenService/CreateToken";

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn the_examples_of_the_help_are_command_lines() {
    let joined = EXAMPLES.replace("\\\n", " ");
    let examples: Vec<&str> = joined
        .lines()
        .filter(|line| line.starts_with("  bucketry "))
        .collect();
    assert_eq!(examples.len(), 8);
    for example in examples {
        let parsed = Cli::try_parse_from(example.split_whitespace());
        assert!(parsed.is_ok(), "{example}: {:?}", parsed.err());
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    for line in [
        &["bucketry"][..],
        &["bucketry", "bucket", "create"],
        &[
            "bucketry", "token", "create", "--bucket", "b", "--name", "n",
        ],
        &[
            "bucketry",
            "token",
            "create",
            "--bucket",
            "b",
            "--name",
            "n",
            "--permission",
            "all",
        ],
        &[
            "bucketry",
            "token",
            "create",
            "--bucket",
            "b",
            "--name",
            "n",
            "--permission",
            "read-only",
            "--expires-in",
            "3",
        ],
        &[
            "bucketry",
            "token",
            "edit",
            "--bucket",
            "b",
            "t",
            "--permission",
            "read-write",
        ],
        &["bucketry", "bucket", "list", "--output", "env"],
        &["bucketry", "serve", "--trusted-proxy", "a-host"],
        &["bucketry", "serve", "--drain-deadline", "30"],
    ] {
        assert_eq!(
            Cli::try_parse_from(line).unwrap_err().exit_code(),
            2,
            "{line:?}"
        );
    }
}

#[test]
fn a_command_has_no_option_that_it_would_ignore() {
    for line in [
        &["bucketry", "fsck", "--disk-reserve", "1"][..],
        &["bucketry", "fsck", "--keyring-file", "k"],
        &["bucketry", "doctor", "--ca-file", "ca.pem"],
        &["bucketry", "doctor", "--endpoint", "http://localhost"],
        &[
            "bucketry",
            "doctor",
            "ip",
            "--plaintext-credentials",
            "anywhere",
        ],
    ] {
        let refused = Cli::try_parse_from(line).unwrap_err();
        assert_eq!(
            refused.kind(),
            clap::error::ErrorKind::UnknownArgument,
            "{line:?}"
        );
    }
    for line in [
        &["bucketry", "fsck", "--store-timeout", "2s"][..],
        &["bucketry", "doctor", "ip", "--endpoint", "http://localhost"],
    ] {
        assert!(Cli::try_parse_from(line).is_ok(), "{line:?}");
    }
}

#[tokio::test]
async fn a_token_is_made_as_the_flags_say() {
    let fake = Fake::default().answers(CREATE_TOKEN, [created()]);
    let line = "token create --bucket photos --name web --permission write-only --allow-ip 10.0.0.0/8 \
                --allow-ip ::1 --deny-ip 10.1.0.0/16 --expires-in 1h --output env";
    let (out, err) = fake
        .run(&line.split_whitespace().collect::<Vec<_>>())
        .await
        .unwrap();
    assert_eq!(
        out,
        "AWS_ENDPOINT_URL=http://127.0.0.1:9000\nBUCKET_NAME=photos\nAWS_ACCESS_KEY_ID=BKTY2\n\
         AWS_SECRET_ACCESS_KEY=bkty_2\n"
    );
    assert_eq!(err, "warning: your own address is not allowed\n");
    let asked = fake.asked.lock().unwrap();
    let (path, credentials, message) = &asked[0];
    assert_eq!(
        (path.as_str(), credentials.as_str()),
        (CREATE_TOKEN, "Bearer session-1")
    );
    let request = CreateTokenRequest::decode(message.clone()).unwrap();
    assert_eq!(
        (request.bucket.as_str(), request.name.as_str()),
        ("photos", "web")
    );
    assert_eq!(request.permission(), Permission::WriteOnly);
    assert_eq!(
        (request.allowed_ips, request.disallowed_ips),
        (
            vec!["10.0.0.0/8".to_owned(), "::1".to_owned()],
            vec!["10.1.0.0/16".to_owned()],
        )
    );
    assert_eq!(request.expire_time.unwrap().seconds, 4_600);
}

#[tokio::test]
async fn json_is_the_contracts_message() {
    let fake = Fake::default().answers(CREATE_TOKEN, [created()]);
    let line = "token create --bucket photos --name web --permission read-only --output json";
    let (out, _) = fake
        .run(&line.split_whitespace().collect::<Vec<_>>())
        .await
        .unwrap();
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["credentials"]["secretAccessKey"], "bkty_2");
    assert_eq!(value["token"]["tokenId"], "t1");
}

#[tokio::test]
async fn an_account_in_shell_form() {
    let account = CreateAccountResponse {
        account: Some(Account {
            account_id: "a1".into(),
            owner_id: "0123abcd".into(),
            display_name: "Team A".into(),
            create_time: None,
        }),
        access_key_id: "BKTY3".into(),
        secret_access_key: "bkty_3".into(),
    };
    let capabilities = GetCapabilitiesResponse {
        endpoint_url: "https://s3.example.com".into(),
        ..GetCapabilitiesResponse::default()
    };
    let fake = Fake::default()
        .answers(
            "/bucketry.v1.ObjectService/GetCapabilities",
            [capabilities.encode_to_vec()],
        )
        .answers(
            "/bucketry.v1.AdminService/CreateAccount",
            [account.encode_to_vec()],
        );
    let (out, _) = fake
        .run(&["account", "create", "Team A", "--output", "env"])
        .await
        .unwrap();
    assert_eq!(
        out,
        "ACCOUNT_ID=0123abcd\nDISPLAY_NAME='Team A'\nAWS_ENDPOINT_URL=https://s3.example.com\n\
         AWS_ACCESS_KEY_ID=BKTY3\nAWS_SECRET_ACCESS_KEY=bkty_3\n"
    );
}

#[tokio::test]
async fn a_list_has_all_pages() {
    let page = |name: &str, next: &str| {
        ListTokensResponse {
            tokens: vec![Token {
                name: name.into(),
                ..Token::default()
            }],
            next_page_token: next.into(),
        }
        .encode_to_vec()
    };
    const LIST: &str = "/bucketry.v1.TokenService/ListTokens";
    let fake = Fake::default().answers(LIST, [page("first", "more"), page("second", "")]);
    let (out, _) = fake.run(&["token", "list", "--bucket", "b"]).await.unwrap();
    let lines: Vec<&str> = out.lines().collect();
    assert!(
        lines.len() == 3 && lines[1].contains("first") && lines[2].contains("second"),
        "{out}"
    );
    let asked = fake.asked.lock().unwrap();
    let tokens: Vec<String> = asked
        .iter()
        .map(|(_, _, m)| ListTokensRequest::decode(m.clone()).unwrap().page_token)
        .collect();
    assert_eq!(tokens, ["", "more"]);
}

#[tokio::test]
async fn refusals_show_the_servers_words() {
    let refused = Fake::default()
        .run(&["bucket", "delete", "b"])
        .await
        .unwrap_err();
    assert_eq!(refused.to_string(), "no such thing (NotFound)");
    let env = Fake::default()
        .run(&["token", "show", "--bucket", "b", "t", "--output", "env"])
        .await
        .unwrap_err();
    assert!(matches!(env, CliError::EnvNeedsSecret));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    // Bound and dropped: nobody listens there now.
    let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let refused = run(&["bucket", "list"], &endpoint).await.unwrap_err();
    assert!(
        matches!(&refused, CliError::Unreachable { .. }),
        "{refused:?}"
    );
    assert!(refused.to_string().contains(&endpoint), "{refused}");
}
