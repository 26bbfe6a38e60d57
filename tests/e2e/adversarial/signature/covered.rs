//! What a signature covers: the host, the headers that change what a request does, and the key.

use std::time::SystemTime;

use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::{Request, Response};
use bucketry_tests::sigv4::Payload;

use super::{altered, assert_not_stored, presigned};
use crate::wire::{BUCKET, Wire, refusal, refused, with_body};

#[tokio::test]
async fn an_unsigned_host_is_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let by_header = altered(
        wire.signed(wire.request("GET", "k"))?,
        "SignedHeaders=host;",
        "SignedHeaders=",
    );
    let by_query = altered(
        presigned(&wire, wire.request("GET", "k"))?,
        "SignedHeaders=host",
        "SignedHeaders=range",
    )
    .header("range", "bytes=0-1");
    for request in [by_header, by_query] {
        let answer = wire.send(request)?;
        assert_eq!(refusal(&answer), refused(403, "AccessDenied"));
        assert_eq!(answer.element("HeadersNotSigned").as_deref(), Some("host"));
    }
    Ok(())
}

#[tokio::test]
async fn a_presigned_put_never_becomes_a_copy() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("secret", b"secret")?;
    let put = presigned(&wire, with_body(wire.request("PUT", "k"), b""))?;
    for name in ["x-amz-copy-source", "X-Amz-Copy-Source"] {
        let answer = wire.send(put.clone().header(name, &format!("/{BUCKET}/secret")))?;
        assert_eq!(refusal(&answer), refused(403, "AccessDenied"));
        assert_eq!(
            answer.element("HeadersNotSigned").as_deref(),
            Some("x-amz-copy-source")
        );
    }
    let in_query = Request {
        target: format!("{}&x-amz-copy-source=%2F{BUCKET}%2Fsecret", put.target),
        ..put
    };
    assert_eq!(
        refusal(&wire.send(in_query)?),
        refused(403, "SignatureDoesNotMatch")
    );
    assert_not_stored(&wire, "k")
}

#[tokio::test]
async fn unsigned_amz_headers_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    for (name, value) in [
        ("x-amz-acl", "public-read"),
        ("x-amz-grant-read", "id=\"1\""),
        ("x-amz-tagging", "a=b"),
        ("x-amz-meta-x", "1"),
        ("x-amz-website-redirect-location", "/x"),
        ("x-amz-object-lock-mode", "COMPLIANCE"),
        (
            "x-amz-object-lock-retain-until-date",
            "2999-01-01T00:00:00Z",
        ),
        ("x-amz-bypass-governance-retention", "true"),
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-decoded-content-length", "1"),
    ] {
        let put = || with_body(wire.request("PUT", "k"), b"x");
        for request in [wire.signed(put())?, presigned(&wire, put())?] {
            let answer = wire.send(request.header(name, value))?;
            assert_eq!(refusal(&answer), refused(403, "AccessDenied"), "{name}");
            assert_eq!(answer.element("HeadersNotSigned").as_deref(), Some(name));
        }
    }
    assert_not_stored(&wire, "k")
}

#[tokio::test]
async fn malformed_lists_of_signed_headers_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let good = "host;x-amz-content-sha256;x-amz-date";
    for bad in [
        "host;host;x-amz-content-sha256;x-amz-date",
        "x-amz-date;host;x-amz-content-sha256",
        "Host;x-amz-content-sha256;x-amz-date",
        "host;x-amz-content-sha256;x-amz-date;",
        "host,x-amz-content-sha256,x-amz-date",
        "",
    ] {
        let request = altered(wire.signed(wire.request("GET", "k"))?, good, bad);
        assert_eq!(
            refusal(&wire.send(request)?),
            refused(400, "AuthorizationHeaderMalformed"),
            "{bad}"
        );
    }
    // A header that is listed and did not come.
    let absent = altered(
        wire.signed(wire.request("GET", "k"))?,
        good,
        "host;range;x-amz-content-sha256;x-amz-date",
    );
    assert_eq!(
        refusal(&wire.send(absent)?),
        refused(403, "SignatureDoesNotMatch")
    );
    Ok(())
}

/// One name for authorization and storage, or none. `keys::every_way_leads_to_the_same_object` has more of them.
#[tokio::test]
async fn odd_keys_are_signed_and_stored_under_one_name() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    for key in [
        "/",
        "//",
        "a/../b",
        "./x",
        "%2e%2e",
        "..%2F..%2Fx",
        "%00",
        "+",
        "%20",
        "~",
        "*",
        "'",
        "%28",
        "%F0%9F%98%80",
        "%C3%A9",
        "e%CC%81",
    ] {
        assert_eq!(wire.put(key, key.as_bytes())?.status, 200, "{key}");
        assert_eq!(wire.get(key)?.text(), key);
        let url = presigned(&wire, wire.request("GET", key))?;
        assert_eq!(wire.send(url)?.text(), key, "presigned");
    }
    assert_eq!(wire.put(&"k".repeat(1024), b"x")?.status, 200);
    assert_eq!(
        refusal(&wire.put(&"k".repeat(1025), b"x")?),
        refused(400, "KeyTooLongError")
    );
    for bad in ["%", "%zz", "%ff", "a%2"] {
        let mut request = wire.signed(wire.request("PUT", "x"))?;
        request.target = format!("/{BUCKET}/{bad}");
        assert_eq!(
            refusal(&wire.send(request)?),
            refused(400, "InvalidURI"),
            "{bad}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_signed_host_is_the_host_of_the_request() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    let path = format!("/{BUCKET}/k");
    let signed_for = |host: &str| {
        let request = Request::new("GET", &path).header("host", host);
        wire.signer
            .header(request, SystemTime::now(), Payload::Signed)
    };
    let sent_as = |signed: &str, sent: &str| -> Result<Response, HarnessError> {
        let mut request = signed_for(signed)?;
        request.headers.retain(|(name, _)| name != "host");
        wire.send(request.header("host", sent))
    };
    for host in [
        "h:80",
        "h:443",
        "h:9000",
        "EXAMPLE.com",
        "example.com.",
        "[::1]:9000",
        "127.0.0.1",
    ] {
        assert_eq!(sent_as(host, host)?.status, 200, "{host}");
    }
    // Clients leave out the default port of the scheme, and proxies put it in.
    assert_eq!(sent_as("h", "h:80")?.status, 200);
    assert_eq!(sent_as("h:80", "h")?.status, 200);
    for (signed, sent) in [("h", "h:443"), ("h", "h:9000"), ("h", "i"), ("h:81", "h")] {
        assert_eq!(
            refusal(&sent_as(signed, sent)?),
            refused(403, "SignatureDoesNotMatch"),
            "{signed} {sent}"
        );
    }
    let mut none = signed_for("h")?;
    none.headers.retain(|(name, _)| name != "host");
    let mut connection = bucketry_tests::http1::Connection::open(wire.server.address())?;
    assert_eq!(connection.exchange(&none)?.status, 400);
    let two = signed_for("h")?.header("host", "i");
    assert_eq!(refusal(&wire.send(two)?), refused(400, "InvalidRequest"));
    Ok(())
}

#[tokio::test]
async fn only_accept_encoding_may_be_rewritten_on_the_way() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    for signed in ["identity", "gzip"] {
        let request = wire.signed(wire.request("GET", "k").header("accept-encoding", signed))?;
        for sent in [Some("gzip, br"), Some("identity"), None] {
            let mut rewritten = request.clone();
            rewritten
                .headers
                .retain(|(name, _)| name != "accept-encoding");
            if let Some(sent) = sent {
                rewritten = rewritten.header("accept-encoding", sent);
            }
            assert_eq!(wire.send(rewritten)?.status, 200, "{signed} {sent:?}");
        }
    }
    let odd = wire.signed(
        wire.request("GET", "k")
            .header("accept-encoding", "deflate"),
    )?;
    let mut rewritten = odd;
    rewritten
        .headers
        .retain(|(name, _)| name != "accept-encoding");
    let answer = wire.send(rewritten.header("accept-encoding", "br"))?;
    assert_eq!(refusal(&answer), refused(403, "SignatureDoesNotMatch"));
    let mut other = wire.signed(wire.request("GET", "k").header("accept", "text/plain"))?;
    other.headers.retain(|(name, _)| name != "accept");
    let answer = wire.send(other.header("accept", "text/html"))?;
    assert_eq!(refusal(&answer), refused(403, "SignatureDoesNotMatch"));
    Ok(())
}
