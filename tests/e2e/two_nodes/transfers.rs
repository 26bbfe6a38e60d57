//! Transfers that run while their token is ended.

use std::time::{Duration, Instant};

use bucketry_contract::v1::{GetObjectRequest, ObjectChunk, PutObjectRequest, put_object_request};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;

use super::doors::{ENDS, End, Holder};
use super::{BUCKET, Nodes, PROMISED, keys, reason, report, spec};

const SLACK: Duration = Duration::from_secs(4);
const CHUNK: usize = 1024 * 1024;

fn chunk(number: usize) -> PutObjectRequest {
    PutObjectRequest {
        message: Some(put_object_request::Message::Chunk(ObjectChunk {
            offset: (number * CHUNK) as i64,
            data: Bytes::from(vec![b'x'; CHUNK]),
            crc32c: None,
        })),
    }
}

fn first_message(key: &str) -> PutObjectRequest {
    PutObjectRequest {
        message: Some(put_object_request::Message::Spec(spec(key))),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn running_streams_end_on_the_other_node() -> Result<(), HarnessError> {
    let nodes = Nodes::on_postgres().await?;
    let mut root = Clients::root(&nodes.first).await?;
    let large = std::iter::once(first_message("large")).chain((0..64).map(chunk));
    let large: Vec<_> = large.collect();
    root.objects.put_object(tokio_stream::iter(large)).await?;
    let way = nodes.way().await?;
    for end in ENDS {
        let holder = Holder::new(&mut root, &way).await?;
        let mut uploader = holder.by_key()?;
        let (messages, stream) = mpsc::channel(4);
        let running = tokio::spawn(async move {
            let stream = ReceiverStream::new(stream);
            let ended = uploader.put_object(stream).await;
            (ended, Instant::now())
        });
        messages.send(first_message("late")).await.ok();
        // The server has begun when the later ones find room.
        for number in 0..8 {
            messages.send(chunk(number)).await.ok();
        }
        let mut downloader = holder.by_key()?;
        let get = GetObjectRequest {
            bucket: BUCKET.to_owned(),
            key: "large".to_owned(),
            ..Default::default()
        };
        let mut download = downloader.get_object(get).await?.into_inner();
        assert!(download.message().await?.is_some());

        end.apply(&mut root, &holder.token).await?;
        let returned = Instant::now();
        let (ended, at) = timeout(PROMISED + SLACK, running)
            .await
            .map_err(|_| HarnessError::Incomplete("end of the upload"))?
            .expect("the call does not panic");
        let upload_took = at.saturating_duration_since(returned);
        assert_eq!(reason(&ended.unwrap_err()), end.reason(), "{end:?}");
        // The upload's watch began before the download's: what it saw, the download's sees in half a second more.
        let rest = async {
            loop {
                match download.message().await {
                    Ok(Some(_)) => {}
                    Ok(None) => return None,
                    Err(status) => return Some(status),
                }
            }
        };
        tokio::time::sleep_until((returned + PROMISED).into()).await;
        let status = timeout(SLACK, rest)
            .await
            .map_err(|_| HarnessError::Incomplete("end of the download"))?
            .expect("the download did not run to its end");
        assert_eq!(reason(&status), end.reason(), "{end:?}");
        report(&format!(
            "{end:?}: a running upload on the other node ended {upload_took:?} after the return"
        ));
        drop(messages);
    }
    assert_eq!(keys(&mut root, "late").await?, [] as [&str; 0]);
    Ok(())
}

/// All bytes of an upload are there, only its end is not: the commit is what the end of the token forbids.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_upload_that_only_lacks_its_commit_is_refused() -> Result<(), HarnessError> {
    let nodes = Nodes::on_postgres().await?;
    let mut root = Clients::root(&nodes.first).await?;
    let way = nodes.way().await?;
    for round in 0..30 {
        let end = ENDS[round % ENDS.len()];
        let holder = Holder::new(&mut root, &way).await?;
        let mut uploader = holder.by_key()?;
        let (messages, stream) = mpsc::channel(4);
        let running =
            tokio::spawn(async move { uploader.put_object(ReceiverStream::new(stream)).await });
        messages.send(first_message("late")).await.ok();
        messages.send(chunk(0)).await.ok();
        end.apply(&mut root, &holder.token).await?;
        drop(messages);
        let status = running.await.expect("the call does not panic").unwrap_err();
        // The commit says that access is denied; a watch that came first says why.
        let said = reason(&status);
        assert!(
            [end.reason(), End::LockOut.reason()].contains(&said.as_str()),
            "{end:?}: {said}"
        );
    }
    assert_eq!(keys(&mut root, "late").await?, [] as [&str; 0]);
    Ok(())
}
