//! Bodies: documents, refused uploads, and the limit of requests.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bucketry_contract::v1::*;
use bytes::Bytes;
use futures::stream;
use http_body::Frame;
use http_body_util::StreamBody;

use super::{SIGNED, one_bucket};
use crate::fixture::{Bench, refusal};
use crate::settings::{AdapterSettings, RequestLimits};

/// Pieces of a body, and how many of them were taken.
fn counted_body(
    pieces: usize,
    bytes: usize,
) -> (
    StreamBody<impl futures::Stream<Item = Result<Frame<Bytes>, Infallible>>>,
    Arc<AtomicUsize>,
) {
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let frames = (0..pieces).map(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(Frame::data(Bytes::from(vec![b'x'; bytes])))
    });
    (StreamBody::new(stream::iter(frames)), taken)
}

#[tokio::test]
async fn documents_are_bounded_and_well_formed() {
    let huge = vec![b' '; 3 << 20];
    for (body, status, code) in [
        (&b"<Tagging"[..], 400, "MalformedXML"),
        (b"<Other/>", 400, "MalformedXML"),
        (
            b"<!DOCTYPE x [<!ENTITY e \"x\">]><Tagging>&e;</Tagging>",
            400,
            "MalformedXML",
        ),
        (b"", 400, "MissingRequestBodyError"),
        (&huge, 400, "MaxMessageLengthExceeded"),
    ] {
        let bench = Bench::new();
        let seen = bench
            .send("PUT", "/b?tagging", &SIGNED, body.to_vec())
            .await;
        seen.assert_error(status, code);
        assert!(bench.service().called().is_empty());
    }
}

#[tokio::test]
async fn a_cors_configuration_is_bounded_as_in_s3() {
    let frame = [
        "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>",
        "</CORSRule></CORSConfiguration>",
    ];
    let document = |bytes: usize| {
        let [head, tail] = frame;
        let padding = " ".repeat(bytes - head.len() - tail.len());
        format!("{head}{padding}{tail}")
    };
    let bench = Bench::new();
    let put = |bytes| bench.send("PUT", "/b?cors", &SIGNED, document(bytes));
    let seen = put(65_537).await;
    seen.assert_error(400, "MaxMessageLengthExceeded");
    assert!(
        seen.text()
            .contains("<MaxMessageLengthBytes>65536</MaxMessageLengthBytes>"),
        "{seen:?}"
    );
    assert!(bench.service().called().is_empty());
    put(65_536).await;
    assert_eq!(bench.service().called().len(), 1);
}

#[tokio::test]
async fn a_damaged_document_is_refused() {
    let bench = Bench::new();
    let headers = [("content-md5", "XrY7u+Ae7tCTyyK7j1rNww==")];
    let body = "<Tagging><TagSet></TagSet></Tagging>";
    bench
        .send("PUT", "/b?tagging", &headers, body)
        .await
        .assert_error(400, "BadDigest");
    assert!(bench.service().called().is_empty());
}

#[tokio::test]
async fn a_refused_upload_is_drained_a_little_and_the_connection_closed() {
    let bench = Bench::new();
    bench
        .service()
        .authorizes(Err(refusal(ErrorReason::AccessDenied)));
    let (body, taken) = counted_body(1000, 64 * 1024);
    let seen = bench
        .send_body("PUT", "/b/k", &[("content-length", "65536000")], body)
        .await;
    seen.assert_error(403, "AccessDenied");
    assert_eq!(seen.header("connection"), Some("close"));
    assert!(
        (16..=18).contains(&taken.load(Ordering::Relaxed)),
        "{taken:?}"
    );

    let (body, taken) = counted_body(3, 10);
    let seen = bench
        .send_body("PUT", "/b/k", &[("content-length", "30")], body)
        .await;
    assert_eq!(
        (seen.header("connection"), taken.load(Ordering::Relaxed)),
        (None, 3)
    );
}

#[tokio::test]
async fn a_body_that_waits_to_be_continued_is_not_asked_for_after_a_refusal() {
    let bench = Bench::new();
    bench
        .service()
        .authorizes(Err(refusal(ErrorReason::AccessDenied)));
    let (body, taken) = counted_body(3, 10);
    let headers = [("content-length", "30"), ("expect", "100-continue")];
    let seen = bench.send_body("PUT", "/b/k", &headers, body).await;
    seen.assert_error(403, "AccessDenied");
    assert_eq!(
        (seen.header("connection"), taken.load(Ordering::Relaxed)),
        (Some("close"), 0)
    );
}

#[tokio::test]
async fn more_than_the_limit_are_told_to_slow_down_until_an_answer_is_read() {
    let limits = RequestLimits {
        max_requests: 1,
        ..RequestLimits::default()
    };
    let bench = Bench::with_settings(AdapterSettings {
        limits,
        ..AdapterSettings::default()
    });
    bench.service().answers("ListBuckets", Ok(one_bucket()));
    let running = bench
        .response("GET", "/", &[], http_body_util::Empty::new())
        .await;
    bench
        .send("GET", "/", &[], "")
        .await
        .assert_error(503, "SlowDown");
    drop(running);
    bench.service().answers("ListBuckets", Ok(one_bucket()));
    assert_eq!(bench.send("GET", "/", &[], "").await.status, 200);
}
