//! The requests and bytes of a token are counted exactly.

use std::collections::BTreeMap;

use bucketry_contract::v1::{
    CopyObjectRequest, CopySource, CreateSessionRequest, DecisionReason, DeleteObjectRequest,
    DeleteObjectsRequest, GetSmallObjectRequest, GetTokenRequest, GetTokenUsageRequest,
    ListObjectsRequest, ListTokensRequest, ObjectIdentifier, Permission, PutSmallObjectRequest,
    RequestClass, SearchObjectsRequest, SuspendTokenRequest, Token,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::exchange;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{AGENT, BUCKET, Scene, counts, drain, get, reason, refusals, spec, stream};
use crate::separate_adapter::Adapter;

/// The S3 requests of the counted script. The comments say what each part adds.
fn script(scene: &Scene) -> Result<(), HarnessError> {
    let large = vec![b'x'; 100_000];
    // By S3: writes 4, bytes in 100,250.
    scene.expect(200, "PUT", "/large", &large)?;
    scene.expect(200, "PUT", "/small", &[b'x'; 250])?;
    scene.expect(200, "PUT", "/empty", b"")?;
    let tags = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
    scene.expect(200, "PUT", "/small?tagging", tags)?;
    // Reads 6, bytes out 100,250 + 100.
    scene.expect(200, "GET", "/large", b"")?;
    scene.expect(200, "GET", "/small", b"")?;
    scene.expect(200, "HEAD", "/large", b"")?;
    scene.expect(404, "GET", "/missing", b"")?;
    scene.expect(200, "GET", "/small?tagging", b"")?;
    let part = scene.signed("GET", "/large", b"")?;
    let part = part.header("range", "bytes=100-199");
    assert_eq!(exchange(scene.server.address(), part)?.body.len(), 100);
    // Lists 2, deletes 2, others 2.
    scene.expect(200, "GET", "?list-type=2", b"")?;
    scene.expect(200, "GET", "?uploads", b"")?;
    scene.expect(204, "DELETE", "/small?tagging", b"")?;
    scene.expect(204, "DELETE", "/empty", b"")?;
    scene.expect(200, "HEAD", "", b"")?;
    scene.expect(200, "GET", "//", b"")?;
    Ok(())
}

#[tokio::test]
async fn a_script_is_counted_exactly() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadWrite).await?;
    script(&scene)?;
    // An upload in parts: writes 3, bytes in 6,000, list 1.
    let begun = scene.expect(200, "POST", "/parts?uploads", b"")?;
    let upload = begun.element("UploadId").unwrap();
    let part = format!("/parts?partNumber=1&uploadId={upload}");
    scene.expect(200, "PUT", &part, &[b'x'; 6000])?;
    let upload = format!("/parts?uploadId={upload}");
    scene.expect(200, "GET", &upload, b"")?;
    scene.expect(204, "DELETE", &upload, b"")?;
    // By gRPC: writes 2, bytes in 500 + 30,000.
    let mut clients = scene.clients().await?;
    let small = PutSmallObjectRequest {
        spec: Some(spec("by-grpc")),
        data: Bytes::from(vec![b'x'; 500]),
    };
    clients.objects.put_small_object(small).await?;
    let put = stream("streamed", &[10_000, 20_000]);
    clients.objects.put_object(tokio_stream::iter(put)).await?;
    // Reads 2, bytes out 30,000 + 500.
    assert_eq!(drain(&mut clients, "streamed").await?, 30_000);
    let small = GetSmallObjectRequest {
        object: Some(get("by-grpc")),
    };
    clients.objects.get_small_object(small).await?;
    // A copy counts as one write and a deletion of several objects as one delete, regardless of their size.
    let copy = CopyObjectRequest {
        bucket: BUCKET.to_owned(),
        key: "copy".to_owned(),
        source: Some(CopySource {
            bucket: BUCKET.to_owned(),
            key: "streamed".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    clients.objects.copy_object(copy).await?;
    let deleted = ["a", "b", "c"].map(|key| ObjectIdentifier {
        key: key.to_owned(),
        ..Default::default()
    });
    let delete = DeleteObjectsRequest {
        bucket: BUCKET.to_owned(),
        objects: deleted.into(),
        allow_missing: true,
    };
    clients.objects.delete_objects(delete).await?;
    // Lists 2, deletes 1, others 1.
    let list = ListObjectsRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    };
    clients.objects.list_objects(list).await?;
    let search = SearchObjectsRequest {
        bucket: BUCKET.to_owned(),
        contains: "a".to_owned(),
        ..Default::default()
    };
    clients.objects.search_objects(search).await?;
    let delete = DeleteObjectRequest {
        bucket: BUCKET.to_owned(),
        key: "by-grpc".to_owned(),
        ..Default::default()
    };
    clients.objects.delete_object(delete).await?;
    clients
        .tokens
        .create_session(CreateSessionRequest {})
        .await?;

    let usage = scene.usage().await?;
    let expected = BTreeMap::from([
        (RequestClass::Read, (8, 0, 130_850)),
        (RequestClass::List, (5, 0, 0)),
        (RequestClass::Write, (10, 136_750, 0)),
        (RequestClass::Delete, (4, 0, 0)),
        (RequestClass::Other, (3, 0, 0)),
    ]);
    assert_eq!(counts(&usage), expected);
    assert_eq!(refusals(&usage), BTreeMap::new());
    let by_hour: i64 = (usage.hours.iter())
        .flat_map(|hour| &hour.counts)
        .map(|count| count.requests)
        .sum();
    assert_eq!(by_hour, 30);
    let last = usage.last_use.unwrap();
    assert_eq!(
        (last.operation.as_str(), last.client_address.as_str()),
        ("CreateSession", "127.0.0.1")
    );
    assert!(last.user_agent.starts_with("tonic/"), "{last:?}");
    Ok(())
}

#[tokio::test]
async fn the_latest_use_and_the_count_are_shown_with_the_token() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadWrite).await?;
    let token = async |scene: &mut Scene| {
        let request = GetTokenRequest {
            bucket: BUCKET.to_owned(),
            token_id: scene.token.token_id.clone(),
        };
        let got = scene.root.tokens.get_token(request).await?.into_inner();
        let request = ListTokensRequest {
            bucket: BUCKET.to_owned(),
            ..Default::default()
        };
        let listed = scene.root.tokens.list_tokens(request).await?.into_inner();
        assert_eq!(listed.tokens, [got.token.clone().unwrap()]);
        Ok::<_, HarnessError>(got.token.unwrap())
    };
    let unused = token(&mut scene).await?;
    assert_eq!((unused.last_use, unused.request_count), (None, 0));
    scene.expect(200, "PUT", "/k", b"content")?;
    scene.expect(200, "HEAD", "/k", b"")?;
    scene.expect(404, "GET", "/k2", b"")?;
    scene.expect(403, "GET", "//another-bucket/k", b"")?;
    let used = token(&mut scene).await?;
    assert_eq!(used.request_count, 3, "refused ones are not counted");
    let last = used.last_use.unwrap();
    assert_eq!(
        (
            last.operation.as_str(),
            last.client_address.as_str(),
            last.user_agent.as_str()
        ),
        ("GetObject", "127.0.0.1", AGENT)
    );
    // An edit shows the same.
    scene
        .edit(
            "name",
            Token {
                name: "renamed".to_owned(),
                ..Token::default()
            },
        )
        .await?;
    let suspend = SuspendTokenRequest {
        bucket: BUCKET.to_owned(),
        token_id: scene.token.token_id.clone(),
    };
    let suspended = scene.root.tokens.suspend_token(suspend).await?.into_inner();
    let shown = token(&mut scene).await?;
    assert_eq!(suspended.token, Some(shown));
    Ok(())
}

#[tokio::test]
async fn bytes_of_an_upload_that_breaks_off_are_counted() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::WriteOnly).await?;
    let mut clients = scene.clients().await?;
    let (messages, open) = mpsc::channel(4);
    let running = tokio::spawn(async move {
        let messages = ReceiverStream::new(open);
        clients.objects.put_object(messages).await
    });
    for message in stream("broken", &[10_000, 20_000]) {
        messages.send(message).await.unwrap();
    }
    let expected = BTreeMap::from([(RequestClass::Write, (1, 30_000, 0))]);
    while counts(&scene.usage().await?) != expected {
        assert!(!running.is_finished());
    }
    running.abort();
    drop(messages);
    assert!(running.await.unwrap_err().is_cancelled());
    assert_eq!(counts(&scene.usage().await?), expected);
    let listed = scene.root.objects.list_objects(ListObjectsRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    });
    assert!(listed.await?.into_inner().objects.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_separate_adapter_changes_nothing() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadWrite).await?;
    let adapter = Adapter::start(&scene.server, &[]).await?;
    let address = adapter.address.to_string();
    let send = |scene: &Scene, call: (&str, &str, &[u8])| {
        let signed = scene.signed_at(&address, &[], call)?;
        exchange(adapter.address, signed)
    };
    assert_eq!(send(&scene, ("PUT", "/k", &[b'x'; 9000]))?.status, 200);
    assert_eq!(send(&scene, ("GET", "/k", b""))?.body.len(), 9000);
    let tags = b"<Tagging><TagSet></TagSet></Tagging>";
    assert_eq!(send(&scene, ("PUT", "/k?tagging", tags))?.status, 200);
    assert_eq!(
        send(&scene, ("GET", "//another-bucket/k", b""))?.status,
        403
    );
    let usage = scene.usage().await?;
    let expected = BTreeMap::from([
        (RequestClass::Read, (1, 0, 9000)),
        (RequestClass::Write, (2, 9000, 0)),
    ]);
    assert_eq!(counts(&usage), expected);
    let last = usage.last_use.unwrap();
    assert_eq!(
        (last.operation.as_str(), last.user_agent.as_str()),
        ("PutObjectTagging", AGENT)
    );
    let denial = &scene.denials().await?[0];
    assert_eq!(
        (denial.operation.as_str(), denial.client_address.as_str()),
        ("GetObject", "127.0.0.1")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_survives_a_restart() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadOnly).await?;
    scene.expect(404, "GET", "/k", b"")?;
    scene.expect(403, "PUT", "/k", b"")?;
    // The stop writes the usage: the interval is an hour.
    scene.server.restart()?;
    scene.root = Clients::root(&scene.server).await?;
    let expected = BTreeMap::from([(RequestClass::Read, (1, 0, 0))]);
    assert_eq!(counts(&scene.usage().await?), expected);
    // Usage that was shown once survives a kill.
    scene.expect(404, "GET", "/k", b"")?;
    let expected = BTreeMap::from([(RequestClass::Read, (2, 0, 0))]);
    assert_eq!(counts(&scene.usage().await?), expected);
    scene.server.kill9()?;
    scene.server.restart()?;
    scene.root = Clients::root(&scene.server).await?;
    let usage = scene.usage().await?;
    assert_eq!(counts(&usage), expected);
    assert_eq!(
        refusals(&usage),
        BTreeMap::from([(DecisionReason::Permission, 1)])
    );
    assert_eq!(scene.denials().await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn spans_of_usage_are_checked() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadOnly).await?;
    let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let ask = |start, end| GetTokenUsageRequest {
        bucket: BUCKET.to_owned(),
        token_id: scene.token.token_id.clone(),
        start_time: start,
        end_time: end,
    };
    let wrong = [
        ask(at(2), at(1)),
        ask(at(0), at(367 * 24 * 3600)),
        ask(at(i64::MIN), at(i64::MAX)),
    ];
    let earlier = ask(at(0), at(3600));
    for request in wrong {
        let status = scene.root.tokens.get_token_usage(request).await;
        let status = status.unwrap_err();
        assert_eq!(reason(&status), "ERROR_REASON_INVALID_ARGUMENT");
        assert!(status.message().contains("start_time"), "{status:?}");
    }
    scene.expect(200, "HEAD", "", b"")?;
    let usage = scene.root.tokens.get_token_usage(earlier).await?;
    let usage = usage.into_inner();
    assert!(usage.hours.is_empty() && counts(&usage).is_empty());
    assert!(usage.last_use.is_some());
    let foreign = GetTokenUsageRequest {
        bucket: BUCKET.to_owned(),
        token_id: "1".to_owned(),
        ..Default::default()
    };
    let status = scene.root.tokens.get_token_usage(foreign).await;
    assert_eq!(reason(&status.unwrap_err()), "ERROR_REASON_NO_SUCH_TOKEN");
    Ok(())
}
