//! Input that is wrong: the documented refusal, and nothing left behind.

use std::time::{Duration, SystemTime};

use bucketry_contract::v1::{ListMultipartUploadsRequest, ListObjectsRequest};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients, call, channel};
use bucketry_tests::http1::{Connection, Request};
use bucketry_tests::sigv4::{Chunked, Payload, Signer};
use bytes::Bytes;
use tonic_types::StatusExt;

use crate::wire::{BUCKET, Wire, refusal, refused, with_body};

/// What is sent, and how it is refused.
type Case = (&'static str, Request, u16, &'static str);

/// Sends each request and sees it refused as S3 documents; then sees that the bucket is as empty as it was.
async fn all_refused(wire: &Wire, cases: Vec<Case>) -> Result<(), HarnessError> {
    for (name, request, status, code) in cases {
        let response = wire.send(request)?;
        let expected = refused(status, code);
        assert_eq!(refusal(&response), expected, "{name}: {}", response.text());
    }
    nothing_is_left(wire).await
}

async fn nothing_is_left(wire: &Wire) -> Result<(), HarnessError> {
    let bearer = Bearer::token(&wire.credentials)?;
    let mut objects = Clients::connect(&wire.server, bearer).await?.objects;
    let bucket = BUCKET.to_owned();
    let listed = objects.list_objects(ListObjectsRequest {
        bucket: bucket.clone(),
        ..Default::default()
    });
    assert_eq!(listed.await?.into_inner().objects, []);
    let uploads = objects.list_multipart_uploads(ListMultipartUploadsRequest {
        bucket,
        ..Default::default()
    });
    assert_eq!(uploads.await?.into_inner().uploads, []);
    Ok(())
}

fn put(wire: &Wire) -> Request {
    with_body(wire.request("PUT", "k"), b"content")
}

fn put_with(wire: &Wire, name: &str, value: &str) -> Result<Request, HarnessError> {
    wire.signed(put(wire).header(name, value))
}

fn set(mut request: Request, name: &str, value: &str) -> Request {
    request.headers.retain(|(known, _)| known != name);
    request.header(name, value)
}

#[tokio::test]
async fn signatures() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let now = SystemTime::now();
    let by = |signer: &Signer, time| signer.header(put(&wire), time, Payload::Signed);
    let mut impostor = wire.signer.clone();
    impostor.secret_access_key.push('x');
    let stranger = Signer::new("AKIAIOSFODNN7EXAMPLE", &wire.signer.secret_access_key);
    let mut elsewhere = wire.signer.clone();
    elsewhere.region = "eu-central-1".to_owned();
    let skew = Duration::from_secs(16 * 60);
    let good = wire.signed(put(&wire))?;
    let malformed = "AuthorizationHeaderMalformed";
    let cases = vec![
        (
            "another secret",
            by(&impostor, now)?,
            403,
            "SignatureDoesNotMatch",
        ),
        (
            "an unknown key id",
            by(&stranger, now)?,
            403,
            "InvalidAccessKeyId",
        ),
        ("another region", by(&elsewhere, now)?, 400, malformed),
        (
            "a slow clock",
            by(&wire.signer, now - skew)?,
            403,
            "RequestTimeTooSkewed",
        ),
        (
            "a fast clock",
            by(&wire.signer, now + skew)?,
            403,
            "RequestTimeTooSkewed",
        ),
        ("no signature", put(&wire), 403, "AccessDenied"),
        (
            "a header that is not signed",
            good.clone().header("x-amz-meta-a", "b"),
            403,
            "AccessDenied",
        ),
        (
            "another method",
            Request {
                method: "DELETE".to_owned(),
                ..good.clone()
            },
            403,
            "SignatureDoesNotMatch",
        ),
        (
            "another query",
            Request {
                target: format!("{}?tagging", good.target),
                ..good.clone()
            },
            403,
            "SignatureDoesNotMatch",
        ),
        (
            "no scheme",
            set(good.clone(), "authorization", "Basic YTpi"),
            400,
            "InvalidArgument",
        ),
        (
            "no parts",
            set(good.clone(), "authorization", "AWS4-HMAC-SHA256 x"),
            400,
            malformed,
        ),
        (
            "no date",
            set(good.clone(), "x-amz-date", "yesterday"),
            403,
            "AccessDenied",
        ),
        (
            "no hash",
            set(good, "x-amz-content-sha256", "none"),
            400,
            "InvalidArgument",
        ),
    ];
    all_refused(&wire, cases).await
}

#[tokio::test]
async fn digests() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let with = |name, value| put_with(&wire, name, value);
    let (zeros_16, zeros_20) = ("AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let zeros_32 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let cases = vec![
        (
            "another MD5",
            with("content-md5", zeros_16)?,
            400,
            "BadDigest",
        ),
        ("no MD5", with("content-md5", "AAAA")?, 400, "InvalidDigest"),
        (
            "CRC32",
            with("x-amz-checksum-crc32", "AAAAAA==")?,
            400,
            "BadDigest",
        ),
        (
            "CRC32C",
            with("x-amz-checksum-crc32c", "AAAAAA==")?,
            400,
            "BadDigest",
        ),
        (
            "CRC64NVME",
            with("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=")?,
            400,
            "BadDigest",
        ),
        (
            "SHA1",
            with("x-amz-checksum-sha1", zeros_20)?,
            400,
            "BadDigest",
        ),
        (
            "SHA256",
            with("x-amz-checksum-sha256", zeros_32)?,
            400,
            "BadDigest",
        ),
        (
            "no CRC32",
            with("x-amz-checksum-crc32", "!")?,
            400,
            "InvalidRequest",
        ),
        (
            "an unknown algorithm",
            with("x-amz-checksum-md4", "AAAA")?,
            400,
            "InvalidRequest",
        ),
        (
            "an algorithm without value",
            with("x-amz-sdk-checksum-algorithm", "CRC32")?,
            400,
            "InvalidRequest",
        ),
        (
            "a trailer without chunks",
            with("x-amz-trailer", "x-amz-checksum-crc32")?,
            400,
            "InvalidRequest",
        ),
    ];
    all_refused(&wire, cases).await
}

#[tokio::test]
async fn chunk_framing() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let trailer = ("x-amz-checksum-crc32c".to_owned(), "4waSgw==".to_owned());
    let mode = Chunked::UnsignedTrailer(trailer.0, trailer.1);
    let good = wire.chunked("k", &[Bytes::from_static(b"123456789")], &mode)?;
    let framed = |body: &[u8]| {
        let request = set(good.clone(), "content-length", &body.len().to_string());
        request.body(body)
    };
    let signed = wire.chunked("k", &[Bytes::from_static(b"123456789")], &Chunked::Signed)?;
    let unsigned = b"9\r\n123456789\r\n0\r\n\r\n";
    let unsigned = set(signed, "content-length", &unsigned.len().to_string()).body(unsigned);
    let broken = "IncompleteBody";
    let cases = vec![
        ("no chunks", framed(b"123456789"), 400, broken),
        (
            "a size that is none",
            framed(b"zz\r\n123456789\r\n0\r\n\r\n"),
            400,
            broken,
        ),
        (
            "a size beyond all",
            framed(b"ffffffffffffffffff\r\n1"),
            400,
            broken,
        ),
        (
            "a chunk without end",
            framed(b"9\r\n123456789"),
            400,
            broken,
        ),
        ("no last chunk", framed(b"9\r\n123456789\r\n"), 400, broken),
        (
            "too little",
            framed(b"4\r\n1234\r\n0\r\nx-amz-checksum-crc32c:4waSgw==\r\n\r\n"),
            400,
            broken,
        ),
        ("nothing", framed(b""), 400, broken),
        (
            "no trailer",
            framed(b"9\r\n123456789\r\n0\r\n\r\n"),
            400,
            "MalformedTrailerError",
        ),
        (
            "another trailer",
            framed(b"9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"),
            400,
            "MalformedTrailerError",
        ),
        (
            "another content",
            framed(b"9\r\n12345678x\r\n0\r\nx-amz-checksum-crc32c:4waSgw==\r\n\r\n"),
            400,
            "BadDigest",
        ),
        ("chunks that are not signed", unsigned, 400, broken),
    ];
    all_refused(&wire, cases).await
}

#[tokio::test]
async fn headers_without_meaning_here() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let with = |name, value: &str| put_with(&wire, name, value);
    let large = "x".repeat(2049);
    let cases = vec![
        (
            "metadata",
            with("x-amz-meta-a", &large)?,
            400,
            "MetadataTooLarge",
        ),
        (
            "tags twice",
            with("x-amz-tagging", "a=1&a=2")?,
            400,
            "InvalidArgument",
        ),
        (
            "encryption",
            with("x-amz-server-side-encryption", "AES256")?,
            501,
            "NotImplemented",
        ),
        (
            "storage class",
            with("x-amz-storage-class", "GLACIER")?,
            501,
            "NotImplemented",
        ),
        (
            "object lock",
            with("x-amz-object-lock-mode", "GOVERNANCE")?,
            501,
            "NotImplemented",
        ),
        (
            "public",
            with("x-amz-acl", "public-read")?,
            400,
            "AccessControlListNotSupported",
        ),
        (
            "no source",
            with("x-amz-copy-source", "nonsense")?,
            400,
            "InvalidArgument",
        ),
        (
            "another owner",
            with("x-amz-expected-bucket-owner", "1")?,
            403,
            "AccessDenied",
        ),
        (
            "a length for chunks",
            with("x-amz-decoded-content-length", "7")?,
            400,
            "InvalidRequest",
        ),
    ];
    all_refused(&wire, cases).await
}

#[tokio::test]
async fn addresses() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let ask = |method: &str, target: &str| {
        let host = wire.server.address().to_string();
        wire.signed(
            Request::new(method, target)
                .header("host", &host)
                .header("content-length", "0"),
        )
    };
    let long = format!("/{BUCKET}/{}", "x".repeat(1025));
    let longest = format!("/{}", "b".repeat(64));
    let sub = |name: &str| format!("/{BUCKET}{name}");
    let mut cases = vec![
        (
            "a key over 1,024 bytes",
            ask("PUT", &long)?,
            400,
            "KeyTooLongError",
        ),
        (
            "half an escape",
            ask("PUT", &sub("/%4"))?,
            400,
            "InvalidURI",
        ),
        ("no UTF-8", ask("PUT", &sub("/%ff"))?, 400, "InvalidURI"),
        (
            "a prefix without UTF-8",
            ask("GET", &sub("?prefix=%ff"))?,
            400,
            "InvalidURI",
        ),
        (
            "a version that is none",
            ask("GET", &sub("/k?versionId=v"))?,
            400,
            "InvalidArgument",
        ),
        (
            "a part that is none",
            ask("GET", &sub("/k?partNumber=0"))?,
            400,
            "InvalidArgument",
        ),
        (
            "a page of -1",
            ask("GET", &sub("?max-keys=-1"))?,
            400,
            "InvalidArgument",
        ),
        (
            "a token that is none",
            ask("GET", &sub("?list-type=2&continuation-token=x"))?,
            400,
            "InvalidArgument",
        ),
        (
            "an encoding that is none",
            ask("GET", &sub("?encoding-type=x"))?,
            400,
            "InvalidArgument",
        ),
        (
            "a method that is none",
            ask("PATCH", &sub("/k"))?,
            405,
            "MethodNotAllowed",
        ),
    ];
    for name in [
        "ab",
        "Upper",
        "under_score",
        "192.168.1.1",
        "a..b",
        "-ab",
        "ab-",
        "xn--ab",
        "%20",
        "..",
        &longest[1..],
    ] {
        let what = "a name that is none";
        cases.push((
            what,
            ask("PUT", &format!("/{name}"))?,
            400,
            "InvalidBucketName",
        ));
    }
    for name in [
        "inventory",
        "analytics",
        "intelligent-tiering",
        "metrics",
        "abac",
        "torrent",
        "metadataAnnotationTable",
    ] {
        let what = "a sub-resource of a bucket";
        cases.push((
            what,
            ask("GET", &sub(&format!("?{name}")))?,
            501,
            "NotImplemented",
        ));
    }
    for name in [
        "torrent",
        "annotation",
        "legal-hold",
        "select&select-type=2",
    ] {
        let what = "a sub-resource of an object";
        cases.push((
            what,
            ask("GET", &sub(&format!("/k?{name}")))?,
            501,
            "NotImplemented",
        ));
    }
    all_refused(&wire, cases).await
}

#[tokio::test]
async fn documents() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let unsigned = |query: &str, body: &str| {
        let request = Request::new("POST", &format!("/{BUCKET}{query}"))
            .header("host", &wire.server.address().to_string());
        with_body(request, body.as_bytes())
    };
    let post = |query: &str, body: &str| wire.signed(unsigned(query, body));
    // A batch delete needs a digest of its body.
    let delete = |body: &str, crc32: &str| {
        wire.signed(unsigned("?delete", body).header("x-amz-checksum-crc32", crc32))
    };
    let many = format!(
        "<Delete>{}</Delete>",
        "<Object><Key>k</Key></Object>".repeat(1001)
    );
    let deep = format!(
        "<Delete>{}{}</Delete>",
        "<a>".repeat(500),
        "</a>".repeat(500)
    );
    let entity = "<!DOCTYPE a [<!ENTITY b \"c\">]><Delete><Object><Key>&b;</Key></Object></Delete>";
    let part = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>";
    let malformed = "MalformedXML";
    let cases = vec![
        (
            "nothing",
            post("?delete", "")?,
            400,
            "MissingRequestBodyError",
        ),
        ("no XML", post("?delete", "none")?, 400, malformed),
        (
            "half of it",
            post("?delete", "<Delete><Object>")?,
            400,
            malformed,
        ),
        (
            "another root",
            post("?delete", "<Remove/>")?,
            400,
            malformed,
        ),
        (
            "no digest",
            post("?delete", "<Delete/>")?,
            400,
            "InvalidRequest",
        ),
        (
            "no objects",
            delete("<Delete/>", "DY2k5w==")?,
            400,
            malformed,
        ),
        ("1,001 objects", delete(&many, "74B9uw==")?, 400, malformed),
        ("500 levels", post("?delete", &deep)?, 400, malformed),
        ("an entity", post("?delete", entity)?, 400, malformed),
        (
            "no parts",
            post("/k?uploadId=u", "<CompleteMultipartUpload/>")?,
            400,
            malformed,
        ),
        (
            "no upload",
            post("/k?uploadId=u", part)?,
            404,
            "NoSuchUpload",
        ),
    ];
    all_refused(&wire, cases).await
}

/// What no HTTP library sends. The connection is of no use afterwards, the server is.
#[tokio::test]
async fn lengths() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let without = |length: Option<&str>| -> Result<Request, HarnessError> {
        let mut request = wire.signed(put(&wire))?;
        request.headers.retain(|(name, _)| name != "content-length");
        Ok(match length {
            Some(length) => request.header("content-length", length),
            None => request,
        })
    };
    let chunked = without(None)?
        .header("transfer-encoding", "chunked")
        .body(*b"7\r\ncontent\r\n0\r\n\r\n");
    for (name, request, status) in [
        ("no length", without(None)?, 411),
        ("chunks of HTTP", chunked, 411),
        ("words", without(Some("seven"))?, 400),
        ("a sign", without(Some("-7"))?, 400),
        (
            "two lengths",
            without(Some("7"))?.header("content-length", "8"),
            400,
        ),
        ("6 TiB", without(Some("6597069766656"))?, 400),
    ] {
        assert_eq!(wire.send(request)?.status, status, "{name}");
    }
    let mut connection = Connection::open(wire.server.address())?;
    connection.send(&without(Some("8"))?.head())?;
    connection.send(b"content")?;
    drop(connection);
    nothing_is_left(&wire).await
}

#[tokio::test]
async fn messages_that_are_no_protobuf() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let bearer = Bearer::token(&wire.credentials)?;
    for method in [
        "PutSmallObject",
        "PutObject",
        "DeleteObjects",
        "CompleteMultipartUpload",
    ] {
        let path = format!("/bucketry.v1.ObjectService/{method}");
        let message = Bytes::from_static(b"\x0a\xff\xff\xff\xff\x0f");
        let status = call(channel(&wire.server).await?, Some(&bearer), &path, message)
            .await
            .unwrap_err();
        let reason = status.get_details_error_info().map(|info| info.reason);
        assert_eq!(
            reason.as_deref(),
            Some("INVALID_REQUEST"),
            "{method}: {status:?}"
        );
    }
    nothing_is_left(&wire).await
}
