//! Tokens of deleted buckets, and purging.

use bucketry_contract::v1::{
    CreateAccountRequest, CreateSessionRequest, Credentials, DeleteBucketRequest, GetTokenRequest,
    ListBucketsRequest, ListTokenAuditEventsRequest, ListTokensRequest, Permission,
    SuspendTokenRequest, TokenState,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::Request;

use super::{BUCKET, Scene, on_both_engines, reason};

on_both_engines! {
    tokens_of_a_deleted_bucket_are_reached_by_their_ids,
    only_unusable_tokens_are_purged,
}

async fn tokens_of_a_deleted_bucket_are_reached_by_their_ids(
    scene: &mut Scene,
) -> Result<(), HarnessError> {
    let (orphan, credentials) = scene.token(Permission::ReadWrite).await?;
    let id = orphan.token_id.clone();
    assert!(scene.list("").await?.is_empty());
    // By its id alone a token is found as long as its bucket is there, too.
    assert_eq!(scene.get("", &id).await?.bucket, BUCKET);
    let delete = DeleteBucketRequest {
        bucket: BUCKET.to_owned(),
    };
    scene.root.objects.delete_bucket(delete).await?;
    let gone = scene.get(BUCKET, &id).await;
    assert_eq!(reason(gone), "ERROR_REASON_NO_SUCH_BUCKET");
    scene.root.create_bucket(BUCKET).await?;
    // The new bucket has nothing of the old one's.
    assert!(scene.list(BUCKET).await?.is_empty());
    assert!(
        scene
            .audit(BUCKET, "")
            .await?
            .iter()
            .all(|event| event.token_id != id)
    );
    let foreign = scene.get(BUCKET, &id).await;
    assert_eq!(reason(foreign), "ERROR_REASON_NO_SUCH_TOKEN");
    let purge = scene.purge(BUCKET, &id).await;
    assert_eq!(reason(purge), "ERROR_REASON_NO_SUCH_TOKEN");
    assert_eq!(scene.head_bucket(&credentials)?, 403);
    orphans_reach_nothing(scene, &credentials).await?;

    let shown = scene.get("", &orphan.access_key_id).await?;
    assert_eq!(
        (shown.state(), shown.bucket.as_str()),
        (TokenState::Orphaned, BUCKET)
    );
    let listed = scene.list("").await?;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].token_id, id);

    strangers_learn_nothing(scene, &id, &credentials).await?;

    scene.purge("", &id).await?;
    assert!(scene.list("").await?.is_empty());
    let again = scene.purge("", &id).await;
    assert_eq!(reason(again), "ERROR_REASON_NO_SUCH_TOKEN");
    // What was done stays, and is found by the token's id.
    let actions: Vec<String> = scene
        .audit("", &id)
        .await?
        .into_iter()
        .map(|event| event.action)
        .collect();
    assert_eq!(actions, ["token.purge", "token.create"]);
    Ok(())
}

/// A token whose bucket is deleted is refused even where no bucket is named.
async fn orphans_reach_nothing(
    scene: &Scene,
    credentials: &Credentials,
) -> Result<(), HarnessError> {
    let buckets = scene.s3(credentials, Request::new("GET", "/"))?;
    assert_eq!(buckets.status, 403, "{}", buckets.text());
    let mut own = Clients::connect(&scene.server, Bearer::token(credentials)?).await?;
    let session = own.tokens.create_session(CreateSessionRequest {}).await;
    assert_eq!(reason(session), "ERROR_REASON_ACCESS_DENIED");
    let buckets = own.objects.list_buckets(ListBucketsRequest::default());
    assert_eq!(reason(buckets.await), "ERROR_REASON_ACCESS_DENIED");
    Ok(())
}

/// Neither another account's administrator nor a token, its own included.
async fn strangers_learn_nothing(
    scene: &mut Scene,
    id: &str,
    credentials: &Credentials,
) -> Result<(), HarnessError> {
    let request = CreateAccountRequest {
        display_name: "stranger".to_owned(),
    };
    let made = scene.root.admin.create_account(request).await?.into_inner();
    let stranger = Bearer::key(&made.access_key_id, &made.secret_access_key)?;
    let mut stranger = Clients::connect(&scene.server, stranger).await?;
    let get = |id: &str| GetTokenRequest {
        bucket: String::new(),
        token_id: id.to_owned(),
    };
    let there = stranger.tokens.get_token(get(id)).await;
    let missing = stranger.tokens.get_token(get("999999999")).await;
    assert_eq!(reason(there), "ERROR_REASON_NO_SUCH_TOKEN");
    assert_eq!(reason(missing), "ERROR_REASON_NO_SUCH_TOKEN");
    let all = stranger.tokens.list_tokens(ListTokensRequest::default());
    assert!(all.await?.into_inner().tokens.is_empty());
    let events = ListTokenAuditEventsRequest {
        token_id: id.to_owned(),
        ..Default::default()
    };
    let events = stranger.tokens.list_token_audit_events(events).await?;
    assert!(events.into_inner().events.is_empty());

    let mut token = Clients::connect(&scene.server, Bearer::token(credentials)?).await?;
    let (there, missing) = (
        token.tokens.get_token(get(id)).await,
        token.tokens.get_token(get("999999999")).await,
    );
    assert_eq!(reason(there), "ERROR_REASON_ACCESS_DENIED");
    assert_eq!(reason(missing), "ERROR_REASON_ACCESS_DENIED");
    let all = token.tokens.list_tokens(ListTokensRequest::default()).await;
    assert_eq!(reason(all), "ERROR_REASON_ACCESS_DENIED");
    Ok(())
}

async fn only_unusable_tokens_are_purged(scene: &mut Scene) -> Result<(), HarnessError> {
    let (token, _) = scene.token(Permission::ReadOnly).await?;
    let id = token.token_id.as_str();
    let request = SuspendTokenRequest {
        bucket: BUCKET.to_owned(),
        token_id: id.to_owned(),
    };
    assert_eq!(
        reason(scene.purge(BUCKET, id).await),
        "ERROR_REASON_TOKEN_USABLE"
    );
    // It could be resumed.
    scene.root.tokens.suspend_token(request).await?;
    assert_eq!(
        reason(scene.purge(BUCKET, id).await),
        "ERROR_REASON_TOKEN_USABLE"
    );
    scene.revoke(id).await?;
    // Listed until it is purged.
    assert_eq!(scene.list(BUCKET).await?.len(), 1);
    scene.purge(BUCKET, id).await?;
    assert!(scene.list(BUCKET).await?.is_empty());
    let gone = scene.get(BUCKET, id).await;
    assert_eq!(reason(gone), "ERROR_REASON_NO_SUCH_TOKEN");
    let events = scene.audit(BUCKET, id).await?;
    let actions: Vec<&str> = events.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "token.purge",
            "token.revoke",
            "token.suspend",
            "token.create"
        ]
    );
    let details: serde_json::Value = serde_json::from_str(&events[0].details).unwrap();
    assert_eq!(details["access_key_id"], token.access_key_id);
    Ok(())
}
