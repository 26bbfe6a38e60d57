//! A server that listens in another's place, knows no secret, and records everything that it receives.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bucketry_contract::v1::{
    AnswerChallengeRequest, AnswerChallengeResponse, CreateChallengeResponse,
};
use bucketry_sign_in::{Granted, ProofKey, Purpose, Transcript};
use bucketry_tests::error::HarnessError;
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost_reflect::prost::Message;
use prost_types::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Everything that was sent to the impostor.
#[derive(Default)]
struct Heard {
    /// Every byte, as it came.
    raw: Vec<u8>,
    /// Every head and message, out of HTTP/2's compression.
    calls: Vec<(String, String, Bytes)>,
}

#[derive(Clone)]
pub(super) struct Impostor {
    pub(super) address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
}

impl Impostor {
    /// Listens until the test's runtime ends.
    pub(super) async fn start() -> Result<Self, HarnessError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let impostor = Self {
            address: listener.local_addr().expect("its address"),
            heard: Arc::default(),
        };
        let serving = impostor.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(socket));
            }
        });
        Ok(impostor)
    }

    /// The paths of all calls.
    pub(super) fn called(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard.calls.iter().map(|(path, ..)| path.clone()).collect()
    }

    /// Fails if any of it holds the secret, or credentials at all.
    pub(super) fn assert_never_heard(&self, secret: &str) {
        let heard = self.heard.lock().unwrap();
        assert!(!heard.raw.is_empty());
        let found = |bytes: &[u8]| memchr::memmem::find(bytes, secret.as_bytes()).is_some();
        assert!(!found(&heard.raw));
        for (path, head, body) in &heard.calls {
            assert!(!found(head.as_bytes()) && !found(body), "{path}");
            assert!(!head.contains("authorization"), "{path}: {head}");
        }
    }

    async fn serve(self, socket: TcpStream) {
        let heard = Arc::clone(&self.heard);
        let service = service_fn(move |request| self.clone().answer(request));
        let io = TokioIo::new(Overheard { socket, heard });
        // The client breaks the connection off when it has seen through this.
        let _ = http2::Builder::new(TokioExecutor::new())
            .serve_connection(io, service)
            .await;
    }

    async fn answer(
        self,
        request: Request<Incoming>,
    ) -> Result<
        Response<
            StreamBody<tokio_stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>>,
        >,
        Infallible,
    > {
        let (head, body) = request.into_parts();
        let body = body
            .collect()
            .await
            .map(|body| body.to_bytes())
            .unwrap_or_default();
        let path = head.uri.path().to_owned();
        let message = body.get(5..).unwrap_or_default();
        let answer = match path.as_str() {
            "/bucketry.v1.TokenService/CreateChallenge" => Some(
                CreateChallengeResponse {
                    server_nonce: vec![5; 61].into(),
                }
                .encode_to_vec(),
            ),
            "/bucketry.v1.TokenService/AnswerChallenge" => Some(forged(message).encode_to_vec()),
            _ => None,
        };
        let call = (path, in_clear(&head.headers), body);
        self.heard.lock().unwrap().calls.push(call);
        let mut frames = Vec::new();
        let mut trailers = HeaderMap::new();
        // Whatever else is called: nothing came of it.
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let mut frame = BytesMut::new();
        frame.put_u8(0);
        let answer = answer.unwrap_or_default();
        frame.put_u32(answer.len() as u32);
        frame.put(answer.as_slice());
        frames.push(Ok(Frame::data(frame.freeze())));
        frames.push(Ok(Frame::trailers(trailers)));
        let mut response = Response::new(StreamBody::new(tokio_stream::iter(frames)));
        let grpc = HeaderValue::from_static("application/grpc");
        response.headers_mut().insert("content-type", grpc);
        Ok(response)
    }
}

/// The headers, sensitive ones included, which `Debug` masks.
fn in_clear(headers: &HeaderMap) -> String {
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
    };
    headers.iter().map(line).collect()
}

/// As a server would answer that has another key under this id.
fn forged(message: &[u8]) -> AnswerChallengeResponse {
    let asked = AnswerChallengeRequest::decode(message).expect("an answer");
    let transcript = Transcript {
        access_key_id: &asked.access_key_id,
        client_nonce: &asked.client_nonce,
        server_nonce: &asked.server_nonce,
        endpoint: &asked.endpoint,
        purpose: Purpose::Client,
    };
    let granted = Granted {
        session_token: "forged",
        expiry: (4_000_000_000, 0),
        lifetime_seconds: 900,
    };
    let proof = ProofKey::derive("another secret").prove(&transcript, &granted);
    AnswerChallengeResponse {
        session_token: granted.session_token.to_owned(),
        expire_time: Some(Timestamp {
            seconds: granted.expiry.0,
            nanos: 0,
        }),
        lifetime_seconds: granted.lifetime_seconds,
        server_proof: proof.to_vec().into(),
    }
}

/// A socket that is listened in on.
struct Overheard {
    socket: TcpStream,
    heard: Arc<Mutex<Heard>>,
}

impl AsyncRead for Overheard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(context, buffer);
        let new = buffer.filled().get(before..).unwrap_or_default();
        self.heard.lock().unwrap().raw.extend_from_slice(new);
        read
    }
}

impl AsyncWrite for Overheard {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
