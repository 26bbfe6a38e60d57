//! Finding out what is there, for `fsck` and for the scrub; no request path lists a store.

use futures::stream::{BoxStream, Stream, StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::block::logical_length;
use super::error::{BlobError, StoreError};
use super::layout::Layout;
use super::store::BlobStore;
use crate::domain::{BlobBatchId, BlobId};

/// A blob that the store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredBlob {
    /// The blob.
    pub id: BlobId,
    /// Its stored length in bytes, checksums included.
    pub physical_length: u64,
    /// When it was written, in microseconds since the epoch, by the store's clock.
    pub modified_micros: i64,
}

impl StoredBlob {
    /// The length of the data in bytes; `None` where the stored length is one that no complete
    /// blob has.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        logical_length(self.physical_length)
    }

    fn from_meta(meta: &ObjectMeta) -> Option<Self> {
        Some(Self {
            id: Layout::parse(&meta.location)?,
            physical_length: meta.size,
            modified_micros: meta.last_modified.timestamp_micros(),
        })
    }
}

impl BlobStore {
    /// The blob `id`, if it is there.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub async fn stat(&self, id: BlobId) -> Result<Option<StoredBlob>, BlobError> {
        match self.store.head(&self.layout.blob(id)).await {
            Ok(meta) => Ok(Some(StoredBlob {
                id,
                physical_length: meta.size,
                modified_micros: meta.last_modified.timestamp_micros(),
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(BlobError::from_store(id, error)),
        }
    }

    /// All blobs, in no particular order. Files that are not blobs are passed over.
    pub fn list(&self) -> BoxStream<'static, Result<StoredBlob, StoreError>> {
        only_blobs(self.store.list(Some(&self.layout.blobs()))).boxed()
    }

    /// The blobs of one batch, in order.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub async fn list_batch(&self, batch: BlobBatchId) -> Result<Vec<StoredBlob>, StoreError> {
        let directory = self.store.list(Some(&self.layout.batch(batch)));
        let mut blobs: Vec<StoredBlob> = only_blobs(directory)
            .try_filter(|blob| std::future::ready(blob.id.batch == batch))
            .try_collect()
            .await?;
        blobs.sort_unstable_by_key(|blob| blob.id);
        Ok(blobs)
    }
}

fn only_blobs(
    listed: impl Stream<Item = Result<ObjectMeta, object_store::Error>> + Send,
) -> impl Stream<Item = Result<StoredBlob, StoreError>> + Send {
    listed
        .map_err(StoreError::Store)
        .try_filter_map(|meta| std::future::ready(Ok(StoredBlob::from_meta(&meta))))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::samples::{data, local, memory, write};
    use super::*;

    #[tokio::test]
    async fn a_batch_lists_its_blobs_and_no_others() {
        let (directory, local) = local();
        for store in [local.clone(), memory()] {
            // 1 and 257 share a directory.
            let ids = [(1, 0), (1, 7), (257, 0), (2, 0)].map(|(b, i)| BlobId::new(b, i));
            for id in ids {
                write(&store, id, &data(300_000), 300_000).await.unwrap();
            }
            let batch = store.list_batch(BlobBatchId(1)).await.unwrap();
            assert_eq!(
                batch.iter().map(|blob| blob.id).collect::<Vec<_>>(),
                ids[..2]
            );
            assert!(batch.iter().all(|blob| blob.length() == Some(300_000)));
            assert!(store.list_batch(BlobBatchId(3)).await.unwrap().is_empty());
            let all: BTreeSet<BlobId> = store
                .list()
                .map_ok(|blob| blob.id)
                .try_collect()
                .await
                .unwrap();
            assert_eq!(all, BTreeSet::from(ids));
            assert_eq!(store.stat(ids[0]).await.unwrap(), batch.first().copied());
            assert_eq!(store.stat(BlobId::new(9, 9)).await.unwrap(), None);
        }
        std::fs::write(directory.path().join("blobs/01/notes.txt"), "x").unwrap();
        assert_eq!(local.list_batch(BlobBatchId(1)).await.unwrap().len(), 2);
    }
}
