//! Bodies in signed chunks, with trailers, and of the wrong length.

use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::Connection;
use bucketry_tests::sigv4::Chunked;
use bytes::Bytes;

use super::{CHECKED, CHECKED_CRC32C, CHECKED_CRC64NVME, Wire, refusal, refused, with_body};

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
