//! Forms whose policy is signed with version 2: the same rules, and `--signature-v2`.

use std::time::{Duration, SystemTime};

use bucketry_contract::v1::{Permission, RevokeTokenRequest};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::Request;
use bucketry_tests::server::ServerOptions;
use serde_json::json;

use super::form::{self, Form};
use super::{assert_not_stored, message};
use crate::wire::{BUCKET, Wire, refusal, refused, signer};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn good(key: &str) -> Form {
    Form::new(key).file("x", b"content")
}

fn assert_refused(
    wire: &Wire,
    request: Request,
    (status, code): (u16, &str),
    words: &str,
) -> Result<(), HarnessError> {
    let answer = wire.send(request)?;
    assert_eq!(refusal(&answer), refused(status, code), "{words}");
    assert!(message(&answer).contains(words), "{}", answer.text());
    assert_not_stored(wire, "k")
}

#[tokio::test]
async fn a_file_with_what_the_form_says_of_it() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let form = Form::new("u/${filename}")
        .open("key", "u/")
        .field("Content-Type", "text/plain")
        .field("x-amz-meta-colour", "blue")
        .field("acl", "private")
        .condition(json!(["content-length-range", 1, 10]))
        .file("a.txt", b"123456789");
    let posted = wire.send(form.signed_v2(&wire.signer))?;
    assert_eq!((posted.status, posted.text().as_str()), (204, ""));
    let got = wire.get("u/a.txt")?;
    assert_eq!((got.status, got.text().as_str()), (200, "123456789"));
    assert_eq!(got.find("content-type"), Some("text/plain"));
    assert_eq!(got.find("x-amz-meta-colour"), Some("blue"));
    Ok(())
}

#[tokio::test]
async fn the_policy_is_judged_as_of_version_4() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let denied = (403, "AccessDenied");
    for (form, words) in [
        (good("k").open("key", "u/"), "Policy Condition failed"),
        (
            good("k").loose("x-amz-meta-a", "1"),
            "Extra input fields: x-amz-meta-a",
        ),
        (
            good("k").loose("x-amz-date", "20300101T000000Z"),
            "Extra input fields: x-amz-date",
        ),
        (
            good("k").expires_at(SystemTime::now() - DAY),
            "Policy expired",
        ),
        (
            good("k").expires_at(SystemTime::now() + 8 * DAY),
            "within seven days",
        ),
    ] {
        assert_refused(&wire, form.signed_v2(&wire.signer), denied, words)?;
    }
    let short = good("k").condition(json!(["content-length-range", 1, 3]));
    let short = short.signed_v2(&wire.signer);
    assert_refused(&wire, short, (400, "EntityTooLarge"), "maximum")?;
    let broken = good("k").policy("{}").signed_v2(&wire.signer);
    assert_refused(&wire, broken, (400, "InvalidPolicyDocument"), "expiration")?;
    let long = good("k").expires_at(SystemTime::now() + 6 * DAY);
    assert_eq!(wire.send(long.signed_v2(&wire.signer))?.status, 204);
    Ok(())
}

#[tokio::test]
async fn signatures_and_keys() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mismatch = (403, "SignatureDoesNotMatch");
    let mut stranger = wire.signer.clone();
    stranger.secret_access_key.push('x');
    let answer = wire.send(good("k").signed_v2(&stranger))?;
    assert_eq!(refusal(&answer), refused(403, "SignatureDoesNotMatch"));
    assert!(answer.element("StringToSign").is_some());
    for odd in ["", "no base64!", "AAAA"] {
        let request = good("k").signed_v2_but(&wire.signer, "signature", Some(odd));
        assert_refused(&wire, request, mismatch, "signature we calculated")?;
    }
    // Another policy than the one that was signed.
    let request = good("k").signed_v2_but(&wire.signer, "policy", Some("e30="));
    assert_refused(&wire, request, mismatch, "signature we calculated")?;
    let mut unknown = wire.signer.clone();
    for id in ["BKTYUNKNOWN123456789", "no id", ""] {
        unknown.access_key_id = id.to_owned();
        let request = good("k").signed_v2(&unknown);
        assert_refused(&wire, request, (403, "InvalidAccessKeyId"), "")?;
    }
    for name in ["AWSAccessKeyId", "policy", "signature"] {
        let request = good("k").signed_v2_but(&wire.signer, name, None);
        assert_refused(&wire, request, (400, "InvalidArgument"), name)?;
    }
    let both = good("k").loose("x-amz-signature", "00");
    let both = both.signed_v2(&wire.signer);
    assert_refused(&wire, both, (400, "InvalidArgument"), "Only one auth")?;
    let header = good("k").signed_v2(&wire.signer);
    let header = header.header("x-amz-acl", "private");
    assert_refused(&wire, header, (403, "AccessDenied"), "not signed")
}

#[tokio::test]
async fn permissions_addresses_and_revocation() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    let denied = (403, "AccessDenied");
    let (_, write_only) = root.create_token(BUCKET, Permission::WriteOnly).await?;
    let request = good("wo").signed_v2(&signer(&write_only));
    assert_eq!(wire.send(request)?.status, 204);
    let (_, read_only) = root.create_token(BUCKET, Permission::ReadOnly).await?;
    let request = good("k").signed_v2(&signer(&read_only));
    assert_refused(&wire, request, denied, "")?;
    let (token, limited) = root.create_token(BUCKET, Permission::ReadWrite).await?;
    form::forbid_loopback(&mut root, &token).await?;
    assert_refused(&wire, good("k").signed_v2(&signer(&limited)), denied, "")?;
    let (token, revoked) = root.create_token(BUCKET, Permission::ReadWrite).await?;
    let revoke = RevokeTokenRequest {
        bucket: BUCKET.to_owned(),
        token_id: token.token_id,
    };
    root.tokens.revoke_token(revoke).await?;
    let by_version_4 = wire.send(good("k").signed(&signer(&revoked)))?;
    let request = good("k").signed_v2(&signer(&revoked));
    let expected = refusal(&by_version_4);
    assert_refused(&wire, request, (expected.0, &expected.1), "")
}

#[tokio::test]
async fn they_are_turned_off_with_version_2() -> Result<(), HarnessError> {
    let options = ServerOptions::new()
        .argument("--signature-v2")
        .argument("off");
    let wire = Wire::with(options).await?;
    let request = good("k").signed_v2(&wire.signer);
    let words = "Please use AWS4-HMAC-SHA256.";
    assert_refused(&wire, request, (400, "InvalidRequest"), words)?;
    assert_eq!(wire.send(good("k").signed(&wire.signer))?.status, 204);
    Ok(())
}
