//! Deleting blobs that nothing refers to.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::Path as FilePath;
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use object_store::ObjectStore;

use super::error::BlobError;
use super::layout;
use super::store::{Backend, BlobStore};
use crate::domain::{BlobBatchId, BlobId};

/// What became of a batch of deletions.
#[derive(Debug, Default)]
pub struct DeleteReport {
    /// Blobs that are gone, or were never there.
    pub removed: Vec<BlobId>,
    /// Blobs that may still be there, to be tried again later.
    pub failed: Vec<(BlobId, BlobError)>,
}

impl BlobStore {
    /// Deletes blobs; each is tried, whatever becomes of the others, and a missing one is as good
    /// as deleted. On a local store the deletions are durable when this returns. A read that has
    /// opened a local blob goes on.
    pub async fn delete(&self, ids: &[BlobId]) -> DeleteReport {
        match &self.backend {
            Backend::Local(root) => {
                let root = Arc::clone(root);
                let batch = ids.to_vec();
                // One thread hop for the batch: object_store takes one for each file.
                let work = tokio::task::spawn_blocking(move || delete_files(&root, &batch));
                work.await.unwrap_or_else(|_| DeleteReport {
                    removed: Vec::new(),
                    failed: interrupted(ids),
                })
            }
            Backend::Remote(_) => self.delete_remote(ids).await,
        }
    }

    async fn delete_remote(&self, ids: &[BlobId]) -> DeleteReport {
        let paths: Vec<_> = ids.iter().map(|id| Ok(self.layout.blob(*id))).collect();
        let results = self.store.delete_stream(stream::iter(paths).boxed());
        let results: Vec<_> = results.collect().await;
        let mut report = DeleteReport::default();
        // Answers come in the order of the ids; a failed bulk request may answer for many at
        // once, and those without an answer are not known to be gone.
        let answered = results.len() == ids.len();
        let mut results = results.into_iter();
        for id in ids.iter().copied() {
            match results.next() {
                Some(Ok(path)) if answered || path == self.layout.blob(id) => {
                    report.removed.push(id);
                }
                Some(Err(object_store::Error::NotFound { .. })) if answered => {
                    report.removed.push(id);
                }
                Some(Err(error)) => report.failed.push((id, BlobError::from_store(id, error))),
                Some(Ok(_)) | None => report.failed.push((id, BlobError::Interrupted { id })),
            }
        }
        report
    }
}

fn interrupted(ids: &[BlobId]) -> Vec<(BlobId, BlobError)> {
    ids.iter()
        .map(|id| (*id, BlobError::Interrupted { id: *id }))
        .collect()
}

fn delete_files(root: &FilePath, ids: &[BlobId]) -> DeleteReport {
    let mut report = DeleteReport::default();
    for id in ids.iter().copied() {
        match std::fs::remove_file(layout::blob_file(root, id)) {
            Ok(()) => report.removed.push(id),
            Err(error) if error.kind() == io::ErrorKind::NotFound => report.removed.push(id),
            Err(error) => report.failed.push((id, BlobError::from_file(id, error))),
        }
    }
    // Without this a crash could bring files back that the catalog has forgotten.
    let batches: BTreeSet<BlobBatchId> = report.removed.iter().map(|id| id.batch).collect();
    for batch in batches {
        if let Err(error) = sync_directory(&layout::batch_directory(root, batch)) {
            let unsure = report.removed.extract_if(.., |id| id.batch == batch);
            for id in unsure {
                let error = io::Error::new(error.kind(), "directory not synced");
                report.failed.push((id, BlobError::from_file(id, error)));
            }
        }
    }
    report
}

fn sync_directory(directory: &FilePath) -> io::Result<()> {
    match File::open(directory) {
        Ok(directory) => directory.sync_all(),
        // Nothing was ever written there.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{data, local, memory, read, whole, write};
    use super::*;

    #[tokio::test]
    async fn deleted_blobs_are_gone_and_missing_ones_are_no_failure() {
        let (_directory, local) = local();
        for store in [local, memory()] {
            let ids: Vec<BlobId> = (0..5).map(|i| BlobId::new(i64::from(i) % 2, i)).collect();
            for id in &ids[..4] {
                write(&store, *id, &data(100), 100).await.unwrap();
            }
            let report = store.delete(&[ids[0], ids[4], ids[1]]).await;
            assert_eq!(report.removed, [ids[0], ids[4], ids[1]]);
            assert!(report.failed.is_empty());
            for (id, left) in ids.iter().zip([false, false, true, true, false]) {
                assert_eq!(store.stat(*id).await.unwrap().is_some(), left, "{id}");
            }
            assert!(store.delete(&[]).await.removed.is_empty());
        }
    }

    #[tokio::test]
    async fn a_failed_deletion_does_not_stop_the_others() {
        let (directory, store) = local();
        let (stuck, next) = (BlobId::new(1, 1), BlobId::new(1, 2));
        write(&store, next, &data(100), 100).await.unwrap();
        // A directory in a blob's place cannot be removed as a file.
        std::fs::create_dir(layout::blob_file(directory.path(), stuck)).unwrap();
        let report = store.delete(&[stuck, next]).await;
        assert_eq!(report.removed, [next]);
        assert!(matches!(report.failed.as_slice(), [(id, BlobError::File { .. })] if *id == stuck));
    }

    #[tokio::test]
    async fn a_local_read_outlives_the_deletion() {
        use futures::StreamExt;
        let (_directory, store) = local();
        let id = BlobId::new(1, 1);
        let data = data(600_000);
        write(&store, id, &data, 100_000).await.unwrap();
        let mut stream = store
            .read(store.begin_read(0), &[whole(id, 600_000)], 0..600_000)
            .unwrap();
        let mut bytes = stream.next().await.unwrap().unwrap().to_vec();
        assert_eq!(store.delete(&[id]).await.removed, [id]);
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk.unwrap());
        }
        assert!(bytes == data);
        let (_, error) = read(&store, &[whole(id, 600_000)], 0..1).await;
        assert!(matches!(error, Some(BlobError::NotFound { .. })));
    }
}
