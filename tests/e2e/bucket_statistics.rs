//! Bucket statistics, as administrators see them.

use std::time::{Duration, Instant};

use bucketry_contract::v1::{
    Bucket, BucketStatistics, DeleteObjectRequest, GetBucketRequest, ListBucketsRequest,
    Permission, PutObjectSpec, PutSmallObjectRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::postgres::create_database;
use bucketry_tests::server::{Server, ServerOptions};
use prost_types::FieldMask;
use tonic::Code;

const BUCKET: &str = "counted";
const SOON: Duration = Duration::from_secs(20);

async fn put(clients: &mut Clients, key: &str, content: &'static [u8]) -> Result<(), HarnessError> {
    let spec = PutObjectSpec {
        bucket: BUCKET.to_owned(),
        key: key.to_owned(),
        ..Default::default()
    };
    let request = PutSmallObjectRequest {
        spec: Some(spec),
        data: content.into(),
    };
    clients.objects.put_small_object(request).await?;
    Ok(())
}

fn get() -> GetBucketRequest {
    GetBucketRequest {
        bucket: BUCKET.to_owned(),
        read_mask: Some(FieldMask {
            paths: vec!["statistics".to_owned()],
        }),
    }
}

async fn listed(clients: &mut Clients) -> Result<Bucket, HarnessError> {
    let list = ListBucketsRequest::default();
    let answer = clients.objects.list_buckets(list).await?.into_inner();
    let bucket = answer
        .buckets
        .into_iter()
        .find(|bucket| bucket.name == BUCKET);
    bucket.ok_or(HarnessError::Incomplete("the bucket"))
}

/// On PostgreSQL the statistics are at most about a second behind the commits.
async fn becomes(
    clients: &mut Clients,
    object_count: i64,
    size_bytes: i64,
) -> Result<(), HarnessError> {
    let expected = BucketStatistics {
        object_count,
        size_bytes,
    };
    let deadline = Instant::now() + SOON;
    loop {
        let answer = clients.objects.get_bucket(get()).await?.into_inner();
        let found = answer.bucket.and_then(|bucket| bucket.statistics);
        if found == Some(expected) {
            assert_eq!(listed(clients).await?.statistics, found);
            return Ok(());
        }
        assert!(Instant::now() < deadline, "{found:?} is not {expected:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn are_counted(options: ServerOptions) -> Result<(), HarnessError> {
    let mut server = Server::start(options)?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    becomes(&mut root, 0, 0).await?;
    put(&mut root, "a", b"one").await?;
    put(&mut root, "a", b"three").await?;
    put(&mut root, "b", b"x").await?;
    becomes(&mut root, 2, 6).await?;
    server.kill9()?;
    server.restart()?;
    let mut root = Clients::root(&server).await?;
    let delete = DeleteObjectRequest {
        bucket: BUCKET.to_owned(),
        key: "a".to_owned(),
        ..Default::default()
    };
    root.objects.delete_object(delete).await?;
    becomes(&mut root, 1, 1).await?;

    let (_, credentials) = root.create_token(BUCKET, Permission::ReadWrite).await?;
    let mut token = Clients::connect(&server, Bearer::token(&credentials)?).await?;
    let refused = token.objects.get_bucket(get()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert_eq!(listed(&mut token).await?.statistics, None);
    Ok(())
}

#[tokio::test]
async fn are_counted_on_sqlite() -> Result<(), HarnessError> {
    are_counted(ServerOptions::new()).await
}

#[tokio::test]
async fn are_counted_on_postgres() -> Result<(), HarnessError> {
    let database = create_database().await?;
    are_counted(ServerOptions::new().database_url(&database)).await
}
