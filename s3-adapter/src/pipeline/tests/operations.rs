//! Requests that are answered: what reaches the service, and how its answer is rendered.

use bucketry_contract::access::v1::AccessClass;
use bucketry_contract::adapter::v1::SignatureKind;
use bucketry_contract::v1::*;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tower::Service;

use super::{SIGNED, one_bucket};
use crate::fixture::{Bench, SESSION, object, refusal};

/// Every request moves it into a box.
#[test]
fn the_future_of_a_request_is_small() {
    let bench = Bench::new();
    let request = http::Request::get("/b/k").body(http_body_util::Full::new(Bytes::new()));
    let answer = bench.adapter.clone().call(request.unwrap());
    let bytes = std::mem::size_of_val(&*answer);
    assert!(bytes <= 2048, "{bytes} bytes");
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
async fn a_mask_is_sent_with_its_class() {
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
async fn every_answer_about_a_bucket_names_its_region_and_no_other_does() {
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

#[tokio::test]
async fn a_presigned_url_is_sent_with_its_time() {
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

/// The service may leave it to the call to look at the caller again only if nothing is read or refused before the call.
#[tokio::test]
async fn the_service_learns_whether_the_call_follows_at_once() {
    let form = [("content-type", "multipart/form-data; boundary=b")];
    let bad_md5 = [("content-md5", "not-base64")];
    let framed = [("content-encoding", "aws-chunked")];
    let decoded = [("x-amz-decoded-content-length", "7")];
    let unless = [("if-none-match", "\"etag\"")];
    let copy_unless = [unless[0], ("x-amz-copy-source", "b/source")];
    let range = [("range", "bytes=0-1")];
    let content_sha256 = |body: &str| hex::encode(Sha256::digest(body));
    let (of_content, of_nothing) = (content_sha256("content"), content_sha256(""));
    let of_content = [("x-amz-content-sha256", of_content.as_str())];
    let of_nothing = [("x-amz-content-sha256", of_nothing.as_str())];
    let chunked = [
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "0"),
    ];
    let fields = "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n\
        --b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n--b--\r\n";
    for (method, target, headers, body, follows) in [
        ("GET", "/b/k", &[][..], "", true),
        ("HEAD", "/b/k", &[], "", true),
        ("PUT", "/b/k", &[], "content", true),
        ("PUT", "/b/k?partNumber=1&uploadId=u", &[], "content", true),
        ("GET", "/b?list-type=2", &[], "", true),
        ("DELETE", "/b/k", &[], "", true),
        // A body that means nothing is read all the same.
        ("GET", "/b/k", &[], "ignored", false),
        ("PUT", "/b/k?tagging", &[], "<Tagging/>", false),
        ("POST", "/b?delete", &[], "<Delete/>", false),
        ("GET", "/b?list-type=2&max-keys=x", &[], "", false),
        ("POST", "/b", &form, fields, false),
        // Refused by their heads.
        ("GET", "/b/k?versionId=", &[], "", false),
        ("DELETE", "/b/k?versionId=", &[], "", false),
        ("PUT", "/b/k", &bad_md5, "content", false),
        ("PUT", "/b/k", &framed, "content", false),
        ("PUT", "/b/k", &decoded, "content", false),
        ("PUT", "/b/k", &unless, "content", false),
        ("PUT", "/b/k", &copy_unless, "", false),
        ("GET", "/b/k?partNumber=1", &range, "", false),
        ("HEAD", "/b/k?partNumber=1", &range, "", false),
        // Not what an empty body has.
        ("GET", "/b/k", &of_content, "", false),
        ("DELETE", "/b/k", &of_content, "", false),
        ("GET", "/b/k", &of_nothing, "", true),
        ("GET", "/b/k", &chunked, "", false),
    ] {
        let bench = Bench::new();
        let seen = match target {
            "/b" => bench.send(method, target, headers, body).await,
            _ => bench.send_signed(method, target, headers, body).await,
        };
        let asked = bench.service().authorized.lock().unwrap().clone();
        let [asked] = asked.as_slice() else {
            panic!("{method} {target}: {seen:?}")
        };
        let what = format!("{method} {target} {headers:?} {body:?}");
        assert_eq!(asked.call_follows, follows, "{what}: {seen:?}");
    }
}

/// An upload without a length is refused after the caller was judged by current rows.
#[tokio::test]
async fn no_call_follows_an_upload_without_a_length() {
    for target in ["/b/k", "/b/k?partNumber=1&uploadId=u"] {
        let bench = Bench::new();
        let body = http_body_util::Full::new(Bytes::from_static(b"content"));
        let seen = bench.send_body("PUT", target, &SIGNED, body).await;
        seen.assert_error(411, "MissingContentLength");
        let asked = bench.service().authorized.lock().unwrap().remove(0);
        assert!(!asked.call_follows, "{target}");
    }
}
