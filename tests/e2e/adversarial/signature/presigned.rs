//! Presigned URLs, of signature versions 4 and 2.

use std::time::{Duration, SystemTime};

use bucketry_contract::v1::{Permission, RevokeTokenRequest};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::Request;
use bucketry_tests::server::ServerOptions;

use super::{HOUR, altered, assert_not_stored, presigned};
use crate::adversarial::by_hand::{forbid_loopback, presign_v2, with_expires};
use crate::wire::{BUCKET, Wire, refusal, refused, signer, with_body};

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
    forbid_loopback(&mut root, &token).await?;
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
