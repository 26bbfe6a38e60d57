//! Strangers that hold what needs no credentials, and the sign-ins of others.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use bucketry_sign_in::Purpose;
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::channel;
use bucketry_tests::server::{Server, ServerOptions};
use bytes::Bytes;
use futures::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::{root, sign_in};

const WATCH: &str = "/grpc.health.v1.Health/Watch";
const REFLECT: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const CHALLENGE: &str = "/bucketry.v1.TokenService/CreateChallenge";

/// Calls on each of the connections of strangers; a connection may have 256.
const CALLS: usize = 200;

/// Long enough that only a server that hangs meets it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A body of this message, if it has any bytes, after which nothing comes: HTTP/2 takes many empty frames for an attack.
type Begun = StreamBody<stream::BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

fn begun(message: &'static [u8]) -> Begun {
    use futures::StreamExt;
    let message = Some(message).filter(|message| !message.is_empty());
    let message = message.map(|message| Ok(Frame::data(Bytes::from_static(message))));
    let message = stream::iter(message);
    StreamBody::new(message.chain(stream::pending()).boxed())
}

async fn connect(server: &Server) -> SendRequest<Begun> {
    let stream = TcpStream::connect(server.address())
        .await
        .expect("to connect");
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .expect("HTTP/2");
    tokio::spawn(connection);
    sender
}

/// Begins calls of a method over one connection, and leaves them open.
async fn hold(server: &Server, path: &str, message: &'static [u8]) -> JoinSet<()> {
    let mut calls = JoinSet::new();
    let sender = connect(server).await;
    for _ in 0..CALLS {
        let mut sender = sender.clone();
        let request = http::Request::post(format!("http://{}{path}", server.address()))
            .header("te", "trailers")
            .header("content-type", "application/grpc")
            .body(begun(message))
            .expect("a request");
        sender.ready().await.expect("an open connection");
        let answer = sender.send_request(request);
        calls.spawn(async move {
            // The answer is kept, and not read.
            let _answer = answer.await;
            std::future::pending::<()>().await;
        });
    }
    calls
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ins_do_not_wait_for_strangers_that_hold_streams_and_calls() -> Result<(), HarnessError>
{
    let server = Server::start(ServerOptions::new())?;
    let mut held = Vec::new();
    for (path, message) in [
        (WATCH, &[0, 0, 0, 0, 0][..]),
        (WATCH, b""),
        (REFLECT, b""),
        // A message of which the last bytes do not come.
        (CHALLENGE, &[0, 0, 0, 0, 9, 10]),
        (CHALLENGE, b""),
    ] {
        held.push(hold(&server, path, message).await);
        let begun = Instant::now();
        for _ in 0..5 {
            sign_in(&server, &root(), Purpose::Client)
                .await
                .expect(path);
        }
        assert!(begun.elapsed() < Duration::from_secs(4), "{path}");
    }
    Ok(())
}

/// A client with health checks on has such a stream on each of its connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watches_of_health_learn_of_the_stop_and_do_not_delay_it() -> Result<(), HarnessError> {
    let mut server = Server::start(ServerOptions::new().argument("--drain-deadline=60s"))?;
    let mut watches = Vec::new();
    for _ in 0..70 {
        let mut client = HealthClient::new(channel(&server).await?);
        let request = HealthCheckRequest::default();
        let mut watch = client.watch(request).await?.into_inner();
        let first = watch.message().await?.expect("a status");
        assert_eq!(first.status(), ServingStatus::Serving);
        watches.push(watch);
    }
    let _reflection = hold(&server, REFLECT, b"").await;
    let begun = Instant::now();
    server.terminate()?;
    for watch in &mut watches {
        let mut statuses = Vec::new();
        let ended = loop {
            match timeout(PATIENCE, watch.message()).await.expect("the end") {
                Ok(answer) => statuses.extend(answer.map(|answer| answer.status())),
                Err(status) => break status,
            }
        };
        assert_eq!(statuses.first(), Some(&ServingStatus::NotServing));
        assert_eq!(ended.code(), Code::Cancelled, "{ended:?}");
    }
    drop(watches);
    assert!(server.wait()?.success());
    assert!(begun.elapsed() < PATIENCE);
    Ok(())
}
