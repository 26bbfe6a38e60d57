mod keys;
mod output;
mod presign;
mod tokens;
mod usage;

use std::collections::HashMap;
use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bucketry_contract::v1::{
    AnswerChallengeRequest, AnswerChallengeResponse, CreateChallengeResponse, CreateTokenResponse,
    Credentials, Token, admin_service_server, object_service_server, token_service_server,
};
use bucketry_edge::forwarding::Forwarding;
use bucketry_sign_in::{Granted, ProofKey, Purpose, Transcript};
use bytes::{BufMut, Bytes, BytesMut};
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
    ConnectionLimits, DescriptorSets, Front, GrpcBuilder, Listener, Preamble, RequestBody, listen,
    serve,
};

const SECRET: &str = "s3cret";
const SESSION: &str = "session-1";

/// What was asked: path, credentials, message.
type Asked = Arc<Mutex<Vec<(String, String, Bytes)>>>;
type Answers = Arc<Mutex<HashMap<String, Vec<Bytes>>>>;

/// A server with prepared answers, which records its requests. Messages are framed by hand, so that it need not
/// implement every method of a service.
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
        let limits = ConnectionLimits::default();
        let server = tokio::spawn(serve(
            vec![Listener {
                socket: listener,
                preamble: Preamble::None,
                role: crate::server::ListenerRole::Data,
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
