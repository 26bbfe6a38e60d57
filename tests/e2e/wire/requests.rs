//! Signatures and headers of single requests.

use std::time::{Duration, SystemTime};

use bucketry_tests::error::HarnessError;
use bucketry_tests::sigv4::Payload;

use super::{BUCKET, CHECKED, CHECKED_CRC32C, Wire, refusal, refused, with_body};

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
async fn a_signed_header_that_is_not_sent_counts_as_empty() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    let mut request = wire.signed(wire.request("GET", "k").header("x-custom", ""))?;
    request.headers.retain(|(name, _)| name != "x-custom");
    assert_eq!(wire.send(request)?.text(), "content");
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
