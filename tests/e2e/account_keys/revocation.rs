//! When the call that revokes an administrator's key has returned, nothing begins and nothing commits with it.

use std::time::Duration;

use bucketry_contract::v1::{
    CreateSessionRequest, ListAdminKeysRequest, ListObjectsRequest, ObjectChunk, PutObjectRequest,
    PutObjectSpec, put_object_request,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bytes::Bytes;
use futures::future::join_all;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;

use super::{INVALID_ACCESS_KEY_ID, Scene, create, list, on_both_engines, reason, revoke};

on_both_engines! {
    a_revocation_ends_sessions,
    a_revocation_ends_running_uploads,
    no_key_outlives_the_revocation_of_its_creator,
}

const BUCKET: &str = "account-keys-bucket";
const CHUNK: usize = 1024 * 1024;
/// What a running transfer is promised to end within, and what a slow machine may take on top.
const LIMIT: Duration = Duration::from_secs(5);
/// Calls at a time of the key that is about to be revoked.
const AT_ONCE: usize = 8;

async fn a_revocation_ends_sessions(scene: &mut Scene) -> Result<(), HarnessError> {
    let mut first = scene.account("own").await?;
    let mut second = scene.another(&mut first).await?;
    let session = first.clients.tokens.create_session(CreateSessionRequest {});
    let session = Bearer::session(&session.await?.into_inner().session_token)?;
    let mut by_session = Clients::connect(&scene.server, session).await?;
    // A session does what its key does.
    create(&mut by_session, "", "by a session").await?;
    revoke(&mut second.clients, &first.access_key_id).await?;
    for clients in [&mut first.clients, &mut by_session] {
        assert_eq!(reason(list(clients, "").await), INVALID_ACCESS_KEY_ID);
        let made = create(clients, "", "late").await;
        assert_eq!(reason(made), INVALID_ACCESS_KEY_ID);
    }
    Ok(())
}

fn message(message: put_object_request::Message) -> PutObjectRequest {
    PutObjectRequest {
        message: Some(message),
    }
}

async fn a_revocation_ends_running_uploads(scene: &mut Scene) -> Result<(), HarnessError> {
    let mut first = scene.account("own").await?;
    let mut second = scene.another(&mut first).await?;
    second.clients.create_bucket(BUCKET).await?;
    let mut clients = Clients::connect(&scene.server, first.bearer.clone()).await?;
    let (messages, stream) = mpsc::channel(4);
    let running = tokio::spawn(async move {
        let stream = ReceiverStream::new(stream);
        clients.objects.put_object(stream).await
    });
    let spec = put_object_request::Message::Spec(PutObjectSpec {
        bucket: BUCKET.to_owned(),
        key: "late".to_owned(),
        ..Default::default()
    });
    messages.send(message(spec)).await.ok();
    // More than the queue holds: the last is sent when the upload has begun.
    for number in 0..8 {
        let chunk = put_object_request::Message::Chunk(ObjectChunk {
            offset: (number * CHUNK) as i64,
            data: Bytes::from(vec![b'x'; CHUNK]),
            crc32c: None,
        });
        messages.send(message(chunk)).await.ok();
    }
    revoke(&mut second.clients, &first.access_key_id).await?;
    // Nothing more is sent, and the stream stays open.
    let ended = timeout(LIMIT, running).await;
    let ended = ended.map_err(|_| HarnessError::Incomplete("end of the upload"))?;
    let ended = ended.expect("the call does not panic");
    assert_eq!(reason(ended), INVALID_ACCESS_KEY_ID);
    drop(messages);
    let listing = ListObjectsRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    };
    let listed = second.clients.objects.list_objects(listing).await?;
    assert!(listed.into_inner().objects.is_empty());
    Ok(())
}

/// Whoever holds a stolen key creates others as fast as possible: all that exist are known when the revocation returns.
async fn no_key_outlives_the_revocation_of_its_creator(
    scene: &mut Scene,
) -> Result<(), HarnessError> {
    let mut owner = scene.account("own").await?;
    let stolen = scene.another(&mut owner).await?;
    let calls: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let mut thief = stolen.clients.clone();
            tokio::spawn(async move { while create(&mut thief, "", "n").await.is_ok() {} })
        })
        .collect();
    while scene.usable(&owner.account).await?.len() < 2 * AT_ONCE {}
    revoke(&mut owner.clients, &stolen.access_key_id).await?;
    let when_it_returned = every_key(&mut owner.clients).await?;
    for call in join_all(calls).await {
        call.expect("a caller panicked");
    }
    assert_eq!(every_key(&mut owner.clients).await?, when_it_returned);
    Ok(())
}

async fn every_key(clients: &mut Clients) -> Result<Vec<String>, tonic::Status> {
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListAdminKeysRequest {
            page_token,
            ..Default::default()
        };
        let page = clients.admin.list_admin_keys(request).await?.into_inner();
        found.extend(page.keys.into_iter().map(|key| key.access_key_id));
        if page.next_page_token.is_empty() {
            return Ok(found);
        }
        page_token = page.next_page_token;
    }
}
