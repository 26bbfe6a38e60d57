use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bucketry_contract::access::v1::AccessClass;
use bucketry_contract::adapter::v1::{EvaluateCorsResponse, SignatureKind};
use bucketry_contract::v1::*;
use bytes::Bytes;
use futures::stream;
use http_body::Frame;
use http_body_util::StreamBody;

use crate::fixture::{Bench, SESSION, object, refusal};
use crate::settings::{Limits, Settings};

const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
     SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
     Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

const SIGNED: [(&str, &str); 3] = [
    ("authorization", AUTHORIZATION),
    ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
    ("x-amz-date", "20130524T000000Z"),
];

fn one_bucket() -> ListBucketsResponse {
    ListBucketsResponse {
        buckets: vec![Bucket {
            name: "b".into(),
            region: "us-east-1".into(),
            ..Bucket::default()
        }],
        owner_id: "owner".into(),
        ..ListBucketsResponse::default()
    }
}

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
async fn buckets_are_listed_with_every_standard_header() {
    let bench = Bench::new();
    bench.service().answers("ListBuckets", Ok(one_bucket()));
    let seen = bench.send("GET", "/", &SIGNED, "").await;
    assert_eq!(seen.status, 200);
    assert!(
        seen.text().contains("<Buckets><Bucket><Name>b</Name>"),
        "{}",
        seen.text()
    );
    assert_eq!(seen.header("x-amz-request-id"), Some("request-1"));
    for name in ["x-amz-id-2", "date", "server", "content-type"] {
        assert!(seen.headers.contains_key(name), "{name}");
    }
    assert_eq!(
        bench.service().called(),
        [("ListBuckets", Some(SESSION.to_owned()))]
    );
}

#[tokio::test]
async fn the_claim_is_handed_to_the_service() {
    let bench = Bench::new();
    bench.service().answers("ListBuckets", Ok(one_bucket()));
    bench.send("GET", "/", &SIGNED, "").await;
    let asked = bench.service().authorized.lock().unwrap().remove(0);
    assert_eq!(
        (asked.rpc.as_str(), asked.operation.as_str()),
        ("ListBuckets", "ListBuckets")
    );
    assert_eq!(
        (asked.client_address.as_str(), asked.request_id.as_str()),
        ("192.0.2.7", "request-1")
    );
    assert!(!asked.chunk_signed);
    let claim = asked.claim.unwrap();
    assert_eq!(claim.kind(), SignatureKind::V4Header);
    assert_eq!(claim.access_key_id, "AKIAIOSFODNN7EXAMPLE");
    assert_eq!(claim.scope_region, "us-east-1");
    assert!(claim.canonical_requests[0].starts_with("GET\n/\n\nhost:127.0.0.1:9000\n"));
    assert!((1..=4).contains(&claim.canonical_requests.len()));
}

#[tokio::test]
async fn a_mask_is_told_with_its_class() {
    let bench = Bench::new();
    bench.service().answers(
        "UpdateObject",
        Ok(UpdateObjectResponse {
            object: Some(object("k")),
        }),
    );
    let seen = bench.send("DELETE", "/b/k?tagging", &[], "").await;
    assert_eq!(seen.status, 204, "{seen:?}");
    let asked = bench.service().authorized.lock().unwrap().remove(0);
    assert_eq!(asked.rpc, "UpdateObject");
    assert_eq!(asked.clear_paths, ["attributes.tagging"]);
    assert_eq!((asked.bucket.as_str(), asked.key.as_str()), ("b", "k"));
    assert!(asked.raised.contains(&AccessClass::Delete.into()));
}

#[tokio::test]
async fn a_bucket_is_made_with_and_without_a_body() {
    for body in [
        "",
        "<CreateBucketConfiguration><LocationConstraint>eu-1</LocationConstraint></CreateBucketConfiguration>",
    ] {
        let bench = Bench::new();
        bench
            .service()
            .answers("CreateBucket", Ok(CreateBucketResponse::default()));
        let seen = bench.send("PUT", "/b", &SIGNED, body).await;
        assert_eq!(
            (seen.status.as_u16(), seen.header("location")),
            (200, Some("/b")),
            "{seen:?}"
        );
        let request: CreateBucketRequest = bench.service().request();
        assert_eq!(request.region, if body.is_empty() { "" } else { "eu-1" });
    }
}

#[tokio::test]
async fn refusals_are_xml_with_resource_and_request_id() {
    let bench = Bench::new();
    bench
        .service()
        .answers::<ListObjectsResponse>("ListObjects", Err(refusal(ErrorReason::NoSuchBucket)));
    let seen = bench.send("GET", "/nowhere?list-type=2", &SIGNED, "").await;
    seen.assert_error(404, "NoSuchBucket");
    assert!(
        seen.text()
            .contains("<Resource>/nowhere</Resource><RequestId>request-1</RequestId>")
    );
    assert_eq!(seen.header("content-type"), Some("application/xml"));
}

#[tokio::test]
async fn errors_of_head_have_no_body() {
    let bench = Bench::new();
    bench
        .service()
        .answers::<HeadObjectResponse>("HeadObject", Err(refusal(ErrorReason::NoSuchKey)));
    let seen = bench.send("HEAD", "/b/k", &SIGNED, "").await;
    assert_eq!((seen.status.as_u16(), seen.body.len()), (404, 0));
}

#[tokio::test]
async fn what_s3_knows_and_this_server_does_not_is_never_something_else() {
    for (method, target, status, code) in [
        ("GET", "/b?inventory", 501, "NotImplemented"),
        ("PUT", "/b?lifecycle", 501, "NotImplemented"),
        ("PUT", "/b/k?retention", 501, "NotImplemented"),
        ("PUT", "/b?versioning", 501, "NotImplemented"),
        ("POST", "/b", 412, "PreconditionFailed"),
        ("POST", "/", 405, "MethodNotAllowed"),
        ("PATCH", "/b/k", 405, "MethodNotAllowed"),
        ("POST", "/b/k?tagging", 405, "MethodNotAllowed"),
    ] {
        let bench = Bench::new();
        let seen = bench.send(method, target, &[], "").await;
        assert_eq!(seen.status, status, "{method} {target}: {seen:?}");
        assert!(seen.text().contains(code), "{method} {target}");
        assert_eq!(seen.header("allow").is_some(), status == 405);
        if status == 405 {
            let kind = if target == "/" { "SERVICE" } else { "OBJECT" };
            for element in [
                format!("<Method>{method}</Method>"),
                format!("<ResourceType>{kind}</ResourceType>"),
            ] {
                assert!(seen.text().contains(&element), "{element}: {seen:?}");
            }
        }
        assert!(bench.service().called().is_empty());
    }
}

#[tokio::test]
async fn unknown_headers_are_refused_and_the_caller_is_judged_first() {
    let bench = Bench::new();
    let headers = [("x-amz-object-lock-mode", "COMPLIANCE")];
    bench
        .send("PUT", "/b/k", &headers, "x")
        .await
        .assert_error(501, "NotImplemented");
    assert_eq!(bench.service().authorized.lock().unwrap().len(), 1);
    bench
        .service()
        .authorizes(Err(refusal(ErrorReason::AccessDenied)));
    bench
        .send("PUT", "/b/k", &headers, "x")
        .await
        .assert_error(403, "AccessDenied");
    assert!(bench.service().called().is_empty());
}

#[tokio::test]
async fn malformed_targets_and_signatures_are_refused_at_the_edge() {
    let two = [SIGNED[0], SIGNED[1], SIGNED[2]];
    for (target, headers, status, code) in [
        ("/b/%zz", &[][..], 400, "InvalidURI"),
        ("/b/k?a=1&a=2", &[], 400, "InvalidArgument"),
        (
            "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0",
            &two,
            400,
            "InvalidArgument",
        ),
        (
            "/b/k",
            &[("authorization", "AWS AKIA:sig")],
            400,
            "InvalidRequest",
        ),
        (
            "/b/k",
            &[("authorization", "AWS4-HMAC-SHA256 nonsense")],
            400,
            "AuthorizationHeaderMalformed",
        ),
        (
            "/b/k",
            &[("x-amz-security-token", "t")],
            400,
            "InvalidToken",
        ),
    ] {
        let bench = Bench::new();
        let seen = bench.send("GET", target, headers, "").await;
        seen.assert_error(status, code);
        assert!(
            bench.service().authorized.lock().unwrap().is_empty(),
            "{target}"
        );
    }
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
    let limits = Limits {
        max_requests: 1,
        ..Limits::default()
    };
    let bench = Bench::with_settings(Settings {
        limits,
        ..Settings::default()
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

#[tokio::test]
async fn too_large_heads_are_refused() {
    let bench = Bench::new();
    let target = format!("/b/k?prefix={}", "x".repeat(20_000));
    bench
        .send("GET", &target, &[], "")
        .await
        .assert_error(400, "InvalidURI");
    let names: Vec<String> = (0..101).map(|number| format!("x-{number}")).collect();
    let headers: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    bench
        .send("GET", "/b/k", &headers, "")
        .await
        .assert_error(400, "RequestHeaderSectionTooLarge");
    let long = "v".repeat(40 * 1024);
    let seen = bench
        .send("GET", "/b/k", &[("x-amz-meta-a", &long)], "")
        .await;
    seen.assert_error(400, "RequestHeaderSectionTooLarge");
    let element = "<MaxSizeAllowed>32768</MaxSizeAllowed>";
    assert!(seen.text().contains(element), "{seen:?}");
}

#[tokio::test]
async fn every_answer_about_a_bucket_tells_the_region_and_nothing_else() {
    let bench = Bench::new();
    bench
        .service()
        .authorizes(Err(refusal(ErrorReason::AccessDenied)));
    for bucket in ["/b", "/other"] {
        let seen = bench.send("HEAD", bucket, &[], "").await;
        assert_eq!((seen.status.as_u16(), seen.text()), (403, ""));
        assert_eq!(seen.header("x-amz-bucket-region"), Some("us-east-1"));
    }
    let seen = bench.send("GET", "/b", &[], "").await;
    seen.assert_error(403, "AccessDenied");
    assert_eq!(seen.header("x-amz-bucket-region"), Some("us-east-1"));
    let seen = bench.send("HEAD", "/b/k", &[], "").await;
    assert_eq!(seen.header("x-amz-bucket-region"), None);
}

#[tokio::test]
async fn an_empty_version_is_never_the_current_one() {
    for (method, target, body) in [
        ("GET", "/b/k?versionId=", ""),
        ("HEAD", "/b/k?versionId=", ""),
        ("DELETE", "/b/k?versionId=", ""),
        ("GET", "/b/k?tagging&versionId=", ""),
        ("DELETE", "/b/k?tagging&versionId=", ""),
        ("GET", "/b/k?attributes&versionId=", ""),
        ("PUT", "/b/k?versionId=", "x"),
    ] {
        let bench = Bench::new();
        let headers = match target.contains("attributes") {
            true => &[("x-amz-object-attributes", "ETag")][..],
            false => &[],
        };
        let seen = bench.send_signed(method, target, headers, body).await;
        assert_eq!(seen.status, 400, "{method} {target}: {seen:?}");
        if method != "HEAD" {
            for element in [
                "<Message>Version id cannot be the empty string</Message>",
                "<ArgumentName>versionId</ArgumentName><ArgumentValue></ArgumentValue>",
            ] {
                assert!(seen.text().contains(element), "{method} {target}: {seen:?}");
            }
        }
        assert!(bench.service().called().is_empty());
    }
}

#[tokio::test]
async fn frames_without_a_framed_payload_are_refused() {
    let bench = Bench::new();
    let headers = [("content-encoding", "gzip, aws-chunked")];
    let seen = bench.send_signed("PUT", "/b/k", &headers, "x").await;
    seen.assert_error(400, "InvalidArgument");
    let text = "aws-chunked encoding is not supported when x-amz-content-sha256 UNSIGNED-PAYLOAD is supplied.";
    assert!(seen.text().contains(text), "{seen:?}");
    assert!(bench.service().called().is_empty());
}

#[tokio::test]
async fn a_write_accepts_no_if_none_match_but_a_star() {
    for (method, target, headers, body) in [
        ("PUT", "/b/k", &[("if-none-match", "\"etag\"")][..], "x"),
        (
            "PUT",
            "/b/k",
            &[
                ("if-none-match", "\"etag\""),
                ("x-amz-copy-source", "b/source"),
            ],
            "",
        ),
        (
            "POST",
            "/b/k?uploadId=u",
            &[("if-none-match", "\"etag\"")],
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>",
        ),
    ] {
        let bench = Bench::new();
        let seen = bench.send_signed(method, target, headers, body).await;
        seen.assert_error(501, "NotImplemented");
        let element = "<Header>If-None-Match</Header>";
        assert!(seen.text().contains(element), "{method}: {seen:?}");
        assert!(bench.service().called().is_empty());
    }
}

#[tokio::test]
async fn buckets_are_found_in_the_host_name() {
    let bench = Bench::new();
    bench
        .service()
        .answers::<HeadObjectResponse>("HeadObject", Err(refusal(ErrorReason::NoSuchKey)));
    let request = http::Request::head("/a//b").header("host", "bucket.localhost:9000");
    let request = request.body(http_body_util::Empty::<Bytes>::new()).unwrap();
    let response = tower::Service::call(&mut bench.adapter.clone(), request)
        .await
        .unwrap();
    assert_eq!(response.status(), 404);
    let asked = bench.service().authorized.lock().unwrap().remove(0);
    assert_eq!(
        (asked.bucket.as_str(), asked.key.as_str()),
        ("bucket", "a//b")
    );
    assert_eq!(
        response.extensions().get(),
        Some(&crate::OperationName("HeadObject"))
    );
}

fn allowed() -> EvaluateCorsResponse {
    EvaluateCorsResponse {
        enabled: true,
        allowed: true,
        allow_origin: "https://app.example".into(),
        allow_credentials: true,
        allow_methods: vec!["GET".into(), "PUT".into()],
        allow_headers: vec!["x-a".into()],
        expose_headers: vec!["etag".into()],
        max_age_seconds: Some(3000),
    }
}

#[tokio::test]
async fn a_preflight_is_answered_by_the_rules_of_the_bucket() {
    let bench = Bench::new();
    let headers = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "X-A, x-b"),
    ];
    let rules = |enabled| EvaluateCorsResponse {
        enabled,
        ..EvaluateCorsResponse::default()
    };
    for (enabled, text) in [
        (false, "CORS is not enabled for this bucket."),
        (true, "This CORS request is not allowed."),
    ] {
        bench.service().allows_origins(rules(enabled));
        let seen = bench.send("OPTIONS", "/b/k", &headers, "").await;
        seen.assert_error(403, "AccessForbidden");
        assert!(seen.text().contains(text), "{seen:?}");
    }
    bench.service().allows_origins(allowed());
    let seen = bench.send("OPTIONS", "/b/k", &headers, "").await;
    assert_eq!(seen.status, 200);
    for (name, value) in [
        ("access-control-allow-origin", "https://app.example"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "GET, PUT"),
        ("access-control-allow-headers", "x-a"),
        ("access-control-max-age", "3000"),
    ] {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
    assert!(seen.header("vary").unwrap().contains("Origin"));
    let asked = bench.service().cors_asked.lock().unwrap().remove(0);
    assert_eq!(
        (asked.method.as_str(), asked.request_headers),
        ("PUT", vec!["x-a".into(), "x-b".into()])
    );
    bench
        .send("OPTIONS", "/b/k", &headers[..1], "")
        .await
        .assert_error(400, "BadRequest");
    let seen = bench
        .send(
            "OPTIONS",
            "/b/k",
            &[headers[0], ("access-control-request-method", "BREW")],
            "",
        )
        .await;
    seen.assert_error(400, "BadRequest");
    let text = "Invalid Access-Control-Request-Method: BREW";
    assert!(seen.text().contains(text), "{seen:?}");
    assert!(bench.service().authorized.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_tells_the_browser_who_may_read_it_even_an_error() {
    let bench = Bench::new();
    bench.service().allows_origins(allowed());
    let origin = [("origin", "https://app.example")];
    let seen = bench.send("GET", "/b?inventory", &origin, "").await;
    assert_eq!(seen.status, 501);
    assert_eq!(
        seen.header("access-control-allow-origin"),
        Some("https://app.example")
    );
    assert_eq!(seen.header("access-control-expose-headers"), Some("etag"));
    let seen = bench.send("GET", "/b?inventory", &[], "").await;
    assert_eq!(seen.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_fault_of_the_service_tells_nothing() {
    let bench = Bench::new();
    bench.service().answers::<ListBucketsResponse>(
        "ListBuckets",
        Err(tonic::Status::unknown("the secret path")),
    );
    let seen = bench.send("GET", "/", &SIGNED, "").await;
    seen.assert_error(500, "InternalError");
    assert!(!seen.text().contains("secret"));
}

#[tokio::test]
async fn a_presigned_url_is_told_with_its_time() {
    let bench = Bench::new();
    bench
        .service()
        .answers::<HeadObjectResponse>("HeadObject", Err(refusal(ErrorReason::NoSuchKey)));
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
        &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
        &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    bench.send("HEAD", &format!("/b/k?{query}"), &[], "").await;
    let asked = bench.service().authorized.lock().unwrap().remove(0);
    let claim = asked.claim.unwrap();
    assert_eq!(claim.kind(), SignatureKind::V4Presigned);
    assert_eq!(claim.expires, 86400);
    assert_eq!(claim.amz_date, "20130524T000000Z");
}

/// What AWS SDK for JavaScript v3 signs for a body that it does not know yet, and a checksum that somebody asked for.
#[tokio::test]
async fn a_checksum_in_a_url_counts_unless_it_is_of_no_body() {
    for (value, declared) in [("AAAAAA%3D%3D", false), ("NhCmhg%3D%3D", true)] {
        let bench = Bench::new();
        let written = PutObjectResponse {
            object: Some(object("k")),
        };
        bench.service().answers("PutObject", Ok(written));
        let query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD\
             &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
             &X-Amz-Date=20130524T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host\
             &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404\
             &x-amz-checksum-crc32={value}&x-amz-sdk-checksum-algorithm=CRC32&x-id=PutObject"
        );
        let seen = bench
            .send("PUT", &format!("/b/k?{query}"), &[], "hello")
            .await;
        assert_eq!(seen.status, 200, "{seen:?}");
        let messages: Vec<PutObjectRequest> = bench.service().request();
        let Some(put_object_request::Message::Spec(spec)) = messages[0].message.clone() else {
            panic!("{messages:?}");
        };
        let checksum = spec.digests.and_then(|digests| digests.checksum);
        assert_eq!(checksum.is_some(), declared, "{value}");
    }
}

#[tokio::test]
async fn a_version_2_url_carries_headers_in_its_query() {
    let bench = Bench::new();
    let written = PutObjectResponse {
        object: Some(object("k")),
    };
    bench.service().answers("PutObject", Ok(written));
    let query = "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1369440000&Signature=AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D\
        &Content-Type=text%2Fplain&x-amz-meta-colour=blue&x-amz-acl=private";
    let seen = bench
        .send("PUT", &format!("/b/k?{query}"), &[], "hello")
        .await;
    assert_eq!(seen.status, 200, "{seen:?}");
    let asked = bench.service().authorized.lock().unwrap().remove(0);
    let claim = asked.claim.unwrap();
    assert_eq!(claim.kind(), SignatureKind::V2Presigned);
    assert_eq!(claim.expires, 1_369_440_000);
    assert_eq!(claim.signature, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let messages: Vec<PutObjectRequest> = bench.service().request();
    let Some(put_object_request::Message::Spec(spec)) = messages[0].message.clone() else {
        panic!("{messages:?}");
    };
    let attributes = spec.attributes.unwrap();
    assert_eq!(attributes.content_type, "text/plain");
    assert_eq!(attributes.metadata["colour"], "blue");
}
