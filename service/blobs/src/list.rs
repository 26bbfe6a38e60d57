//! Finding out what is there, for `fsck` and for the scrub; no request path lists a store.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use futures::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;

use super::block::logical_length;
use super::bounded::{UPKEEP_LIMIT, within};
use super::disk_threads::Work;
use super::error::{BlobError, StoreError};
use super::layout::{self, StoreLayout};
use super::local::LocalDisk;
use super::store::{Backend, BlobStore};
use super::tree::{Tree, is_foreign, modified};
use bucketry_domain::{BlobBatchId, BlobId};

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
            id: StoreLayout::parse(&meta.location)?,
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
    /// [`BlobError::NotAFile`], [`BlobError::Overdue`] and what the store says.
    pub async fn stat(&self, id: BlobId) -> Result<Option<StoredBlob>, BlobError> {
        if let Backend::Local(disk) = &self.backend {
            let limit = disk.threads.limit(0);
            let open = move |disk: &LocalDisk| disk.tree.open_blob(id);
            let opened = disk.run(Work::Read, limit, open).await;
            return match opened.map_err(|stalled| BlobError::from_stalled(id, stalled))? {
                Ok(file) => Ok(Some(StoredBlob {
                    id,
                    physical_length: file.length,
                    modified_micros: micros(file.modified),
                })),
                Err(BlobError::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            };
        }
        let path = self.layout.blob(id);
        match self.bounded(0, self.store.head(&path)).await {
            Ok(meta) => Ok(Some(StoredBlob {
                id,
                physical_length: meta.size,
                modified_micros: meta.last_modified.timestamp_micros(),
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(BlobError::from_store(id, error)),
        }
    }

    /// All blobs, in no particular order. Files that are not blobs or not regular files are
    /// skipped.
    pub fn list(&self) -> BoxStream<'static, Result<StoredBlob, StoreError>> {
        if let Backend::Local(disk) = &self.backend {
            let disk = Arc::clone(disk);
            return stream::iter(layout::fan_names())
                .then(move |fan| list_fan(Arc::clone(&disk), fan))
                .map_ok(|blobs| stream::iter(blobs.into_iter().map(Ok)))
                .try_flatten()
                .boxed();
        }
        only_blobs(self.store.list(Some(&self.layout.blobs()))).boxed()
    }

    /// The blobs of one batch, in order.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub async fn list_batch(&self, batch: BlobBatchId) -> Result<Vec<StoredBlob>, StoreError> {
        let directory: BoxStream<'_, _> = match &self.backend {
            Backend::Local(disk) => {
                let listed = list_fan(Arc::clone(disk), layout::fan(batch)).await?;
                stream::iter(listed.into_iter().map(Ok)).boxed()
            }
            Backend::Remote(_) => {
                only_blobs(self.store.list(Some(&self.layout.batch(batch)))).boxed()
            }
        };
        let mut blobs: Vec<StoredBlob> = directory
            .try_filter(|blob| std::future::ready(blob.id.batch == batch))
            .try_collect()
            .await?;
        blobs.sort_unstable_by_key(|blob| blob.id);
        Ok(blobs)
    }
}

async fn list_fan(disk: Arc<LocalDisk>, fan: String) -> Result<Vec<StoredBlob>, StoreError> {
    let list = move |disk: &LocalDisk| blobs_of_fan(&disk.tree, &fan);
    disk.run(Work::Upkeep, UPKEEP_LIMIT, list).await?
}

fn blobs_of_fan(tree: &Tree, fan: &str) -> Result<Vec<StoredBlob>, StoreError> {
    let Some(directory) = open_fan(tree, fan)? else {
        return Ok(Vec::new());
    };
    let mut blobs = Vec::new();
    for name in file_names(&directory).map_err(StoreError::Directory)? {
        let Some(id) = layout::parse_file(fan, &name) else {
            continue;
        };
        let file = regular_file(&directory, &name).map_err(StoreError::Directory)?;
        blobs.extend(file.map(|file| StoredBlob {
            id,
            physical_length: file.length,
            modified_micros: micros(file.modified),
        }));
    }
    Ok(blobs)
}

/// A directory of blobs; none if it is missing.
pub(super) fn open_fan(tree: &Tree, fan: &str) -> Result<Option<OwnedFd>, StoreError> {
    let place = layout::fan_place(fan);
    match tree.directory(&place) {
        Ok(directory) => Ok(Some(directory)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if is_foreign(&error) => Err(StoreError::Foreign {
            path: tree.root().join(place),
        }),
        Err(error) => Err(StoreError::Directory(error)),
    }
}

/// The names in a directory that are text.
pub(super) fn file_names(directory: &OwnedFd) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(directory)? {
        if let Ok(name) = entry?.file_name().to_str() {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// What is known of a file without opening it.
pub(super) struct FileFacts {
    length: u64,
    pub(super) modified: SystemTime,
}

/// A regular file of a directory; none if it is gone, or something else.
pub(super) fn regular_file(directory: &OwnedFd, name: &str) -> io::Result<Option<FileFacts>> {
    match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(status) => Ok(FileType::from_raw_mode(status.st_mode)
            .is_file()
            .then(|| FileFacts {
                length: u64::try_from(status.st_size).unwrap_or_default(),
                modified: modified(&status),
            })),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn micros(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    })
}

/// The blobs among `listed`, each of which is waited for no longer than a page of a list may take.
fn only_blobs(
    listed: BoxStream<'static, Result<ObjectMeta, object_store::Error>>,
) -> impl Stream<Item = Result<StoredBlob, StoreError>> + Send {
    let next = async |mut listed: BoxStream<'static, _>| {
        let next = within(UPKEEP_LIMIT, listed.try_next()).await?;
        Ok(next.map(|meta| (meta, listed)))
    };
    stream::try_unfold(listed, next)
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
