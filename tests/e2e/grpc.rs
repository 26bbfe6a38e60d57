//! The public services by gRPC, and the server's life.

use bucketry_contract::v1::{
    GetObjectRequest, GetSmallObjectRequest, ListObjectsRequest, ObjectChunk, Permission,
    PutObjectRequest, PutObjectSpec, PutSmallObjectRequest, RevokeTokenRequest, put_object_request,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients, call, channel};
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

#[tokio::test]
async fn a_service_that_does_not_exist_is_unimplemented() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let channel = channel(&server).await?;
    for path in [
        "/bucketry.v1.NoSuchService/Call",
        "/bucketry.v1.ObjectService/NoSuchMethod",
        "/no-such-bucket/no-such-key",
    ] {
        let refused = call(channel.clone(), None, path, Bytes::new()).await;
        let code = refused.map_err(|status| status.code()).map(drop);
        assert_eq!(code, Err(Code::Unimplemented), "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn a_page_size_of_0_is_the_default() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    for key in ["a", "b"] {
        root.objects.put_small_object(put(key, b"content")).await?;
    }
    let objects = root.objects.clone();
    let list = |page_size, validate_only| {
        let request = ListObjectsRequest {
            bucket: BUCKET.to_owned(),
            page_size,
            validate_only,
            ..Default::default()
        };
        let mut objects = objects.clone();
        async move { objects.list_objects(request).await }
    };
    for (page_size, listed) in [(None, 2), (Some(0), 2), (Some(1), 1)] {
        let page = list(page_size, false).await?.into_inner();
        assert_eq!(page.objects.len(), listed, "{page_size:?}");
    }
    let page = list(None, true).await?.into_inner();
    assert_eq!((page.objects.len(), page.next_page_token.as_str()), (0, ""));
    Ok(())
}

/// An upload whose client goes away is neither logged nor counted as the server's fault.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_in_the_middle_has_cancelled() -> Result<(), HarnessError> {
    let options =
        ServerOptions::new().environment("BUCKETRY_LOG_LEVEL", "info,bucketry::request=debug");
    let mut server = Server::start(options)?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    let (messages, receiver) = tokio::sync::mpsc::channel(1);
    let call = tokio::spawn(async move {
        let stream = tokio_stream::wrappers::ReceiverStream::new(receiver);
        root.objects.put_object(stream).await
    });
    let spec = PutObjectSpec {
        bucket: BUCKET.to_owned(),
        key: "left".to_owned(),
        ..Default::default()
    };
    let message = |message| PutObjectRequest {
        message: Some(message),
    };
    let gone = |_| HarnessError::Incomplete("upload");
    messages
        .send(message(put_object_request::Message::Spec(spec)))
        .await
        .map_err(gone)?;
    // More than all windows hold: when the last one is taken, the server has read most of them.
    const CHUNK: usize = 1024 * 1024;
    for number in 0..48_i64 {
        let chunk = ObjectChunk {
            offset: number * CHUNK as i64,
            data: Bytes::from_static(&[7; CHUNK]),
            crc32c: None,
        };
        messages
            .send(message(put_object_request::Message::Chunk(chunk)))
            .await
            .map_err(gone)?;
    }
    call.abort();
    let ended = call.await;
    assert!(ended.is_err_and(|error| error.is_cancelled()));
    server.stop()?;
    let events: Vec<serde_json::Value> = server
        .log()
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let upload = events
        .iter()
        .find(|event| event["operation"] == "PutObject");
    let upload = upload.ok_or(HarnessError::Incomplete("log of the upload"))?;
    let outcome = upload["outcome"].as_str().unwrap_or_default();
    assert_eq!(outcome.to_ascii_uppercase(), "CANCELLED", "{upload}");
    let loud = events
        .iter()
        .find(|event| event["level"] == "WARN" || event["level"] == "ERROR");
    assert!(loud.is_none(), "{loud:?}");
    Ok(())
}
