//! Signatures, digests, framing and lengths of content.

use std::time::{Duration, SystemTime};

use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::{Connection, Request};
use bucketry_tests::sigv4::{Chunked, Payload, Signer};
use bytes::Bytes;

use super::{all_refused, nothing_is_left, put, put_with, set};
use crate::wire::Wire;

#[tokio::test]
async fn wrong_signatures_are_refused() -> Result<(), HarnessError> {
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
async fn wrong_digests_are_refused() -> Result<(), HarnessError> {
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
async fn malformed_chunk_framing_is_refused() -> Result<(), HarnessError> {
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

/// What no HTTP library sends. The connection is of no use afterwards, the server is.
#[tokio::test]
async fn wrong_lengths_are_refused() -> Result<(), HarnessError> {
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
