//! Connections: continuation, reuse, request ids, and input that is not HTTP.

use std::time::SystemTime;

use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::Connection;
use bucketry_tests::sigv4::Payload;

use super::{Wire, refusal, refused, with_body};

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
