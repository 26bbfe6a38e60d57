//! Signatures: malformed, altered, of another key, and what they cover.
//!
//! Timing is safe by construction: signatures are compared by `Mac::verify_slice` (`access/sigv4/verify.rs`,
//! `access/sigv2.rs`, `chunked/signer.rs`) and secrets by `ct_eq` (`access/secret.rs`), all in constant time, and the
//! canonical request is made before the key is looked up, so that its cost is the same for every id. A timed test would
//! prove nothing on a shared machine.

use std::time::{Duration, SystemTime};

use bucketry_contract::v1::{Permission, RevokeTokenRequest};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::{Request, Response};
use bucketry_tests::server::ServerOptions;
use bucketry_tests::sigv4::{Chunked, Payload, Signer};
use bytes::Bytes;
use time::OffsetDateTime;
use time::macros::format_description;

use super::by_hand::{presign_v2, with_expires};
use crate::wire::{BUCKET, Wire, refusal, refused, signer, with_body};

const HOUR: Duration = Duration::from_secs(3600);

fn assert_not_stored(wire: &Wire, key: &str) -> Result<(), HarnessError> {
    assert_eq!(refusal(&wire.get(key)?), refused(404, "NoSuchKey"), "{key}");
    Ok(())
}

/// Replaces text in the `Authorization` header, or else in the target.
fn altered(mut request: Request, from: &str, to: &str) -> Request {
    let header = request
        .headers
        .iter_mut()
        .find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    match header {
        Some((_, value)) => {
            assert!(value.contains(from), "{value}");
            *value = value.replacen(from, to, 1);
        }
        None => {
            assert!(request.target.contains(from), "{}", request.target);
            request.target = request.target.replacen(from, to, 1);
        }
    }
    request
}

/// The signature of a request, in its header or query.
fn signature(request: &Request) -> String {
    let text = request.find("authorization").unwrap_or(&request.target);
    let (_, signature) = text.rsplit_once("ignature=").unwrap();
    signature.split('&').next().unwrap().to_owned()
}

fn other_digit(signature: &str) -> String {
    let (rest, last) = signature.split_at(signature.len() - 1);
    format!("{rest}{}", if last == "0" { "1" } else { "0" })
}

fn presigned(wire: &Wire, request: Request) -> Result<Request, HarnessError> {
    wire.signer.presign(request, SystemTime::now(), HOUR)
}

/// A PUT of `content` in each of the ways in which a header signature can cover a body.
fn puts_by_header(wire: &Wire) -> Result<Vec<Request>, HarnessError> {
    let now = SystemTime::now();
    let put = || with_body(wire.request("PUT", "k"), b"123456789");
    let chunks = [Bytes::from_static(b"123456789")];
    let trailer = || ("x-amz-checksum-crc32c".to_owned(), "4waSgw==".to_owned());
    let (name, value) = trailer();
    let (name2, value2) = trailer();
    Ok(vec![
        wire.signer.header(put(), now, Payload::Signed)?,
        wire.signer.header(put(), now, Payload::Unsigned)?,
        wire.chunked("k", &chunks, &Chunked::Signed)?,
        wire.chunked("k", &chunks, &Chunked::SignedTrailer(name, value))?,
        wire.chunked("k", &chunks, &Chunked::UnsignedTrailer(name2, value2))?,
    ])
}

#[tokio::test]
async fn one_wrong_digit_is_refused_in_every_mode() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut requests = puts_by_header(&wire)?;
    requests.push(presigned(
        &wire,
        with_body(wire.request("PUT", "k"), b"123456789"),
    )?);
    requests.push(presigned(&wire, wire.request("GET", "k"))?);
    for request in requests {
        let good = signature(&request);
        let bad = altered(request.clone(), &good, &other_digit(&good));
        let answer = wire.send(bad)?;
        let what = request.find("x-amz-content-sha256").unwrap_or("presigned");
        assert_eq!(
            refusal(&answer),
            refused(403, "SignatureDoesNotMatch"),
            "{what}"
        );
        if request.method == "PUT" {
            assert_not_stored(&wire, "k")?;
            // It was the digit and nothing else.
            assert_eq!(wire.send(request)?.status, 200);
            let delete = wire.signed(wire.request("DELETE", "k"))?;
            assert_eq!(wire.send(delete)?.status, 204);
        }
    }
    Ok(())
}

#[tokio::test]
async fn malformed_signatures_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let by_header = wire.signed(wire.request("GET", "k"))?;
    let by_query = presigned(&wire, wire.request("GET", "k"))?;
    for request in [by_header, by_query] {
        let good = signature(&request);
        for bad in [
            good.to_uppercase(),
            good[..63].to_owned(),
            format!("{good}0"),
            String::new(),
            "z".repeat(64),
            format!("0x{}", &good[..62]),
            "a".repeat(5000),
        ] {
            if bad == good {
                continue;
            }
            let answer = wire.send(altered(request.clone(), &good, &bad))?;
            assert!(
                (400..404).contains(&answer.status),
                "{bad:.70}: {}",
                answer.status
            );
            assert_ne!(answer.element("Code"), None, "{bad:.70}");
        }
        let endless = altered(request, &good, &"a".repeat(1 << 20));
        // Refused by the limit on the head; the server may close before it has read all.
        if let Ok(answer) = wire.send(endless) {
            assert!((400..500).contains(&answer.status), "{}", answer.status);
        }
    }
    assert_eq!(wire.put("k", b"still here")?.status, 200);
    Ok(())
}

/// The mistake of servers that look at the body's mode before the signature.
#[tokio::test]
async fn unsigned_trailers_still_need_a_signature() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let body = b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32c:Nks/tw==\r\n\r\n";
    let streaming = |target: &str| {
        let request = Request::new("PUT", target)
            .header("host", &wire.server.address().to_string())
            .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            .header("x-amz-decoded-content-length", "3")
            .header("x-amz-trailer", "x-amz-checksum-crc32c");
        with_body(request, body)
    };
    let id = &wire.signer.access_key_id;
    let claimed = presigned(&wire, wire.request("PUT", "k"))?;
    let bare = format!("/{BUCKET}/k");
    let credential_only =
        format!("{bare}?X-Amz-Credential={id}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request");
    for target in [bare.as_str(), &credential_only, &claimed.target] {
        let answer = wire.send(streaming(target))?;
        assert!(
            matches!(answer.status, 400 | 403),
            "{target}: {}",
            answer.text()
        );
    }
    assert_eq!(
        refusal(&wire.send(streaming(&bare))?),
        refused(403, "AccessDenied")
    );
    assert_not_stored(&wire, "k")
}

#[tokio::test]
async fn another_authorization_beside_a_presigned_url() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    let request = presigned(&wire, wire.request("GET", "k"))?;
    for foreign in ["Bearer x", "Basic eDp5"] {
        let answer = wire.send(request.clone().header("authorization", foreign))?;
        assert_eq!((answer.status, answer.text().as_str()), (200, "content"));
    }
    for second in ["AWS AK:c2ln", "AWS4-HMAC-SHA256 Credential=x"] {
        let answer = wire.send(request.clone().header("authorization", second))?;
        assert_eq!(refusal(&answer), refused(400, "InvalidArgument"));
    }
    Ok(())
}

#[tokio::test]
async fn the_secret_of_another_key_is_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    let (_, other) = root.create_token(BUCKET, Permission::ReadWrite).await?;
    let mixed = Signer::new(&wire.signer.access_key_id, &other.secret_access_key);
    let now = SystemTime::now();
    for request in [
        mixed.header(wire.request("GET", "k"), now, Payload::Signed)?,
        mixed.presign(wire.request("GET", "k"), now, HOUR)?,
    ] {
        assert_eq!(
            refusal(&wire.send(request)?),
            refused(403, "SignatureDoesNotMatch")
        );
    }
    Ok(())
}

#[tokio::test]
async fn wrong_credential_scopes_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let day = OffsetDateTime::now_utc()
        .format(format_description!("[year][month][day]"))
        .unwrap();
    let id = &wire.signer.access_key_id;
    let good = format!("{id}/{day}/us-east-1/s3/aws4_request");
    for (bad, region) in [
        (format!("{id}/20130524/us-east-1/s3/aws4_request"), None),
        (format!("{id}/29990101/us-east-1/s3/aws4_request"), None),
        (format!("{id}/{day}/xx/s3/aws4_request"), Some("us-east-1")),
        (format!("{id}/{day}/us-east-1/ec2/aws4_request"), None),
        (format!("{id}/{day}/us-east-1/s3/aws5_request"), None),
        (format!("{id}/{day}/us-east-1/s3"), None),
        (format!("{id}/x/{day}/us-east-1/s3/aws4_request"), None),
        (format!("/{day}/us-east-1/s3/aws4_request"), None),
    ] {
        let request = altered(wire.signed(wire.request("GET", "k"))?, &good, &bad);
        let answer = wire.send(request)?;
        assert_eq!(
            refusal(&answer),
            refused(400, "AuthorizationHeaderMalformed"),
            "{bad}"
        );
        assert_eq!(answer.element("Region").as_deref(), region, "{bad}");
        let encoded = |text: &str| text.replace('/', "%2F");
        let request = presigned(&wire, wire.request("GET", "k"))?;
        let answer = wire.send(altered(request, &encoded(&good), &encoded(&bad)))?;
        assert_eq!(
            refusal(&answer),
            refused(400, "AuthorizationQueryParametersError"),
            "{bad}"
        );
    }
    // A region that the server takes besides its own.
    let mut auto = wire.signer.clone();
    auto.region = "auto".to_owned();
    let request = auto.header(wire.request("GET", "k"), SystemTime::now(), Payload::Signed)?;
    assert_eq!(refusal(&wire.send(request)?), refused(404, "NoSuchKey"));
    Ok(())
}

#[tokio::test]
async fn clock_skew_and_malformed_dates_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let now = SystemTime::now();
    let at = |time| {
        wire.signer
            .header(wire.request("GET", "k"), time, Payload::Signed)
    };
    for time in [now - minutes(14), now + minutes(14)] {
        assert_eq!(wire.send(at(time)?)?.status, 404);
    }
    for time in [now - minutes(16), now + minutes(16)] {
        let answer = wire.send(at(time)?)?;
        assert_eq!(refusal(&answer), refused(403, "RequestTimeTooSkewed"));
        assert_eq!(
            answer.element("MaxAllowedSkewMilliseconds").as_deref(),
            Some("900000")
        );
        assert!(answer.element("RequestTime").is_some() && answer.element("ServerTime").is_some());
        assert!(answer.find("date").is_some());
    }
    let nested = format!(
        "Fri, 24 May 2013 {}x{} 00:00:00 GMT",
        "(".repeat(2000),
        ")".repeat(2000)
    );
    for date in [
        "",
        "yesterday",
        "2013-05-24T00:00:00Z",
        "20131324T000000Z",
        "99990101T000000Z",
        "20130524T000000Z0",
        &nested,
    ] {
        let mut request = at(now)?;
        for (name, value) in &mut request.headers {
            if name == "x-amz-date" {
                *value = date.to_owned();
            }
        }
        let answer = wire.send(request)?;
        assert!(
            matches!(answer.status, 400 | 403),
            "{date:.40}: {}",
            answer.text()
        );
    }
    Ok(())
}

/// A `Date` header alone, as the clients that cannot set `x-amz-date` send it.
#[tokio::test]
async fn a_date_header_replaces_x_amz_date() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    let request =
        super::by_hand::sign_with_date(&wire.signer, wire.request("GET", "k"), SystemTime::now());
    let answer = wire.send(request.clone())?;
    assert_eq!(answer.text(), "content");
    let mut other = request;
    for (name, value) in &mut other.headers {
        if name == "date" {
            *value = "Fri, 24 May 2013 00:00:00 +0000 (a (nested) comment)".to_owned();
        }
    }
    assert_eq!(refusal(&wire.send(other)?), refused(403, "AccessDenied"));
    Ok(())
}

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

#[tokio::test]
async fn expiry_of_presigned_urls_is_bounded_and_signed() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    let request = presigned(&wire, wire.request("GET", "k"))?;
    for bad in [
        "0",
        "-1",
        "1.5",
        "604801",
        "9223372036854775808",
        "%2B5",
        "5%20",
        "",
        "x",
    ] {
        let answer = wire.send(altered(
            request.clone(),
            "X-Amz-Expires=3600",
            &format!("X-Amz-Expires={bad}"),
        ))?;
        assert_eq!(
            refusal(&answer),
            refused(400, "AuthorizationQueryParametersError"),
            "{bad}"
        );
    }
    let missing = altered(request.clone(), "&X-Amz-Expires=3600", "");
    assert_eq!(
        refusal(&wire.send(missing)?),
        refused(400, "AuthorizationQueryParametersError")
    );
    let longer = altered(request, "X-Amz-Expires=3600", "X-Amz-Expires=604800");
    assert_eq!(
        refusal(&wire.send(longer)?),
        refused(403, "SignatureDoesNotMatch")
    );
    let now = SystemTime::now();
    let from = |begin, seconds| {
        wire.signer.presign(
            wire.request("GET", "k"),
            begin,
            Duration::from_secs(seconds),
        )
    };
    let week = from(now, 604_800)?;
    assert_eq!(wire.send(week)?.status, 200);
    let expired = wire.send(from(now - HOUR, 60)?)?;
    assert_eq!(refusal(&expired), refused(403, "AccessDenied"));
    for element in ["X-Amz-Expires", "Expires", "ServerTime"] {
        assert!(
            expired.element(element).is_some(),
            "{element}: {}",
            expired.text()
        );
    }
    let ahead = wire.send(from(now + HOUR, 60)?)?;
    assert_eq!(refusal(&ahead), refused(403, "AccessDenied"));
    Ok(())
}

#[tokio::test]
async fn a_presigned_url_is_for_one_method_key_and_bucket() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    wire.put("k2", b"other")?;
    let mut root = Clients::root(&wire.server).await?;
    root.create_bucket("other-signature-bucket").await?;
    let get = presigned(&wire, wire.request("GET", "k"))?;
    for method in ["PUT", "DELETE"] {
        let request = Request {
            method: method.to_owned(),
            ..get.clone()
        }
        .header("content-length", "0");
        assert_eq!(
            refusal(&wire.send(request)?),
            refused(403, "SignatureDoesNotMatch"),
            "{method}"
        );
    }
    let head = Request {
        method: "HEAD".to_owned(),
        ..get.clone()
    };
    assert_eq!(wire.send(head)?.status, 403);
    for (from, to) in [
        ("/k?", "/k2?"),
        (BUCKET, "other-signature-bucket"),
        ("/k?", "/k?versionId=x&"),
        ("/k?", "/k?response-content-type=text%2Fhtml&"),
        ("/k?", "/k?tagging&"),
    ] {
        let request = Request {
            target: get.target.replacen(from, to, 1),
            ..get.clone()
        };
        assert_eq!(
            refusal(&wire.send(request)?),
            refused(403, "SignatureDoesNotMatch"),
            "{to}"
        );
    }
    assert_eq!(wire.get("k")?.text(), "content");
    Ok(())
}

#[tokio::test]
async fn presigned_urls_lose_effect_with_their_token() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    let mut root = Clients::root(&wire.server).await?;
    let (token, credentials) = root.create_token(BUCKET, Permission::ReadWrite).await?;
    let now = SystemTime::now();
    let get = signer(&credentials).presign(wire.request("GET", "k"), now, HOUR)?;
    assert_eq!(wire.send(get.clone())?.status, 200);
    root.tokens
        .revoke_token(RevokeTokenRequest {
            bucket: BUCKET.to_owned(),
            token_id: token.token_id.clone(),
        })
        .await?;
    assert_eq!(wire.send(get)?.status, 403);
    let (token, credentials) = root.create_token(BUCKET, Permission::ReadWrite).await?;
    let get = signer(&credentials).presign(wire.request("GET", "k"), now, HOUR)?;
    super::by_hand::forbid_loopback(&mut root, &token).await?;
    assert_eq!(refusal(&wire.send(get)?), refused(403, "AccessDenied"));
    let (_, read_only) = root.create_token(BUCKET, Permission::ReadOnly).await?;
    let put = signer(&read_only).presign(with_body(wire.request("PUT", "k2"), b"x"), now, HOUR)?;
    assert_eq!(refusal(&wire.send(put)?), refused(403, "AccessDenied"));
    assert_not_stored(&wire, "k2")
}

#[tokio::test]
async fn version_2_urls_are_read_and_version_2_headers_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let soon = SystemTime::now() + Duration::from_secs(60);
    let put = with_body(wire.request("PUT", "k"), b"content");
    let put = Request {
        target: format!("{}?Content-Type=text%2Fplain&x-amz-meta-m=v", put.target),
        ..put
    };
    assert_eq!(wire.send(presign_v2(&wire.signer, put, soon))?.status, 200);
    let get = presign_v2(&wire.signer, wire.request("GET", "k"), soon);
    let got = wire.send(get.clone())?;
    assert_eq!(
        (
            got.text().as_str(),
            got.find("content-type"),
            got.find("x-amz-meta-m")
        ),
        ("content", Some("text/plain"), Some("v"))
    );
    let later = with_expires(&get, soon + HOUR);
    assert_eq!(
        refusal(&wire.send(later)?),
        refused(403, "SignatureDoesNotMatch")
    );
    let ten_years = SystemTime::now() + HOUR * 24 * 3650;
    let far = wire.send(presign_v2(
        &wire.signer,
        wire.request("GET", "k"),
        ten_years,
    ))?;
    assert_eq!(far.status, 403, "{}", far.text());
    let past = SystemTime::now() - HOUR;
    let expired = wire.send(presign_v2(&wire.signer, wire.request("GET", "k"), past))?;
    assert_eq!(refusal(&expired), refused(403, "AccessDenied"));
    let delete = Request {
        method: "DELETE".to_owned(),
        ..get.clone()
    };
    assert_eq!(refusal(&wire.send(delete)?), refused(400, "InvalidRequest"));
    let copy = get.header("x-amz-copy-source", &format!("/{BUCKET}/k"));
    assert_eq!(wire.send(copy)?.status, 403);
    let header = wire
        .request("GET", "k")
        .header("authorization", "AWS AK:c2lnbmF0dXJl");
    let answer = wire.send(header)?;
    assert_eq!(refusal(&answer), refused(400, "InvalidRequest"));
    assert!(
        answer
            .element("Message")
            .unwrap()
            .contains("Please use AWS4-HMAC-SHA256.")
    );
    Ok(())
}

#[tokio::test]
async fn version_2_can_be_turned_off() -> Result<(), HarnessError> {
    let options = ServerOptions::new()
        .argument("--signature-v2")
        .argument("off");
    let wire = Wire::with(options).await?;
    wire.put("k", b"content")?;
    let soon = SystemTime::now() + Duration::from_secs(60);
    let answer = wire.send(presign_v2(&wire.signer, wire.request("GET", "k"), soon))?;
    assert_eq!(refusal(&answer), refused(400, "InvalidRequest"));
    assert!(
        answer
            .element("Message")
            .unwrap()
            .contains("Please use AWS4-HMAC-SHA256.")
    );
    assert_eq!(
        wire.send(presigned(&wire, wire.request("GET", "k"))?)?
            .status,
        200
    );
    Ok(())
}

#[tokio::test]
async fn other_algorithms_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    for (algorithm, by_header, by_query) in [
        (
            "AWS4-ECDSA-P256-SHA256",
            (501, "NotImplemented"),
            (501, "NotImplemented"),
        ),
        (
            "AWS4-HMAC-SHA512",
            (400, "InvalidArgument"),
            (400, "AuthorizationQueryParametersError"),
        ),
        (
            "AWS4-HMAC-SHA1",
            (400, "InvalidArgument"),
            (400, "AuthorizationQueryParametersError"),
        ),
    ] {
        let request = altered(
            wire.signed(wire.request("GET", "k"))?,
            "AWS4-HMAC-SHA256",
            algorithm,
        );
        assert_eq!(
            refusal(&wire.send(request)?),
            refused(by_header.0, by_header.1),
            "{algorithm}"
        );
        let request = altered(
            presigned(&wire, wire.request("GET", "k"))?,
            "AWS4-HMAC-SHA256",
            algorithm,
        );
        assert_eq!(
            refusal(&wire.send(request)?),
            refused(by_query.0, by_query.1),
            "{algorithm}"
        );
    }
    let body = with_body(wire.request("PUT", "k"), b"x").header(
        "x-amz-content-sha256",
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
    );
    let body = super::by_hand::sign_as_given(&wire.signer, body, SystemTime::now());
    assert_eq!(refusal(&wire.send(body)?), refused(501, "NotImplemented"));
    Ok(())
}

#[tokio::test]
async fn session_tokens_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let in_header = wire.signed(wire.request("GET", "k").header("x-amz-security-token", "t"))?;
    let unsigned = wire
        .signed(wire.request("GET", "k"))?
        .header("x-amz-security-token", "t");
    let mut target = wire.request("GET", "k");
    target.target.push_str("?X-Amz-Security-Token=t");
    let in_query = presigned(&wire, target)?;
    for request in [in_header, unsigned, in_query] {
        assert_eq!(refusal(&wire.send(request)?), refused(400, "InvalidToken"));
    }
    Ok(())
}

/// The elements by which clients and people find out what is wrong; never what would be right.
#[tokio::test]
async fn what_refusals_tell() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let good = wire.signed(wire.request("GET", "k"))?;
    let right = signature(&good);
    let wrong = other_digit(&right);
    let answer = wire.send(altered(good, &right, &wrong))?;
    let spaced = |text: &str| -> String {
        let pairs: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        pairs.join(" ")
    };
    let element = |name: &str| answer.element(name).unwrap_or_default();
    assert_eq!(element("AWSAccessKeyId"), wire.signer.access_key_id);
    assert_eq!(element("SignatureProvided"), wrong);
    assert!(element("StringToSign").starts_with("AWS4-HMAC-SHA256\n"));
    assert_eq!(
        element("StringToSignBytes"),
        spaced(&element("StringToSign"))
    );
    assert!(element("CanonicalRequest").starts_with(&format!("GET\n/{BUCKET}/k\n\nhost:")));
    assert_eq!(
        element("CanonicalRequestBytes"),
        spaced(&element("CanonicalRequest"))
    );
    assert!(!answer.text().contains(&right));
    assert!(!answer.text().contains(&wire.signer.secret_access_key));

    // What comes from the client comes back as text.
    let odd = wire
        .request("GET", "%3Cscript%3E")
        .header("x-amz-meta-a", "<b>&");
    let odd = wire.signed(odd)?;
    let right = signature(&odd);
    let answer = wire.send(altered(odd, &right, &other_digit(&right)))?;
    assert!(!answer.text().contains("<script>") && !answer.text().contains("<b>"));

    let foreign = wire.request("GET", "k").header("authorization", "Digest x");
    let answer = wire.send(foreign)?;
    assert_eq!(refusal(&answer), refused(400, "InvalidArgument"));
    assert_eq!(
        answer.element("ArgumentName").as_deref(),
        Some("Authorization")
    );
    assert_eq!(answer.element("ArgumentValue").as_deref(), Some("Digest"));
    let hash = wire
        .request("GET", "k")
        .header("x-amz-content-sha256", "nonsense");
    let answer = wire.send(super::by_hand::sign_as_given(
        &wire.signer,
        hash,
        SystemTime::now(),
    ))?;
    assert_eq!(refusal(&answer), refused(400, "InvalidArgument"));
    assert_eq!(
        answer.element("ArgumentName").as_deref(),
        Some("x-amz-content-sha256")
    );
    assert_eq!(answer.element("ArgumentValue").as_deref(), Some("nonsense"));
    Ok(())
}
