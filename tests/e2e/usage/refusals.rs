//! Recorded refusals of a token: the operation, the rule and the circumstances.

use std::collections::BTreeMap;

use bucketry_contract::v1::{
    CreateTokenRequest, DecisionReason, HeadObjectRequest, Permission, RequestClass,
    ResumeTokenRequest, RevokeTokenRequest, SuspendTokenRequest, Token,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::{Connection, exchange};

use super::{AGENT, BUCKET, Scene, counts, reason, refusals};

#[tokio::test]
async fn refusals_are_recorded_with_their_rule_and_circumstances() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadOnly).await?;
    let own = |scene: &Scene, method, path| scene.expect(403, method, path, b"");
    let refused = own(&scene, "PUT", "/a/b")?;
    assert_eq!(refused.element("Code").as_deref(), Some("AccessDenied"));
    assert!(!refused.text().contains("permission"), "{}", refused.text());
    let request_id = refused.find("x-amz-request-id").unwrap().to_owned();
    own(&scene, "GET", "//another-bucket/k")?;
    let wrong = scene.signed_by("not-the-secret-of-this-key", "GET", "/secret", b"")?;
    let wrong = exchange(scene.server.address(), wrong)?;
    assert_eq!(
        wrong.element("Code").as_deref(),
        Some("SignatureDoesNotMatch")
    );
    let mut clients = scene.clients().await?;
    let admin = CreateTokenRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    };
    clients.tokens.create_token(admin).await.unwrap_err();
    let list = |scene: &Scene| scene.expect(403, "GET", "?list-type=2", b"");
    let disallowed = Token {
        disallowed_ips: vec!["127.0.0.0/8".to_owned()],
        ..Token::default()
    };
    scene.edit("disallowed_ips", disallowed).await?;
    list(&scene)?;
    scene.edit("disallowed_ips", Token::default()).await?;
    let allowed = Token {
        allowed_ips: vec!["10.0.0.0/8".to_owned()],
        ..Token::default()
    };
    scene.edit("allowed_ips", allowed).await?;
    list(&scene)?;
    scene.edit("allowed_ips", Token::default()).await?;
    let (bucket, token_id) = (BUCKET.to_owned(), scene.token.token_id.clone());
    let suspend = SuspendTokenRequest {
        bucket: bucket.clone(),
        token_id: token_id.clone(),
    };
    scene.root.tokens.suspend_token(suspend).await?;
    list(&scene)?;
    let resume = ResumeTokenRequest {
        bucket: bucket.clone(),
        token_id: token_id.clone(),
    };
    scene.root.tokens.resume_token(resume).await?;
    scene.expect(200, "GET", "?list-type=2", b"")?;
    let revoke = RevokeTokenRequest { bucket, token_id };
    scene.root.tokens.revoke_token(revoke).await?;
    list(&scene)?;
    list(&scene)?;

    let usage = scene.usage().await?;
    let expected = BTreeMap::from([
        (DecisionReason::Signature, 1),
        (DecisionReason::Suspended, 1),
        (DecisionReason::Revoked, 2),
        (DecisionReason::AddressDisallowed, 1),
        (DecisionReason::AddressNotAllowed, 1),
        (DecisionReason::OtherBucket, 1),
        (DecisionReason::Permission, 1),
        (DecisionReason::AdministratorsOnly, 1),
    ]);
    assert_eq!(refusals(&usage), expected);
    assert_eq!(
        counts(&usage),
        BTreeMap::from([(RequestClass::List, (1, 0, 0))])
    );
    let denials = scene.denials().await?;
    let told: Vec<(&str, &str, &str, &str)> = (denials.iter().rev())
        .map(|denial| {
            let what = (denial.operation.as_str(), denial.bucket.as_str());
            (what.0, what.1, denial.key.as_str(), denial.rule.as_str())
        })
        .collect();
    let of_list = |rule| ("ListObjectsV2", BUCKET, "", rule);
    assert_eq!(
        told,
        [
            (
                "PutObject",
                BUCKET,
                "a/b",
                "permission: read-only lacks WRITE"
            ),
            (
                "GetObject",
                "another-bucket",
                "k",
                "bucket: not this key's own"
            ),
            (
                "GetObject",
                BUCKET,
                "secret",
                "signature: not made with this key's secret"
            ),
            (
                "CreateToken",
                BUCKET,
                "",
                "BUCKET_ADMIN: for administrators, not for tokens"
            ),
            of_list("disallowed_ips: 127.0.0.0/8"),
            of_list("allowed_ips: none holds the address"),
            of_list("state: suspended"),
            of_list("state: revoked"),
            of_list("state: revoked"),
        ]
    );
    assert!(
        denials
            .iter()
            .all(|denial| denial.client_address == "127.0.0.1")
    );
    let first = denials.last().unwrap();
    assert_eq!(
        (first.request_id.as_str(), first.user_agent.as_str()),
        (request_id.as_str(), AGENT)
    );
    assert_eq!(first.reason(), DecisionReason::Permission);
    Ok(())
}

#[tokio::test]
async fn strangers_do_not_push_out_other_refusals() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadOnly).await?;
    scene.expect(403, "PUT", "/k", b"")?;
    let wrong = scene.signed_by("a-guess", "GET", "/k", b"")?;
    for _ in 0..120 {
        assert_eq!(exchange(scene.server.address(), wrong.clone())?.status, 403);
    }
    // By gRPC a wrong secret is refused before the request is read.
    let bearer = Bearer::key(&scene.credentials.access_key_id, "a-guess")?;
    let mut strangers = Clients::connect(&scene.server, bearer).await?;
    let status = strangers
        .objects
        .head_object(HeadObjectRequest::default())
        .await;
    assert_eq!(
        reason(&status.unwrap_err()),
        "ERROR_REASON_SIGNATURE_DOES_NOT_MATCH"
    );
    let denials = scene.denials().await?;
    assert_eq!(denials.len(), 21);
    assert_eq!(denials[0].rule, "secret: not made with this key's secret");
    assert_eq!(
        (denials[0].operation.as_str(), denials[0].bucket.as_str()),
        ("HeadObject", "")
    );
    assert_eq!(denials[20].reason(), DecisionReason::Permission);
    let expected = BTreeMap::from([
        (DecisionReason::Signature, 121),
        (DecisionReason::Permission, 1),
    ]);
    assert_eq!(refusals(&scene.usage().await?), expected);
    Ok(())
}

#[tokio::test]
async fn a_transfer_that_is_ended_is_recorded_once() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadWrite).await?;
    let body = vec![b'x'; 2_000_000];
    let request = scene.signed("PUT", "/late", &body)?;
    let mut connection = Connection::open(scene.server.address())?;
    connection.send(&request.head())?;
    connection.send(&body[..1_000_000])?;
    let revoke = RevokeTokenRequest {
        bucket: BUCKET.to_owned(),
        token_id: scene.token.token_id.clone(),
    };
    // The token is revoked only after the request was admitted.
    while counts(&scene.usage().await?).is_empty() {}
    scene.root.tokens.revoke_token(revoke).await?;
    assert_eq!(connection.receive("PUT")?.status, 403);
    let usage = scene.usage().await?;
    assert_eq!(
        refusals(&usage),
        BTreeMap::from([(DecisionReason::Revoked, 1)])
    );
    let (requests, bytes_in, _) = counts(&usage)[&RequestClass::Write];
    assert_eq!(requests, 1);
    assert!(bytes_in <= 1_000_000, "{bytes_in}");
    let denial = &scene.denials().await?[0];
    assert_eq!(
        (
            denial.operation.as_str(),
            denial.key.as_str(),
            denial.user_agent.as_str()
        ),
        ("PutObject", "late", AGENT)
    );
    Ok(())
}

/// The copy was accepted, and its source was refused.
#[tokio::test]
async fn a_refused_copy_source_is_recorded() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadWrite).await?;
    let copy = scene.signed_with(
        &[("x-amz-copy-source", "/another-bucket/theirs")],
        ("PUT", "/copy", b""),
    )?;
    assert_eq!(exchange(scene.server.address(), copy)?.status, 403);
    let usage = scene.usage().await?;
    assert_eq!(
        counts(&usage),
        BTreeMap::from([(RequestClass::Write, (1, 0, 0))])
    );
    let expected = BTreeMap::from([(DecisionReason::OtherBucket, 1)]);
    assert_eq!(refusals(&usage), expected);
    let denial = &scene.denials().await?[0];
    assert_eq!(
        (
            denial.operation.as_str(),
            denial.bucket.as_str(),
            denial.key.as_str()
        ),
        ("CopyObject", "another-bucket", "theirs")
    );
    Ok(())
}

/// A request through an edge in another process is counted once, under the name and user agent that the edge saw.
#[tokio::test]
async fn a_bucket_of_another_owner_than_expected_was_not_used() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadWrite).await?;
    let owner = &"0".repeat(64);
    let get = ("GET", "/?list-type=2", &b""[..]);
    let guess = scene.signed_with(&[("x-amz-expected-bucket-owner", owner)], get)?;
    assert_eq!(exchange(scene.server.address(), guess)?.status, 403);
    assert_eq!(counts(&scene.usage().await?), BTreeMap::new());
    scene.expect(200, get.0, get.1, get.2)?;
    let listed = BTreeMap::from([(RequestClass::List, (1, 0, 0))]);
    assert_eq!(counts(&scene.usage().await?), listed);
    Ok(())
}
