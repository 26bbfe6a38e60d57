//! The public services by gRPC, and the server's life.

use bucketry_contract::v1::{
    GetObjectRequest, GetSmallObjectRequest, Permission, PutObjectSpec, PutSmallObjectRequest,
    RevokeTokenRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::{Request, exchange};
use bucketry_tests::server::{Server, ServerOptions};
use bucketry_tests::sigv4::{Payload, Signer};
use bytes::Bytes;
use std::time::SystemTime;
use tonic::Code;
use tonic_types::StatusExt;

const BUCKET: &str = "grpc-test-bucket";

fn put(key: &str, data: &'static [u8]) -> PutSmallObjectRequest {
    PutSmallObjectRequest {
        spec: Some(PutObjectSpec {
            bucket: BUCKET.to_owned(),
            key: key.to_owned(),
            ..Default::default()
        }),
        data: Bytes::from_static(data),
    }
}

fn get(key: &str) -> GetSmallObjectRequest {
    GetSmallObjectRequest {
        object: Some(GetObjectRequest {
            bucket: BUCKET.to_owned(),
            key: key.to_owned(),
            ..Default::default()
        }),
    }
}

fn reason(status: &tonic::Status) -> String {
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}

#[tokio::test]
async fn what_was_answered_survives_kill9_and_restart() -> Result<(), HarnessError> {
    let mut server = Server::start(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    let (_, credentials) = root.create_token(BUCKET, Permission::ReadWrite).await?;
    let mut token = Clients::connect(&server, Bearer::token(&credentials)?).await?;
    token
        .objects
        .put_small_object(put("kept", b"content"))
        .await?;

    server.kill9()?;
    server.restart()?;

    let mut token = Clients::connect(&server, Bearer::token(&credentials)?).await?;
    let read = token
        .objects
        .get_small_object(get("kept"))
        .await?
        .into_inner();
    assert_eq!(read.data.as_ref(), b"content");
    Ok(())
}

#[tokio::test]
async fn an_object_put_by_grpc_is_read_by_s3() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    let (_, credentials) = root.create_token(BUCKET, Permission::ReadWrite).await?;
    root.objects
        .put_small_object(put("shared", b"one store"))
        .await?;

    let request = Request::new("GET", &format!("/{BUCKET}/shared"))
        .header("host", &server.address().to_string());
    let signed = Signer::new(&credentials.access_key_id, &credentials.secret_access_key).header(
        request,
        SystemTime::now(),
        Payload::Signed,
    )?;
    let response = exchange(server.address(), signed)?;
    assert_eq!(
        (response.status, response.text().as_str()),
        (200, "one store")
    );
    Ok(())
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    let (made, credentials) = root.create_token(BUCKET, Permission::ReadWrite).await?;
    let mut token = Clients::connect(&server, Bearer::token(&credentials)?).await?;
    token.objects.put_small_object(put("before", b"1")).await?;

    root.tokens
        .revoke_token(RevokeTokenRequest {
            bucket: BUCKET.to_owned(),
            token_id: made.token_id,
        })
        .await?;

    let refused = token
        .objects
        .put_small_object(put("after", b"2"))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert_eq!(reason(&refused), "INVALID_ACCESS_KEY_ID");
    Ok(())
}

#[tokio::test]
async fn a_missing_object_is_told_by_reason() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    let missing = root
        .objects
        .get_small_object(get("missing"))
        .await
        .unwrap_err();
    assert_eq!(
        (missing.code(), reason(&missing).as_str()),
        (Code::NotFound, "NO_SUCH_KEY")
    );
    Ok(())
}
