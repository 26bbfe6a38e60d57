//! What survives: crashes, uploads that were cut, a disk that is full; and `fsck` over what is left.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use bucketry_contract::v1::put_object_request::Message;
use bucketry_contract::v1::{
    DeleteObjectRequest, GetObjectRequest, GetSmallObjectRequest, ListObjectsRequest, ObjectChunk,
    PutObjectRequest, PutObjectSpec, PutSmallObjectRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::server::{Server, ServerOptions, binary};
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

const BUCKET: &str = "durability-bucket";
const MIB: usize = 1024 * 1024;
const SOON: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> HarnessError {
    move |source| HarnessError::Io { what, source }
}

fn quick_collector() -> ServerOptions {
    ServerOptions::new()
        .argument("--collect-interval=1s")
        .argument("--collect-grace=1s")
}

fn spec(key: &str) -> PutObjectSpec {
    PutObjectSpec {
        bucket: BUCKET.to_owned(),
        key: key.to_owned(),
        ..Default::default()
    }
}

fn small(key: &str) -> PutSmallObjectRequest {
    PutSmallObjectRequest {
        spec: Some(spec(key)),
        data: Bytes::from_static(b"content"),
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

fn fsck(data: &Path, arguments: &[&str]) -> Result<Output, HarnessError> {
    Command::new(binary()?)
        .args(["fsck", "--output", "json", "--data-dir"])
        .arg(data)
        .args(arguments)
        .output()
        .map_err(io("run fsck"))
}

/// The names of all files below the directory of blobs.
fn blob_files(data: &Path) -> Result<Vec<String>, HarnessError> {
    let read = |folder: &Path| std::fs::read_dir(folder).map_err(io("list the directory of blobs"));
    let mut names = Vec::new();
    for fan in read(&data.join("blobs/blobs"))? {
        let fan = fan.map_err(io("list the directory of blobs"))?;
        for file in read(&fan.path())? {
            let file = file.map_err(io("list the directory of blobs"))?;
            names.push(file.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// Waits until the files of blobs are as they should be.
async fn until(data: &Path, right: impl Fn(&[String]) -> bool) -> Result<(), HarnessError> {
    let deadline = Instant::now() + SOON;
    loop {
        let files = blob_files(data)?;
        if right(&files) {
            return Ok(());
        }
        assert!(Instant::now() < deadline, "still {files:?}");
        tokio::time::sleep(POLL).await;
    }
}

#[test]
fn crashes_lose_nothing_that_was_acknowledged() -> Result<(), HarnessError> {
    let run = Command::new(env!("CARGO_BIN_EXE_load"))
        .args(["crash", "--cycles", "5", "--collect-within", "60"])
        .args(["--server-argument", "--collect-interval=1s"])
        .args(["--server-argument", "--collect-grace=1s"])
        .arg("--server")
        .arg(binary()?)
        .output()
        .map_err(io("run the load tool"))?;
    assert!(
        run.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr)
    );
    Ok(())
}

#[tokio::test]
async fn an_upload_cut_by_kill9_leaves_nothing() -> Result<(), HarnessError> {
    let mut server = Server::start(quick_collector())?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    let (sender, messages) = mpsc::channel(8);
    let mut uploader = root.objects.clone();
    let upload =
        tokio::spawn(async move { uploader.put_object(ReceiverStream::new(messages)).await });
    let mut announced = spec("cut");
    announced.content_length = Some(100 * MIB as i64);
    let send = async |message| {
        let message = PutObjectRequest {
            message: Some(message),
        };
        assert!(sender.send(message).await.is_ok(), "the upload has ended");
    };
    send(Message::Spec(announced)).await;
    for offset in 0..4 {
        send(Message::Chunk(ObjectChunk {
            offset: offset * MIB as i64,
            data: vec![7; MIB].into(),
            ..Default::default()
        }))
        .await;
    }
    until(&server.data_dir(), |files| !files.is_empty()).await?;
    server.kill9()?;
    assert!(upload.await.is_ok_and(|answer| answer.is_err()));

    let checked = fsck(&server.data_dir(), &[])?;
    assert!(checked.status.success(), "{checked:?}");
    server.restart()?;
    let mut root = Clients::root(&server).await?;
    let refused = root.objects.get_small_object(get("cut")).await;
    assert_eq!(refused.unwrap_err().code(), Code::NotFound);
    let listed = root.objects.list_objects(ListObjectsRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    });
    assert!(listed.await?.into_inner().objects.is_empty());
    until(&server.data_dir(), <[String]>::is_empty).await
}

// Waiting for the stop blocks a thread; the client needs another one to end its connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fsck_waits_for_the_server_and_sees_damage() -> Result<(), HarnessError> {
    let mut server = Server::start(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    let mut large = small("large");
    large.data = vec![7; MIB].into();
    root.objects.put_small_object(large).await?;
    let refused = fsck(&server.data_dir(), &[])?;
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("stop its server first"));

    server.stop()?;
    let clean = fsck(&server.data_dir(), &["--verify"])?;
    assert!(clean.status.success(), "{clean:?}");
    let name = blob_files(&server.data_dir())?.remove(0);
    let batch = name.split('-').next().unwrap_or_default();
    let fan = batch.get(batch.len() - 2..).unwrap_or_default();
    let file = server.data_dir().join("blobs/blobs").join(fan).join(&name);
    std::fs::remove_file(file).map_err(io("remove a blob"))?;
    let broken = fsck(&server.data_dir(), &[])?;
    assert_eq!(broken.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&broken.stdout).unwrap_or_default();
    assert_eq!(report["problems"][0]["kind"], "blob-missing");
    assert_eq!(report["broken"][0]["key"], "large");
    Ok(())
}

// Waiting for the stop blocks a thread; the client needs another one to end its connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_takes_no_uploads_but_deletes() -> Result<(), HarnessError> {
    let mut server = Server::start(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    root.objects.put_small_object(small("kept")).await?;
    root.objects.put_small_object(small("deleted")).await?;

    server.stop()?;
    server.restart_with(ServerOptions::new().argument("--disk-reserve=18446744073709551615"))?;
    let mut root = Clients::root(&server).await?;
    let mut large = small("large");
    large.data = vec![7; MIB].into();
    for request in [small("small"), large] {
        let refused = root.objects.put_small_object(request).await;
        assert_eq!(refused.unwrap_err().code(), Code::ResourceExhausted);
    }
    root.objects.get_small_object(get("kept")).await?;
    let delete = DeleteObjectRequest {
        bucket: BUCKET.to_owned(),
        key: "deleted".to_owned(),
        ..Default::default()
    };
    root.objects.delete_object(delete).await?;

    server.stop()?;
    server.restart_with(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    root.objects.put_small_object(small("small")).await?;
    let gone = root.objects.get_small_object(get("deleted")).await;
    assert_eq!(gone.unwrap_err().code(), Code::NotFound);
    Ok(())
}
