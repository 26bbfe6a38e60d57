use std::os::unix::fs::PermissionsExt;
use std::path::Path as FilePath;
use std::sync::{Mutex, mpsc};

use super::super::samples::{data, read, whole, write};
use super::super::store::Backend;
use super::super::{BlobError, BlobStore, BlobStoreOptions, StoreUrl};
use super::*;
use bucketry_domain::BlobId;

fn impatient(directory: &FilePath) -> (BlobStore, Arc<LocalDisk>) {
    let options = BlobStoreOptions {
        timeout: Some(Duration::from_millis(100)),
        ..BlobStoreOptions::default()
    };
    let url = StoreUrl::Local(directory.to_owned());
    let store = BlobStore::open(&url, &options).unwrap();
    let Backend::Local(disk) = store.backend.clone() else {
        panic!("a local store");
    };
    (store, disk)
}

#[tokio::test]
async fn a_disk_that_hangs_refuses_in_time_and_is_used_again_when_it_answers() {
    let directory = tempfile::tempdir().unwrap();
    let (store, disk) = impatient(directory.path());
    let content = data(20_000);
    let id = BlobId::new(1, 1);
    write(&store, id, &content, 20_000).await.unwrap();
    let (release, hung) = mpsc::channel::<()>();
    let hung = Arc::new(Mutex::new(hung));
    let hang = |work| {
        let hung = Arc::clone(&hung);
        disk.run(work, Duration::from_millis(1), move |_| {
            hung.lock().unwrap().recv().ok();
        })
    };
    for work in [Work::Read, Work::Write] {
        let all = futures::future::join_all((0..64).map(|_| hang(work))).await;
        assert!(all.iter().all(Result::is_err));
    }
    let late = BlobId::new(1, 2);
    for length in [20_000, 3 << 20] {
        let refused = write(&store, late, &data(length), 1 << 20).await;
        assert!(
            matches!(refused, Err(BlobError::Overdue { .. })),
            "{refused:?}"
        );
    }
    assert!(matches!(
        store.stat(id).await,
        Err(BlobError::Overdue { .. })
    ));
    // A block that is in the page cache is read without a thread.
    let (bytes, error) = read(&store, &[whole(id, 20_000)], 0..20_000).await;
    match disk.tree.cache() {
        super::super::tree::Cache::Usable => assert!(error.is_none() && bytes == content),
        super::super::tree::Cache::Unknown => {
            assert!(matches!(error, Some(BlobError::Overdue { .. })));
        }
    }
    drop(release);
    while write(&store, late, &content, 20_000).await.is_err() {}
    let (bytes, error) = read(&store, &[whole(late, 20_000)], 0..20_000).await;
    assert!(error.is_none() && bytes == content);
}

#[tokio::test]
async fn a_blob_that_is_complete_too_late_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let (store, disk) = impatient(directory.path());
    let id = BlobId::new(1, 1);
    let (done, finished) = mpsc::channel();
    let (create, created) = mpsc::channel();
    let (begin, begun) = mpsc::channel::<()>();
    let slow = Arc::clone(&disk);
    let job = move |answer| {
        let file = slow.create(id).unwrap();
        file.write([data(100)].iter()).unwrap();
        create.send(()).unwrap();
        begun.recv().unwrap();
        slow.finish(file, answer);
        done.send(()).unwrap();
    };
    let late = disk
        .threads
        .run_until_answered(Work::Write, Duration::from_millis(1), job);
    assert_eq!(late.await.err(), Some(Stalled::Overdue));
    created.recv().unwrap();
    assert!(store.stat(id).await.unwrap().is_some());
    begin.send(()).unwrap();
    finished.recv().unwrap();
    assert!(store.stat(id).await.unwrap().is_none());
}

#[tokio::test]
async fn blobs_that_finish_together_are_all_durable_under_their_names() {
    let directory = tempfile::tempdir().unwrap();
    let url = StoreUrl::Local(directory.path().to_owned());
    let store = BlobStore::open(&url, &BlobStoreOptions::default()).unwrap();
    let content = data(20_000);
    let writes = (0..50).map(|index| write(&store, BlobId::new(1, index), &content, 20_000));
    for written in futures::future::join_all(writes).await {
        written.unwrap();
    }
    let listed = store.list_batch(bucketry_domain::BlobBatchId(1)).await;
    assert_eq!(listed.unwrap().len(), 50);
    let file = directory
        .path()
        .join(crate::layout::blob_place(BlobId::new(1, 0)));
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_write_that_ends_late_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (_, disk) = impatient(directory.path());
    let files = LocalFiles(disk);
    let path = Path::from("blobs/01/0000000000000001-0001");
    let staged = Staged::create(&files.0.tree, &place(&path)).unwrap();
    staged.publish(&PutMode::Create).unwrap();
    let file = directory.path().join(path.as_ref());
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (done, undone) = mpsc::channel();
    let (begin, begun) = mpsc::channel::<()>();
    let job = move || begun.recv();
    let undo = move |_| {
        staged.take_back();
        done.send(()).unwrap();
    };
    let late = files
        .0
        .threads
        .run(Work::Write, Duration::from_millis(1), job, undo);
    assert_eq!(late.await.err(), Some(Stalled::Overdue));
    begin.send(()).unwrap();
    undone.recv().unwrap();
    assert!(!file.exists());
}
