//! URLs are judged when they are made, and again when they are used.

use bucketry_contract::v1::{
    CreateSessionRequest, CreateTokenRequest, Credentials, DecisionReason,
    ListTokenAuditEventsRequest, ListTokenDenialsRequest, Permission, PresignedMethod,
    PresignedUrlSpec, RevokeTokenRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::server::ROOT_ACCESS_KEY_ID;

use super::{BUCKET, Store, get, on_both_engines, presigned, presigned_in, put, refusal, spec};
use crate::wire;

on_both_engines! {
    a_token_makes_urls_for_what_it_may_do,
    a_session_makes_urls_of_its_key,
    a_revoked_token_ends_its_urls,
    what_administrators_make_is_in_the_audit,
}

fn denied() -> (String, String) {
    ("ACCESS_DENIED".to_owned(), String::new())
}

async fn connect(store: &Store, credentials: &Credentials) -> Result<Clients, HarnessError> {
    Clients::connect(&store.server, Bearer::token(credentials)?).await
}

async fn a_token_makes_urls_for_what_it_may_do(store: &mut Store) -> Result<(), HarnessError> {
    store.store("k", b"content").await?;
    let part = PresignedUrlSpec {
        upload_id: "0".repeat(32),
        part_number: 1,
        ..spec(PresignedMethod::UploadPart, "k")
    };
    for permission in [
        Permission::ReadOnly,
        Permission::WriteOnly,
        Permission::ReadWrite,
    ] {
        let (token, credentials) = store.root.create_token(BUCKET, permission).await?;
        let mut clients = connect(store, &credentials).await?;
        let reads = permission != Permission::WriteOnly;
        let writes = permission != Permission::ReadOnly;
        for (spec, method, may) in [
            (get("k"), "GET", reads),
            (spec(PresignedMethod::Head, "k"), "HEAD", reads),
            (put("k"), "PUT", writes),
            (part.clone(), "PUT", writes),
        ] {
            let shown = format!("{permission:?} {spec:?}");
            let made = presigned(&mut clients, spec.clone()).await;
            if !may {
                assert_eq!(refusal(made), denied(), "{shown}");
                // One entry that is denied denies the call.
                let urls = vec![if reads { get("k") } else { put("k") }, spec];
                let made = presigned_in(&mut clients, BUCKET, urls).await;
                assert_eq!(refusal(made), denied(), "{shown}");
                continue;
            }
            let answer = store.send(wire::with_body(store.request(method, &made?), b""))?;
            let expected = if spec.upload_id.is_empty() { 200 } else { 404 };
            assert_eq!(answer.status, expected, "{shown}: {}", answer.text());
        }
        let request = ListTokenDenialsRequest {
            bucket: BUCKET.to_owned(),
            token_id: token.token_id,
        };
        let denials = store.root.tokens.list_token_denials(request).await?;
        for denial in denials.into_inner().denials {
            assert_eq!(denial.reason(), DecisionReason::Permission);
            assert_eq!(
                (denial.operation.as_str(), denial.key.as_str()),
                ("CreatePresignedUrls", "k")
            );
        }
    }
    Ok(())
}

async fn a_session_makes_urls_of_its_key(store: &mut Store) -> Result<(), HarnessError> {
    store.store("k", b"content").await?;
    let (_, credentials) = store
        .root
        .create_token(BUCKET, Permission::ReadOnly)
        .await?;
    let mut clients = connect(store, &credentials).await?;
    let session = clients
        .tokens
        .create_session(CreateSessionRequest {})
        .await?;
    let bearer = Bearer::session(&session.into_inner().session_token)?;
    let mut clients = Clients::connect(&store.server, bearer).await?;
    let made = presigned(&mut clients, get("k")).await?;
    assert!(
        made.url.contains(&credentials.access_key_id),
        "{}",
        made.url
    );
    assert_eq!(store.get(&made)?.body, b"content");
    assert_eq!(refusal(presigned(&mut clients, put("k")).await), denied());
    Ok(())
}

async fn a_revoked_token_ends_its_urls(store: &mut Store) -> Result<(), HarnessError> {
    store.store("k", b"content").await?;
    let (token, credentials) = store
        .root
        .create_token(BUCKET, Permission::ReadWrite)
        .await?;
    let mut clients = connect(store, &credentials).await?;
    let made = presigned_in(&mut clients, BUCKET, vec![get("k"), put("k")]).await?;
    assert_eq!(store.get(&made[0])?.status, 200);
    let request = RevokeTokenRequest {
        bucket: BUCKET.to_owned(),
        token_id: token.token_id,
    };
    store.root.tokens.revoke_token(request).await?;
    let ended = wire::refused(403, "InvalidAccessKeyId");
    assert_eq!(wire::refusal(&store.get(&made[0])?), ended);
    assert_eq!(wire::refusal(&store.put(&made[1], b"other")?), ended);
    let (reason, _) = refusal(presigned(&mut clients, get("k")).await);
    assert_eq!(reason, "INVALID_ACCESS_KEY_ID");
    Ok(())
}

async fn what_administrators_make_is_in_the_audit(store: &mut Store) -> Result<(), HarnessError> {
    let request = CreateTokenRequest {
        bucket: BUCKET.to_owned(),
        name: "reader".to_owned(),
        permission: Permission::ReadOnly.into(),
        ..Default::default()
    };
    let made = store.root.tokens.create_token(request).await?.into_inner();
    let credentials = made
        .credentials
        .ok_or(HarnessError::Incomplete("credentials"))?;
    let mut clients = connect(store, &credentials).await?;
    presigned_in(&mut clients, BUCKET, vec![get("a"), get("b")]).await?;
    let urls = vec![put("b"), get("a"), put("c")];
    presigned_in(&mut store.root, BUCKET, urls).await?;
    presigned_in(&mut store.root, BUCKET, Vec::new()).await?;
    let request = ListTokenAuditEventsRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    };
    let events = store.root.tokens.list_token_audit_events(request).await?;
    let mut events = events.into_inner().events;
    events.retain(|event| event.action == "object.presign");
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].actor, ROOT_ACCESS_KEY_ID);
    let details: serde_json::Value = serde_json::from_str(&events[0].details).expect("JSON");
    let expected = serde_json::json!({
        "count": 3,
        "operations": ["GetObject", "PutObject"],
        "first_key": "b",
    });
    assert_eq!(details, expected);
    // The token's call is one request of its usage.
    let token = made.token.ok_or(HarnessError::Incomplete("token"))?;
    let request = bucketry_contract::v1::GetTokenRequest {
        bucket: BUCKET.to_owned(),
        token_id: token.token_id,
    };
    let token = store
        .root
        .tokens
        .get_token(request)
        .await?
        .into_inner()
        .token;
    let token = token.ok_or(HarnessError::Incomplete("token"))?;
    assert_eq!(token.request_count, 1);
    let last = token.last_use.ok_or(HarnessError::Incomplete("last use"))?;
    assert_eq!(last.operation, "CreatePresignedUrls");
    Ok(())
}
