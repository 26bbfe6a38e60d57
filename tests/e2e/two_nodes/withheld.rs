//! Calls whose heads came before their token was ended, and whose messages come after: the caller is authenticated by the
//! head, but nothing is done by what the key was then.

use std::convert::Infallible;
use std::time::Duration;

use bucketry_contract::v1::{GetObjectRequest, GetSmallObjectRequest, ListBucketsRequest};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::server::Server;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tonic::service::Interceptor;

use super::doors::{ENDS, Holder};
use super::{BUCKET, Nodes, listing, reason};
use crate::health::ask;

const PATIENCE: Duration = Duration::from_secs(30);

/// A body that is one message, once it is let go.
type Withheld = StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

/// A call of which only the head has been sent.
struct Call {
    what: String,
    message: oneshot::Sender<()>,
    answer: JoinHandle<Result<String, HarnessError>>,
}

fn messages() -> [(&'static str, Vec<u8>); 4] {
    let get = GetObjectRequest {
        bucket: BUCKET.to_owned(),
        key: "k".to_owned(),
        ..Default::default()
    };
    let small = GetSmallObjectRequest {
        object: Some(get.clone()),
    };
    [
        ("GetSmallObject", small.encode_to_vec()),
        ("GetObject", get.encode_to_vec()),
        ("ListObjects", listing("").encode_to_vec()),
        ("ListBuckets", ListBucketsRequest::default().encode_to_vec()),
    ]
}

fn fault(error: impl std::fmt::Display) -> HarnessError {
    HarnessError::Http(error.to_string())
}

async fn connect(server: &Server) -> Result<SendRequest<Withheld>, HarnessError> {
    let stream = TcpStream::connect(server.address()).await.map_err(fault)?;
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .map_err(fault)?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Sends the head of a call, and its message when it is let go.
async fn begin(
    server: &Server,
    sender: &mut SendRequest<Withheld>,
    mut bearer: Bearer,
    (rpc, message): (&str, &[u8]),
) -> Result<Call, HarnessError> {
    let mut framed = vec![0];
    framed.extend(u32::try_from(message.len()).map_err(fault)?.to_be_bytes());
    framed.extend_from_slice(message);
    let (let_go, released) = oneshot::channel();
    let body = stream::once(async move {
        let _ = released.await;
        Ok(Frame::data(Bytes::from(framed)))
    });
    let metadata = bearer.call(tonic::Request::new(()))?;
    let authorization = metadata.metadata().get("authorization");
    let authorization = authorization.ok_or(HarnessError::Incomplete("authorization"))?;
    let path = format!(
        "http://{}/bucketry.v1.ObjectService/{rpc}",
        server.address()
    );
    let request = http::Request::post(path)
        .header("te", "trailers")
        .header("content-type", "application/grpc")
        .header("authorization", authorization.as_bytes())
        .body(StreamBody::new(body.boxed()))
        .map_err(fault)?;
    sender.ready().await.map_err(fault)?;
    let answer = sender.send_request(request);
    Ok(Call {
        what: rpc.to_owned(),
        message: let_go,
        answer: tokio::spawn(async move {
            let (head, body) = answer.await.map_err(fault)?.into_parts();
            let body = body.collect().await.map_err(fault)?;
            let trailers = body.trailers().cloned().unwrap_or_default();
            let status = tonic::Status::from_header_map(&head.headers)
                .or_else(|| tonic::Status::from_header_map(&trailers))
                .ok_or(HarnessError::Incomplete("grpc-status"))?;
            Ok(match status.code() {
                tonic::Code::Ok => "allowed".to_owned(),
                _ => reason(&status),
            })
        }),
    })
}

/// Waits until so many calls hold slots: each gets its slot when its head has been judged.
async fn until_judged(server: &Server, calls: usize) -> Result<(), HarnessError> {
    let line = format!("bucketry_request_slots {calls}");
    let shown = async {
        loop {
            let (_, page) = ask(server, "/metrics")?;
            if page.lines().any(|shown| shown == line) {
                return Ok(());
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    let shown = timeout(PATIENCE, shown).await;
    shown.map_err(|_| HarnessError::Incomplete("slots in the metrics"))?
}

/// Begins a call of each kind with each kind of credentials.
async fn begin_all(nodes: &Nodes, holder: &Holder) -> Result<Vec<Call>, HarnessError> {
    let server = nodes.user();
    let bearers = [
        ("secret", Bearer::token(&holder.credentials)?),
        ("session", holder.session().await?),
    ];
    until_judged(server, 0).await?;
    let mut sender = connect(server).await?;
    let mut calls = Vec::new();
    for (credentials, bearer) in &bearers {
        for (rpc, message) in messages() {
            let mut call = begin(server, &mut sender, bearer.clone(), (rpc, &message)).await?;
            call.what = format!("{rpc} by {credentials}");
            calls.push(call);
        }
    }
    until_judged(server, calls.len()).await?;
    Ok(calls)
}

async fn answers(calls: Vec<Call>) -> Result<Vec<(String, String)>, HarnessError> {
    let mut answers = Vec::new();
    for call in calls {
        call.message.send(()).expect("a call that waits");
        let answer = timeout(PATIENCE, call.answer).await;
        let answer = answer.map_err(|_| HarnessError::Incomplete("answer"))?;
        answers.push((call.what, answer.expect("the call does not panic")?));
    }
    Ok(answers)
}

async fn a_message_comes_too_late(nodes: Nodes) -> Result<(), HarnessError> {
    let mut root = Clients::root(&nodes.first).await?;
    let way = nodes.way().await?;
    let holder = Holder::new(&mut root, &way).await?;
    for (what, answer) in answers(begin_all(&nodes, &holder).await?).await? {
        assert_eq!(answer, "allowed", "{what}");
    }
    for end in ENDS {
        let holder = Holder::new(&mut root, &way).await?;
        let calls = begin_all(&nodes, &holder).await?;
        end.apply(&mut root, &holder.token).await?;
        for (what, answer) in answers(calls).await? {
            assert_eq!(answer, end.reason(), "{what} after {end:?}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_after_the_end_is_refused_by_the_other_node() -> Result<(), HarnessError> {
    a_message_comes_too_late(Nodes::on_postgres().await?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_after_the_end_is_refused_by_the_same_node() -> Result<(), HarnessError> {
    a_message_comes_too_late(Nodes::on_sqlite().await?).await
}
