//! Signatures that are wrong: altered, malformed, of another key, scope, time or algorithm.

use std::time::SystemTime;

use bucketry_contract::v1::Permission;
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::Request;
use bucketry_tests::sigv4::{Chunked, Payload, Signer};
use bytes::Bytes;

use super::{HOUR, altered, assert_not_stored, other_digit, presigned, signature};
use crate::adversarial::by_hand::sign_as_given;
use crate::wire::{BUCKET, Wire, refusal, refused, with_body};

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
    let body = sign_as_given(&wire.signer, body, SystemTime::now());
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
async fn errors_show_what_was_signed_and_never_the_signature() -> Result<(), HarnessError> {
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
    let answer = wire.send(sign_as_given(&wire.signer, hash, SystemTime::now()))?;
    assert_eq!(refusal(&answer), refused(400, "InvalidArgument"));
    assert_eq!(
        answer.element("ArgumentName").as_deref(),
        Some("x-amz-content-sha256")
    );
    assert_eq!(answer.element("ArgumentValue").as_deref(), Some("nonsense"));
    Ok(())
}
