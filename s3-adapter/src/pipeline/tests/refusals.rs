//! Requests that are refused, and how.

use bucketry_contract::v1::*;

use super::SIGNED;
use crate::fixture::{Bench, refusal};

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
async fn a_fault_of_the_service_reveals_nothing() {
    let bench = Bench::new();
    bench.service().answers::<ListBucketsResponse>(
        "ListBuckets",
        Err(tonic::Status::unknown("the secret path")),
    );
    let seen = bench.send("GET", "/", &SIGNED, "").await;
    seen.assert_error(500, "InternalError");
    assert!(!seen.text().contains("secret"));
}
