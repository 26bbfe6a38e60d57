//! Many callers want the same at once: one gets it.

use std::panic::resume_unwind;
use std::thread;

use bucketry_contract::v1::{Precondition, PutObjectSpec, PutSmallObjectRequest};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::{Request, Response, exchange};
use bucketry_tests::postgres;
use bucketry_tests::server::ServerOptions;
use bytes::Bytes;
use futures::future::join_all;

use crate::wire::{BUCKET, Wire, refusal, refused, with_body};

const RACERS: usize = 100;
/// The least that a part but the last may have.
const MIN_PART: usize = 5 * 1024 * 1024;

async fn on_postgres() -> Result<ServerOptions, HarnessError> {
    let url = postgres::create_database().await?;
    Ok(ServerOptions::new().database_url(&url))
}

/// Sends all of them at once, each on a connection of its own.
fn race(wire: &Wire, requests: Vec<Request>) -> Result<Vec<Response>, HarnessError> {
    let address = wire.server.address();
    thread::scope(|scope| {
        let racers: Vec<_> = requests
            .into_iter()
            .map(|request| scope.spawn(move || exchange(address, request)))
            .collect();
        racers
            .into_iter()
            .map(|racer| racer.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    })
}

async fn one_put_wins(options: ServerOptions) -> Result<(), HarnessError> {
    let wire = Wire::with(options).await?;
    let racer = |number: usize| {
        let body = format!("racer {number}");
        let request = with_body(wire.request("PUT", "k"), body.as_bytes());
        wire.signed(request.header("if-none-match", "*"))
    };
    let requests: Result<Vec<Request>, _> = (0..RACERS).map(racer).collect();
    let answers = race(&wire, requests?)?;
    let winners: Vec<usize> = (0..RACERS)
        .filter(|number| answers[*number].status == 200)
        .collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(refusal(answer), refused(412, "PreconditionFailed"));
    }
    let kept = wire.get("k")?;
    assert_eq!(kept.text(), format!("racer {}", winners[0]));
    assert_eq!(kept.find("etag"), answers[winners[0]].find("etag"));
    Ok(())
}

#[tokio::test]
async fn one_put_if_there_is_none_wins() -> Result<(), HarnessError> {
    one_put_wins(ServerOptions::new()).await
}

#[tokio::test]
async fn one_put_if_there_is_none_wins_on_postgres() -> Result<(), HarnessError> {
    one_put_wins(on_postgres().await?).await
}

#[tokio::test]
async fn one_put_by_grpc_if_there_is_none_wins() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let grpc = Clients::connect(&wire.server, Bearer::token(&wire.credentials)?).await?;
    let puts = (0..RACERS).map(|number| {
        let mut objects = grpc.objects.clone();
        let precondition = Precondition {
            if_none_match: vec!["*".to_owned()],
            ..Default::default()
        };
        let spec = PutObjectSpec {
            bucket: BUCKET.to_owned(),
            key: "k".to_owned(),
            precondition: Some(precondition),
            ..Default::default()
        };
        async move {
            let data = Bytes::from(format!("racer {number}"));
            let spec = Some(spec);
            let put = PutSmallObjectRequest { spec, data };
            objects.put_small_object(put).await.map(|_| number)
        }
    });
    let answers = join_all(puts).await;
    let winners: Vec<usize> = answers.iter().flatten().copied().collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    for status in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(status.code(), tonic::Code::FailedPrecondition, "{status:?}");
    }
    assert_eq!(wire.get("k")?.text(), format!("racer {}", winners[0]));
    Ok(())
}

/// Begins an upload of two parts; gives the request that completes it.
fn upload(wire: &Wire) -> Result<Request, HarnessError> {
    let begun = wire.send(wire.signed(with_body(wire.request("POST", "k?uploads"), b""))?)?;
    let id = begun
        .element("UploadId")
        .ok_or(HarnessError::Incomplete("UploadId"))?;
    let mut list = String::new();
    for (number, body) in [(1, vec![b'a'; MIN_PART]), (2, b"the end".to_vec())] {
        let target = format!("k?partNumber={number}&uploadId={id}");
        let put = wire.send(wire.signed(with_body(wire.request("PUT", &target), &body))?)?;
        let etag = put.find("etag").ok_or(HarnessError::Incomplete("etag"))?;
        list.push_str(&format!(
            "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        ));
    }
    let body = format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>");
    let target = format!("k?uploadId={id}");
    wire.signed(with_body(wire.request("POST", &target), body.as_bytes()))
}

async fn completes_are_one(options: ServerOptions) -> Result<(), HarnessError> {
    let wire = Wire::with(options).await?;
    let complete = upload(&wire)?;
    let mut answers = race(&wire, vec![complete.clone(); 8])?;
    // And once more, when all is over: a client that missed the answer.
    answers.push(wire.send(complete)?);
    let kept = wire.send(wire.signed(wire.request("HEAD", "k"))?)?;
    let etag = kept.find("etag").unwrap_or_default().trim_matches('"');
    assert!(etag.ends_with("-2"), "{kept:?}");
    for answer in &answers {
        let told = answer.element("ETag").unwrap_or_default();
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(told.replace("&quot;", ""), etag, "{}", answer.text());
    }
    let listed = wire.send(wire.signed(wire.request("GET", "?list-type=2"))?)?;
    assert_eq!(listed.element("KeyCount").as_deref(), Some("1"));
    let open = wire.send(wire.signed(wire.request("GET", "?uploads"))?)?;
    assert_eq!(open.element("UploadId"), None, "{}", open.text());
    let size = (MIN_PART + 7).to_string();
    assert_eq!(kept.find("content-length"), Some(size.as_str()));
    Ok(())
}

#[tokio::test]
async fn completes_of_one_upload_make_one_object() -> Result<(), HarnessError> {
    completes_are_one(ServerOptions::new()).await
}

#[tokio::test]
async fn completes_of_one_upload_make_one_object_on_postgres() -> Result<(), HarnessError> {
    completes_are_one(on_postgres().await?).await
}

/// Exactly one of the two happens: the object is there, or the upload is gone.
#[tokio::test]
async fn a_complete_and_an_abort() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    for _ in 0..5 {
        let complete = upload(&wire)?;
        let (_, query) = complete.target.split_once('?').unwrap_or_default();
        let abort = wire.signed(wire.request("DELETE", &format!("k?{query}")))?;
        let answers = race(&wire, vec![complete, abort])?;
        let completed = answers[0].element("ETag").is_some();
        let there = wire.get("k")?.status == 200;
        assert_eq!(completed, there, "{answers:?}");
        if !completed {
            assert_eq!(refusal(&answers[0]).1, "NoSuchUpload");
            assert_eq!(answers[1].status, 204);
        }
        let open = wire.send(wire.signed(wire.request("GET", "?uploads"))?)?;
        assert_eq!(open.element("UploadId"), None, "{}", open.text());
        let gone = wire.send(wire.signed(wire.request("DELETE", "k"))?)?;
        assert_eq!(gone.status, 204);
    }
    Ok(())
}
