use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bucketry_contract::adapter::v1::adapter_service_server::AdapterServiceServer;
use bucketry_contract::v1::object_service_server::ObjectServiceServer;
use bucketry_sign_in::Session;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Endpoint, Server};

use super::*;
use crate::fixture::{Bench, Fake, SESSION, object, refusal};
use crate::{AdapterSettings, S3Adapter};

/// Serves a fake over the network; of the adapter's sessions it refuses those that `refuses` names, by number.
async fn serve(fake: Fake, refuses: fn(usize) -> bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let check = move |request: Request<()>| {
        let shown = request.metadata().get("authorization").unwrap();
        let shown = shown.to_str().unwrap();
        let number = shown.trim_start_matches("Bearer session-").parse();
        if refuses(number.unwrap()) {
            let (name, value) = errors::ABOUT_EDGE;
            let about = [(name.to_owned(), value.to_owned())].into();
            return Err(errors::status(ErrorReason::InvalidToken, "ended", about));
        }
        Ok(request)
    };
    let server = Server::builder()
        .add_service(ObjectServiceServer::new(fake.clone()))
        .add_service(AdapterServiceServer::with_interceptor(fake, check));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

/// Sessions by number, as a service gives them.
fn sessions() -> Sessions {
    let given = AtomicUsize::new(0);
    Sessions::of(move || {
        let number = given.fetch_add(1, Ordering::Relaxed) + 1;
        std::future::ready(Ok(Session {
            authorization: format!("Bearer session-{number}").parse().unwrap(),
            lifetime: Duration::from_secs(900),
        }))
    })
}

/// A bench whose adapter calls its fake over the network.
async fn bench(refuses: fn(usize) -> bool) -> Bench {
    let mut bench = Bench::new();
    let address = serve(bench.fake.clone(), refuses).await;
    let endpoint = Endpoint::try_from(format!("http://{address}")).unwrap();
    let channels = Channels::new(&endpoint, 1);
    bench.adapter = S3Adapter::new(
        Arc::new(RemoteObjects::new(channels.clone())),
        Arc::new(RemoteAuthority::new(channels, sessions(), 16)),
        AdapterSettings::default(),
    );
    bench
}

#[tokio::test]
async fn an_upload_and_a_download_pass_the_network() {
    let bench = bench(|_| false).await;
    bench.service().answers(
        "PutObject",
        Ok(PutObjectResponse {
            object: Some(object("k")),
        }),
    );
    let seen = bench.send_signed("PUT", "/b/k", &[], "hello world").await;
    assert_eq!(seen.status, 200, "{seen:?}");
    let messages: Vec<PutObjectRequest> = bench.service().request();
    assert_eq!(messages.len(), 2);
    assert_eq!(
        bench.service().called(),
        [("PutObject", Some(SESSION.to_owned()))]
    );
    let header = ObjectHeader {
        object: Some(object("k")),
        content_length: 2,
        ..ObjectHeader::default()
    };
    let chunk = ObjectChunk {
        data: Bytes::from_static(b"hi"),
        ..ObjectChunk::default()
    };
    let messages = [
        get_object_response::Message::Header(header),
        get_object_response::Message::Chunk(chunk),
    ];
    let messages = messages.map(|message| {
        Ok(GetObjectResponse {
            message: Some(message),
        })
    });
    bench.service().streams(messages.into());
    let seen = bench.send_signed("GET", "/b/k", &[], "").await;
    assert_eq!((seen.status.as_u16(), seen.text()), (200, "hi"));
}

#[tokio::test]
async fn a_session_that_the_service_refuses_is_replaced_within_the_request() {
    let bench = bench(|number| number < 2).await;
    bench
        .service()
        .answers("ListBuckets", Ok(ListBucketsResponse::default()));
    let seen = bench.send_signed("GET", "/", &[], "").await;
    assert_eq!(seen.status, 200, "{seen:?}");
}

#[tokio::test]
async fn a_service_that_refuses_the_adapter_is_unavailable() {
    let bench = bench(|_| true).await;
    let seen = bench.send_signed("GET", "/", &[], "").await;
    seen.assert_error(503, "ServiceUnavailable");
}

#[tokio::test]
async fn reasons_pass_the_network() {
    let bench = bench(|_| false).await;
    bench
        .service()
        .answers::<PutObjectResponse>("PutObject", Err(refusal(ErrorReason::NoSuchBucket)));
    let seen = bench.send_signed("PUT", "/b/k", &[], "hello world").await;
    seen.assert_error(404, "NoSuchBucket");
}

#[tokio::test]
async fn a_broken_body_is_never_taken_for_a_whole_one() {
    let bench = bench(|_| false).await;
    bench.service().answers(
        "PutObject",
        Ok(PutObjectResponse {
            object: Some(object("k")),
        }),
    );
    let body = http_body_util::Full::new(Bytes::from_static(b"hello"));
    let seen = bench
        .send_body("PUT", "/b/k", &[("content-length", "11")], body)
        .await;
    seen.assert_error(400, "IncompleteBody");
    assert!(bench.service().called().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_answer_is_unavailable() {
    let mut bench = Bench::new();
    // The kernel accepts the connection, and nothing reads from it.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let endpoint = Endpoint::try_from(format!("http://{address}")).unwrap();
    let channels = Channels::new(&endpoint, 1);
    bench.adapter = S3Adapter::new(
        Arc::new(RemoteObjects::new(channels.clone())),
        Arc::new(RemoteAuthority::new(channels, sessions(), 16)),
        AdapterSettings::default(),
    );
    bench
        .send_signed("GET", "/", &[], "")
        .await
        .assert_error(503, "ServiceUnavailable");
}

#[tokio::test]
async fn the_rules_of_cors_are_requested_with_a_permit() {
    let fake = Fake::default();
    let address = serve(fake.clone(), |_| false).await;
    let endpoint = Endpoint::try_from(format!("http://{address}")).unwrap();
    let authority = RemoteAuthority::new(Channels::new(&endpoint, 1), sessions(), 1);
    let question = || Request::new(EvaluateCorsRequest::default());
    let held = authority.permits.permit(&Claimant::anonymous(None)).await;
    tokio::time::pause();
    let refused = authority.evaluate_cors(question()).await.unwrap_err();
    let explained = errors::explain(&refused).unwrap();
    assert_eq!(explained.reason, ErrorReason::SlowDown);
    assert!(fake.0.cors_asked.lock().unwrap().is_empty());
    tokio::time::resume();
    drop(held);
    authority.evaluate_cors(question()).await.unwrap();
    assert_eq!(fake.0.cors_asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn preflights_of_many_networks_take_turns() {
    let fake = Fake::default();
    let address = serve(fake.clone(), |_| false).await;
    let endpoint = Endpoint::try_from(format!("http://{address}")).unwrap();
    let authority = RemoteAuthority::new(Channels::new(&endpoint, 1), sessions(), 1);
    authority.session().await.unwrap();
    let question = |number: u8| {
        let bucket = format!("of-{number}");
        let mut request = Request::new(EvaluateCorsRequest {
            bucket,
            ..EvaluateCorsRequest::default()
        });
        let address = ClientIp(Some([192, 0, 2, number].into()));
        request.extensions_mut().insert(address);
        authority.evaluate_cors(request)
    };
    let held = authority.permits.permit(&Claimant::anonymous(None)).await;
    let answers = futures::future::join_all([1, 1, 1, 2].map(question));
    let answers = async { futures::join!(answers, async { drop(held) }).0 };
    for answer in answers.await {
        answer.unwrap();
    }
    let asked = fake.0.cors_asked.lock().unwrap();
    let buckets: Vec<_> = asked.iter().map(|asked| asked.bucket.as_str()).collect();
    assert_eq!(buckets, ["of-1", "of-2", "of-1", "of-1"]);
}

#[tokio::test]
async fn a_service_out_of_reach_is_unavailable() {
    let mut bench = Bench::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let endpoint = Endpoint::try_from(format!("http://{address}")).unwrap();
    let channels = Channels::new(&endpoint, 1);
    bench.adapter = S3Adapter::new(
        Arc::new(RemoteObjects::new(channels.clone())),
        Arc::new(RemoteAuthority::new(channels, sessions(), 16)),
        AdapterSettings::default(),
    );
    bench
        .send_signed("GET", "/", &[], "")
        .await
        .assert_error(503, "ServiceUnavailable");
}
