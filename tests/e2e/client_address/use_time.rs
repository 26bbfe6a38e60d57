//! The address is judged when a URL is used, and again while a transfer runs.

use std::time::{Duration, SystemTime};

use bucketry_contract::v1::{
    ListObjectsRequest, ObjectChunk, PutObjectRequest, PutObjectSpec, put_object_request,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::Request;
use bucketry_tests::server::ServerOptions;
use bucketry_tests::sigv4::Signer;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

use super::{BUCKET, Doors, LOCALHOST, PROMISED, Verdict, connect, disallow, reason, s3_verdict};

// A long upload whose token's rules are edited meanwhile is not committed:
// revocation.rs::a_running_s3_upload_does_not_commit ("lock out").
#[tokio::test]
async fn a_presigned_url_is_judged_by_the_address_that_uses_it() -> Result<(), HarnessError> {
    let mut doors = Doors::open(ServerOptions::new()).await?;
    let credentials = doors.token(&[], &["127.0.0.2"]).await?;
    let address = doors.server.address();
    let request =
        Request::new("GET", &format!("/{BUCKET}?list-type=2")).header("host", &address.to_string());
    let signer = Signer::new(&credentials.access_key_id, &credentials.secret_access_key);
    let url = signer.presign(request, SystemTime::now(), Duration::from_secs(600))?;
    for (source, wanted) in [
        (LOCALHOST, Verdict::Allowed),
        ("127.0.0.2", Verdict::Refused),
        ("127.0.0.3", Verdict::Allowed),
    ] {
        let mut connection = connect(source, address).await?;
        assert_eq!(s3_verdict(&mut connection, &url)?, wanted, "{source}");
        let claiming = url.clone().header("x-forwarded-for", LOCALHOST);
        assert_eq!(s3_verdict(&mut connection, &claiming)?, wanted, "{source}");
    }
    Ok(())
}

#[tokio::test]
async fn an_open_stream_is_judged_again_when_rules_change() -> Result<(), HarnessError> {
    for end in ["the stream goes on", "the stream is silent"] {
        let mut doors = Doors::open(ServerOptions::new()).await?;
        let (token, credentials) = doors.create(&[], &[]).await?;
        let mut clients = Clients::connect(&doors.server, Bearer::token(&credentials)?).await?;
        let (messages, stream) = mpsc::channel(1);
        let message = |message| PutObjectRequest {
            message: Some(message),
        };
        let spec = message(put_object_request::Message::Spec(PutObjectSpec {
            bucket: BUCKET.to_owned(),
            key: "late".to_owned(),
            ..Default::default()
        }));
        let chunk = |offset: i64| {
            message(put_object_request::Message::Chunk(ObjectChunk {
                offset,
                data: Bytes::from_static(b"0123456789"),
                crc32c: None,
            }))
        };
        let mut caller = clients.clone();
        let running =
            tokio::spawn(
                async move { caller.objects.put_object(ReceiverStream::new(stream)).await },
            );
        messages.send(spec).await.ok();
        for number in 0..4 {
            messages.send(chunk(number * 10)).await.ok();
        }
        // All but the last is on its way, and what is asked now over the same connection comes after it.
        let listing = ListObjectsRequest {
            bucket: BUCKET.to_owned(),
            ..Default::default()
        };
        clients.objects.list_objects(listing.clone()).await?;
        disallow(&mut doors.root, &token, LOCALHOST).await?;
        let open = if end == "the stream goes on" {
            messages.send(chunk(40)).await.ok();
            drop(messages);
            None
        } else {
            Some(messages)
        };
        let ended = timeout(PROMISED, running)
            .await
            .map_err(|_| HarnessError::Incomplete("end of the upload"))?;
        let status = ended.expect("the call does not panic").unwrap_err();
        drop(open);
        assert_eq!(status.code(), Code::PermissionDenied, "{end}: {status:?}");
        let later = clients
            .objects
            .list_objects(listing.clone())
            .await
            .unwrap_err();
        assert_eq!(reason(&later), "ERROR_REASON_ACCESS_DENIED", "{end}");
        let left = doors.root.objects.list_objects(listing).await?.into_inner();
        assert!(left.objects.is_empty(), "{end}: {:?}", left.objects);
    }
    Ok(())
}
