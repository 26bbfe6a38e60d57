//! Expiry, numbers and sizes, and who may call.

use std::time::{Duration, SystemTime};

use bucketry_contract::v1::object_service_client::ObjectServiceClient;
use bucketry_contract::v1::{
    CreatePresignedUrlsRequest, CreateTokenRequest, Permission, PresignedUrl, PresignedUrlSpec,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients, channel};
use prost_types::Timestamp;

use super::{BUCKET, Store, get, on_both_engines, presigned, presigned_in, refusal};

on_both_engines! {
    urls_do_not_outlast_their_key,
    a_thousand_urls_are_made_in_one_call,
    strangers_get_no_urls,
}

fn lasting(seconds: i64) -> PresignedUrlSpec {
    PresignedUrlSpec {
        lifetime: Some(prost_types::Duration { seconds, nanos: 0 }),
        ..get("k")
    }
}

/// The parameter `X-Amz-Expires` of a URL.
fn expires(made: &PresignedUrl) -> i64 {
    let (_, rest) = made.url.split_once("X-Amz-Expires=").expect("an expiry");
    let digits = rest.split('&').next().unwrap_or_default();
    digits.parse().expect("a number")
}

fn expire_time(made: &PresignedUrl) -> Timestamp {
    made.expire_time.expect("an expiry")
}

async fn urls_do_not_outlast_their_key(store: &mut Store) -> Result<(), HarnessError> {
    store.store("k", b"content").await?;
    let begin = Timestamp::from(SystemTime::now()).seconds;
    for (spec, seconds) in [
        (get("k"), 900),
        (lasting(1), 1),
        (lasting(604_800), 604_800),
    ] {
        let made = presigned(&mut store.root, spec).await?;
        assert_eq!(expires(&made), seconds);
        let lasts = expire_time(&made).seconds - begin;
        assert!((seconds..seconds + 60).contains(&lasts), "{lasts}");
    }
    let end = Timestamp::from(SystemTime::now() + Duration::from_secs(3600));
    let request = CreateTokenRequest {
        bucket: BUCKET.to_owned(),
        name: "for an hour".to_owned(),
        permission: Permission::ReadOnly.into(),
        expire_time: Some(end),
        ..Default::default()
    };
    let token = store.root.tokens.create_token(request).await?.into_inner();
    let credentials = token.credentials.unwrap_or_default();
    let bearer = Bearer::token(&credentials)?;
    let mut clients = Clients::connect(&store.server, bearer).await?;
    let made = presigned(&mut clients, lasting(604_800)).await?;
    assert!((3500..=3600).contains(&expires(&made)), "{}", made.url);
    let shortened = expire_time(&made);
    assert!(
        (end.seconds - 1..=end.seconds).contains(&shortened.seconds),
        "{shortened:?}"
    );
    assert_eq!(store.get(&made)?.status, 200);
    Ok(())
}

async fn a_thousand_urls_are_made_in_one_call(store: &mut Store) -> Result<(), HarnessError> {
    let urls = |count: usize| -> Vec<_> { (0..count).map(|n| get(&format!("k{n}"))).collect() };
    let made = presigned_in(&mut store.root, BUCKET, urls(1000)).await?;
    assert_eq!(made.len(), 1000);
    assert!(made[999].url.contains("/k999?"), "{}", made[999].url);
    let refused = |field: &str| ("INVALID_ARGUMENT".to_owned(), field.to_owned());
    let many = presigned_in(&mut store.root, BUCKET, urls(1001)).await;
    assert_eq!(refusal(many), refused("urls"));
    let mut wrong = urls(5);
    wrong[3].part_number = 1;
    let wrong = presigned_in(&mut store.root, BUCKET, wrong).await;
    assert_eq!(refusal(wrong), refused("urls[3].part_number"));
    // More than an answer holds.
    let long = vec![get(&"é".repeat(512)); 1000];
    let answer = presigned_in(&mut store.root, BUCKET, long.clone()).await;
    assert_eq!(refusal(answer), refused("urls"));
    let made = presigned_in(&mut store.root, BUCKET, long[..500].to_vec()).await?;
    assert_eq!(made.len(), 500);
    Ok(())
}

async fn strangers_get_no_urls(store: &mut Store) -> Result<(), HarnessError> {
    let request = CreatePresignedUrlsRequest {
        bucket: BUCKET.to_owned(),
        urls: vec![get("k")],
    };
    let mut anonymous = ObjectServiceClient::new(channel(&store.server).await?);
    let answer = anonymous.create_presigned_urls(request).await;
    assert_eq!(refusal(answer).0, "CREDENTIALS_REQUIRED");
    store.root.create_bucket("another-bucket").await?;
    let (_, credentials) = store
        .root
        .create_token(BUCKET, Permission::ReadOnly)
        .await?;
    let bearer = Bearer::token(&credentials)?;
    let mut clients = Clients::connect(&store.server, bearer).await?;
    let mut seen = Vec::new();
    for bucket in ["another-bucket", "there-is-no-such"] {
        let answer = presigned_in(&mut clients, bucket, vec![get("k")]).await;
        let status = answer.expect_err("a refusal");
        seen.push((
            status.code(),
            status.message().to_owned(),
            status.details().to_vec(),
        ));
    }
    assert_eq!(seen[0], seen[1]);
    let answer = presigned_in(&mut store.root, "there-is-no-such", vec![get("k")]).await;
    assert_eq!(refusal(answer).0, "NO_SUCH_BUCKET");
    Ok(())
}
