//! Deleting blobs that nothing refers to.

use std::io;

use futures::stream::{self, StreamExt};
use object_store::ObjectStore;
use rustix::fd::OwnedFd;
use rustix::fs::AtFlags;
use rustix::io::Errno;
use tokio::time::timeout;

use super::bounded::UPKEEP_LIMIT;
use super::disk_threads::Work;
use super::error::BlobError;
use super::layout;
use super::local::LocalDisk;
use super::store::{Backend, BlobStore};
use super::tree::Tree;
use bucketry_domain::BlobId;

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
            Backend::Local(disk) => {
                let batch = ids.to_vec();
                // One thread hop for the batch.
                let delete = move |disk: &LocalDisk| delete_files(&disk.tree, batch);
                let deleted = disk.run(Work::Upkeep, UPKEEP_LIMIT, delete).await;
                deleted.unwrap_or_else(|stalled| DeleteReport {
                    removed: Vec::new(),
                    failed: (ids.iter())
                        .map(|id| (*id, BlobError::from_stalled(*id, stalled)))
                        .collect(),
                })
            }
            Backend::Remote(_) => self.delete_remote(ids).await,
        }
    }

    async fn delete_remote(&self, ids: &[BlobId]) -> DeleteReport {
        let paths: Vec<_> = ids.iter().map(|id| Ok(self.layout.blob(*id))).collect();
        let results = self.store.delete_stream(stream::iter(paths).boxed());
        let Ok(results) = timeout(UPKEEP_LIMIT, results.collect::<Vec<_>>()).await else {
            return DeleteReport {
                removed: Vec::new(),
                failed: ids
                    .iter()
                    .map(|id| (*id, BlobError::Overdue { id: *id }))
                    .collect(),
            };
        };
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

fn delete_files(tree: &Tree, mut ids: Vec<BlobId>) -> DeleteReport {
    let mut report = DeleteReport::default();
    // One directory after the other.
    ids.sort_by_key(|id| layout::batch_place(id.batch));
    for ids in ids.chunk_by(|a, b| layout::batch_place(a.batch) == layout::batch_place(b.batch)) {
        let Some(first) = ids.first() else { continue };
        match tree.batch(first.batch) {
            Ok(directory) => delete_in(&directory, ids, &mut report),
            // Nothing was ever written there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => report.removed.extend(ids),
            Err(error) => report.failed.extend(refused(ids, &error)),
        }
    }
    report
}

fn delete_in(directory: &OwnedFd, ids: &[BlobId], report: &mut DeleteReport) {
    let mut removed = Vec::new();
    for id in ids.iter().copied() {
        match rustix::fs::unlinkat(directory, super::id::name(id), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => removed.push(id),
            Err(error) => report
                .failed
                .push((id, BlobError::from_file(id, error.into()))),
        }
    }
    // Without this a crash could bring files back that the catalog has forgotten.
    match rustix::fs::fsync(directory) {
        Ok(()) => report.removed.extend(removed),
        Err(error) => report.failed.extend(refused(&removed, &error.into())),
    }
}

fn refused(ids: &[BlobId], error: &io::Error) -> Vec<(BlobId, BlobError)> {
    ids.iter()
        .map(|id| {
            let error = io::Error::new(error.kind(), format!("directory of the blob: {error}"));
            (
                *id,
                BlobError::File {
                    id: *id,
                    source: error,
                },
            )
        })
        .collect()
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
            .read(
                store.begin_read(std::time::Instant::now()),
                &[whole(id, 600_000)],
                0..600_000,
            )
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
