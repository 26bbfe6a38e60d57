//! S3 on the wire: requests made by hand, signed by AWS's own library.

use std::time::{Duration, SystemTime};

use bucketry_contract::v1::{Credentials, Permission};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::{Connection, Request, Response, exchange};
use bucketry_tests::server::{Server, ServerOptions};
use bucketry_tests::sigv4::{Chunked, Payload, Signer};
use bytes::Bytes;

pub(crate) const BUCKET: &str = "wire-test-bucket";
/// The body of the CRC catalogue and its CRC-32C in base64.
const CHECKED: &[u8] = b"123456789";
const CHECKED_CRC32C: &str = "4waSgw==";
const CHECKED_CRC64NVME: &str = "rosUhgp5mIg=";

/// A server with one bucket and a token on it.
pub(crate) struct Wire {
    pub(crate) server: Server,
    pub(crate) signer: Signer,
    pub(crate) credentials: Credentials,
}

impl Wire {
    pub(crate) async fn start() -> Result<Self, HarnessError> {
        Self::with(ServerOptions::new()).await
    }

    pub(crate) async fn with(options: ServerOptions) -> Result<Self, HarnessError> {
        let server = Server::start(options)?;
        let mut root = Clients::root(&server).await?;
        root.create_bucket(BUCKET).await?;
        let (_, credentials) = root.create_token(BUCKET, Permission::ReadWrite).await?;
        let signer = signer(&credentials);
        Ok(Self {
            server,
            signer,
            credentials,
        })
    }

    pub(crate) fn request(&self, method: &str, key: &str) -> Request {
        Request::new(method, &format!("/{BUCKET}/{key}"))
            .header("host", &self.server.address().to_string())
    }

    pub(crate) fn signed(&self, request: Request) -> Result<Request, HarnessError> {
        self.signer
            .header(request, SystemTime::now(), Payload::Signed)
    }

    pub(crate) fn send(&self, request: Request) -> Result<Response, HarnessError> {
        exchange(self.server.address(), request)
    }

    pub(crate) fn put(&self, key: &str, body: &[u8]) -> Result<Response, HarnessError> {
        self.send(self.signed(with_body(self.request("PUT", key), body))?)
    }

    pub(crate) fn get(&self, key: &str) -> Result<Response, HarnessError> {
        self.send(self.signed(self.request("GET", key))?)
    }

    pub(crate) fn chunked(
        &self,
        key: &str,
        chunks: &[Bytes],
        mode: &Chunked,
    ) -> Result<Request, HarnessError> {
        self.signer
            .chunked(self.request("PUT", key), SystemTime::now(), chunks, mode)
    }
}

pub(crate) fn signer(credentials: &Credentials) -> Signer {
    Signer::new(&credentials.access_key_id, &credentials.secret_access_key)
}

pub(crate) fn with_body(request: Request, body: &[u8]) -> Request {
    request
        .header("content-length", &body.len().to_string())
        .body(body)
}

pub(crate) fn refusal(response: &Response) -> (u16, String) {
    (
        response.status,
        response.element("Code").unwrap_or_default(),
    )
}

pub(crate) fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn trailer(value: &str) -> (String, String) {
    ("x-amz-checksum-crc32c".to_owned(), value.to_owned())
}

/// Chunks of the least size that a signed body may have but at its end, and a rest.
fn chunks() -> Vec<Bytes> {
    vec![
        Bytes::from(vec![b'a'; 64 * 1024]),
        Bytes::from(vec![b'b'; 8 * 1024]),
        Bytes::from_static(b"the rest"),
    ]
}

#[tokio::test]
async fn bodies_in_signed_chunks() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let request = wire.chunked("k", &chunks(), &Chunked::Signed)?;
    assert_eq!(wire.send(request)?.status, 200);
    let got = wire.get("k")?;
    assert_eq!(got.body, chunks().concat());
    assert_eq!(got.find("content-encoding"), None);
    Ok(())
}

#[tokio::test]
async fn a_changed_chunk_is_refused_and_nothing_is_stored() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut request = wire.chunked("k", &chunks(), &Chunked::Signed)?;
    if let Some(byte) = request.body.iter_mut().find(|byte| **byte == b'b') {
        *byte = b'c';
    }
    assert_eq!(
        refusal(&wire.send(request)?),
        refused(403, "SignatureDoesNotMatch")
    );
    assert_eq!(refusal(&wire.get("k")?), refused(404, "NoSuchKey"));
    Ok(())
}

#[tokio::test]
async fn trailers_signed_and_unsigned() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let body = [Bytes::from_static(CHECKED)];
    let (name, value) = trailer(CHECKED_CRC32C);
    for mode in [
        Chunked::SignedTrailer(name.clone(), value.clone()),
        Chunked::UnsignedTrailer(name, value),
    ] {
        let request = wire.chunked("k", &body, &mode)?;
        let put = wire.send(request)?;
        assert_eq!(
            (put.status, put.find("x-amz-checksum-crc32c")),
            (200, Some(CHECKED_CRC32C)),
            "{mode:?}"
        );
        assert_eq!(wire.get("k")?.body, CHECKED);
    }
    Ok(())
}

/// As SDKs upload parts over TLS: the upload names no algorithm, the checksum of the part comes in the trailer.
#[tokio::test]
async fn parts_with_trailers_of_an_upload_without_algorithm() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let post = |key: &str, body: &[u8], headers: &[(&str, &str)]| {
        let mut request = with_body(wire.request("POST", key), body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        wire.send(wire.signed(request)?)
    };
    let body = [Bytes::from_static(CHECKED)];
    for (mode, algorithm) in [
        (
            Chunked::SignedTrailer as fn(String, String) -> Chunked,
            "signed",
        ),
        (Chunked::UnsignedTrailer, "unsigned"),
    ] {
        let created = post(&format!("{algorithm}?uploads="), b"", &[])?;
        let upload = created.element("UploadId").unwrap_or_default();
        let part = format!("{algorithm}?partNumber=1&uploadId={upload}");
        let (name, value) = trailer(CHECKED_CRC32C);
        let wrong = wire.chunked(&part, &body, &mode(name.clone(), "AAAAAA==".to_owned()))?;
        assert_eq!(refusal(&wire.send(wrong)?), refused(400, "BadDigest"));
        let put = wire.send(wire.chunked(&part, &body, &mode(name, value))?)?;
        assert_eq!(
            (put.status, put.find("x-amz-checksum-crc32c")),
            (200, Some(CHECKED_CRC32C))
        );
        let target = format!("{algorithm}?uploadId={upload}");
        let listed = wire.get(&target)?;
        assert_eq!(
            listed.element("ChecksumCRC32C").as_deref(),
            Some(CHECKED_CRC32C)
        );
        let etag = put.find("etag").unwrap_or_default();
        let parts = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
        );
        let crc = |value| [("x-amz-checksum-crc64nvme", value)];
        let wrong = post(&target, parts.as_bytes(), &crc("AAAAAAAAAAA="))?;
        assert_eq!(refusal(&wrong), refused(400, "BadDigest"));
        let done = post(&target, parts.as_bytes(), &crc(CHECKED_CRC64NVME))?;
        assert_eq!(
            (
                done.element("ChecksumCRC64NVME"),
                done.element("ChecksumType")
            ),
            (
                Some(CHECKED_CRC64NVME.to_owned()),
                Some("FULL_OBJECT".to_owned())
            )
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_trailer_that_is_wrong_is_refused_and_nothing_is_stored() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let body = [Bytes::from_static(b"other content")];
    let (name, value) = trailer(CHECKED_CRC32C);
    for mode in [
        Chunked::SignedTrailer(name.clone(), value.clone()),
        Chunked::UnsignedTrailer(name, value),
    ] {
        let request = wire.chunked("k", &body, &mode)?;
        assert_eq!(
            refusal(&wire.send(request)?),
            refused(400, "BadDigest"),
            "{mode:?}"
        );
        assert_eq!(refusal(&wire.get("k")?), refused(404, "NoSuchKey"));
    }
    Ok(())
}

#[tokio::test]
async fn a_body_that_is_not_what_was_signed() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut request = wire.signed(with_body(wire.request("PUT", "k"), b"what was signed"))?;
    request.body = b"what was $igned".to_vec();
    assert_eq!(
        refusal(&wire.send(request)?),
        refused(400, "XAmzContentSHA256Mismatch")
    );
    assert_eq!(refusal(&wire.get("k")?), refused(404, "NoSuchKey"));
    Ok(())
}

#[tokio::test]
async fn clocks_that_differ() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let past = SystemTime::now() - Duration::from_secs(20 * 60);
    let request = wire
        .signer
        .header(wire.request("GET", "k"), past, Payload::Signed)?;
    assert_eq!(
        refusal(&wire.send(request)?),
        refused(403, "RequestTimeTooSkewed")
    );
    Ok(())
}

#[tokio::test]
async fn presigned_requests_expire() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    let presigned = |begin: SystemTime| {
        wire.signer
            .presign(wire.request("GET", "k"), begin, Duration::from_secs(60))
    };
    let now = SystemTime::now();
    assert_eq!(wire.send(presigned(now)?)?.body, b"content");
    let expired = presigned(now - Duration::from_secs(120))?;
    assert_eq!(refusal(&wire.send(expired)?), refused(403, "AccessDenied"));
    Ok(())
}

#[tokio::test]
async fn headers_that_change_meaning_must_be_signed() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("secret", b"secret")?;
    let request = wire
        .signed(with_body(wire.request("PUT", "k"), b""))?
        .header("x-amz-copy-source", &format!("/{BUCKET}/secret"));
    assert_eq!(refusal(&wire.send(request)?), refused(403, "AccessDenied"));
    assert_eq!(refusal(&wire.get("k")?), refused(404, "NoSuchKey"));
    Ok(())
}

#[tokio::test]
async fn to_continue_is_said_only_after_authorization() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let body = b"comes later";
    let request =
        wire.signed(with_body(wire.request("PUT", "k"), body).header("expect", "100-continue"))?;
    let mut connection = Connection::open(wire.server.address())?;
    connection.send(&request.head())?;
    assert_eq!(connection.receive("PUT")?.status, 100);
    connection.send(body)?;
    assert_eq!(connection.receive("PUT")?.status, 200);

    let mut stranger = wire.signer.clone();
    stranger.secret_access_key.push('x');
    let request = with_body(wire.request("PUT", "k"), body).header("expect", "100-continue");
    let request = stranger.header(request, SystemTime::now(), Payload::Signed)?;
    let mut connection = Connection::open(wire.server.address())?;
    connection.send(&request.head())?;
    assert_eq!(
        refusal(&connection.receive("PUT")?),
        refused(403, "SignatureDoesNotMatch")
    );
    Ok(())
}

#[tokio::test]
async fn a_connection_serves_many_requests() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut connection = Connection::open(wire.server.address())?;
    for number in 0..5 {
        let key = format!("k{number}");
        let put = wire.signed(with_body(wire.request("PUT", &key), key.as_bytes()))?;
        assert_eq!(connection.exchange(&put)?.status, 200);
        let missing = wire.signed(wire.request("GET", "missing"))?;
        assert_eq!(
            refusal(&connection.exchange(&missing)?),
            refused(404, "NoSuchKey")
        );
        let head = wire.signed(wire.request("HEAD", "missing"))?;
        assert_eq!(connection.exchange(&head)?.status, 404);
        let get = wire.signed(wire.request("GET", &key))?;
        assert_eq!(connection.exchange(&get)?.body, key.as_bytes());
    }
    Ok(())
}

#[tokio::test]
async fn every_answer_can_be_traced() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    for response in [
        wire.put("k", b"x")?,
        wire.get("k")?,
        wire.get("missing")?,
        wire.send(wire.request("GET", "k"))?,
    ] {
        for header in ["x-amz-request-id", "x-amz-id-2", "date", "server"] {
            assert!(
                response.find(header).is_some(),
                "{header} is missing with {}",
                response.status
            );
        }
        if response.status >= 400 {
            assert_eq!(
                response.element("RequestId").as_deref(),
                response.find("x-amz-request-id")
            );
            assert_eq!(response.find("content-type"), Some("application/xml"));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_short_body_is_not_stored() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let request = wire.signed(with_body(wire.request("PUT", "k"), b"all of it"))?;
    let mut connection = Connection::open(wire.server.address())?;
    connection.send(&request.head())?;
    connection.send(b"all")?;
    drop(connection);
    assert_eq!(refusal(&wire.get("k")?), refused(404, "NoSuchKey"));
    Ok(())
}

#[tokio::test]
async fn what_is_not_http_does_no_harm() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    for nonsense in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n\r\n\r\n\0\0\0\0",
    ] {
        let mut connection = Connection::open(wire.server.address())?;
        connection.send(nonsense)?;
    }
    assert_eq!(wire.put("k", b"x")?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_signed_header_that_is_not_sent_counts_as_empty() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    let mut request = wire.signed(wire.request("GET", "k").header("x-custom", ""))?;
    request.headers.retain(|(name, _)| name != "x-custom");
    assert_eq!(wire.send(request)?.text(), "content");
    Ok(())
}

#[tokio::test]
async fn too_large_a_head_is_refused_with_the_error_of_s3() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let long = wire
        .request("GET", "k")
        .header("x-amz-meta-a", &"v".repeat(40 * 1024));
    let many = (0..101).fold(wire.request("GET", "k"), |request, number| {
        request.header(&format!("x-{number}"), "1")
    });
    for request in [long, many] {
        let answer = wire.send(request)?;
        assert_eq!(
            refusal(&answer),
            refused(400, "RequestHeaderSectionTooLarge")
        );
        assert_eq!(answer.element("MaxSizeAllowed").as_deref(), Some("32768"));
    }
    Ok(())
}

/// By header, by a header that a presigned URL covers, and in the query of one.
#[tokio::test]
async fn hints_of_sdks_change_nothing() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let put = with_body(wire.request("PUT", "k"), CHECKED)
        .header("x-amz-checksum-crc32c", CHECKED_CRC32C)
        .header("x-amz-api-version", "2006-03-01");
    assert_eq!(wire.send(wire.signed(put)?)?.status, 200);
    let presign = |request| {
        wire.signer
            .presign(request, SystemTime::now(), Duration::from_secs(60))
    };
    for (name, value, checksum) in [
        ("x-amz-te", "append-md5", None),
        ("x-amz-api-version", "2006-03-01", None),
        ("x-amz-foo-next-year", "1", None),
        ("x-amz-checksum-mode", "enabled", Some(CHECKED_CRC32C)),
    ] {
        let mut requests = vec![
            wire.signed(wire.request("GET", "k").header(name, value))?,
            presign(wire.request("GET", &format!("k?{name}={value}")))?,
        ];
        // The signer of the tests, an SDK's own, never signs this header into a URL.
        if name != "x-amz-checksum-mode" {
            requests.push(presign(wire.request("GET", "k").header(name, value))?);
        }
        for request in requests {
            let target = request.target.clone();
            let answer = wire.send(request)?;
            assert_eq!(answer.status, 200, "{name} {target}: {}", answer.text());
            assert_eq!(answer.body, CHECKED, "{name} {target}");
            assert_eq!(
                answer.find("x-amz-checksum-crc32c"),
                checksum,
                "{name} {target}"
            );
        }
    }
    let meaningful = presign(wire.request("PUT", "k?x-amz-acl=public-read"))?;
    assert_eq!(
        refusal(&wire.send(with_body(meaningful, b"x"))?),
        refused(400, "AccessControlListNotSupported")
    );
    Ok(())
}
