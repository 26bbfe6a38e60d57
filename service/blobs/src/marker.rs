//! The marker: proof that a store is the one that the catalog belongs to.

use std::io;

use bytes::Bytes;
use futures::StreamExt;
use object_store::{ObjectStore, ObjectStoreExt, PutMode};
use uuid::Uuid;

use super::bounded::UPKEEP_LIMIT;
use super::disk_threads::Work;
use super::error::StoreError;
use super::layout;
use super::list::open_fan;
use super::store::{Backend, BlobStore};
use super::tree::Tree;

/// The marker's text is this, the store's id and a line feed.
const TITLE: &str = "bucketry store ";

impl BlobStore {
    /// Makes the store that of a new catalog: writes the marker with `store_id`. To be called
    /// again with the same id, after a first start that was interrupted, is allowed.
    ///
    /// # Errors
    ///
    /// [`StoreError::MarkerForeign`] where another catalog's marker is there,
    /// [`StoreError::NotEmpty`] where blobs are there without a marker; neither is touched.
    pub async fn claim(&self, store_id: Uuid) -> Result<(), StoreError> {
        if let Some(found) = self.read_marker().await? {
            return matching(store_id, found);
        }
        if self.has_blobs().await? {
            return Err(StoreError::NotEmpty);
        }
        self.prepare_directories().await?;
        let text = Bytes::from(format!("{TITLE}{store_id}\n"));
        let path = self.layout.marker();
        let create = self
            .store
            .put_opts(&path, text.into(), PutMode::Create.into());
        let created = self.bounded_start(create).await;
        match created {
            Ok(_) => Ok(()),
            // Another claimed it meanwhile, or the answer to a first try was lost.
            Err(object_store::Error::AlreadyExists { .. }) => self.verify(store_id).await,
            Err(error) => Err(StoreError::Store(error)),
        }
    }

    /// Checks that this is the store `store_id`.
    ///
    /// # Errors
    ///
    /// [`StoreError::MarkerMissing`] (an unmounted disk is not an empty bucket),
    /// [`StoreError::MarkerForeign`] or [`StoreError::MarkerMalformed`]: the service must not
    /// start.
    pub async fn verify(&self, store_id: Uuid) -> Result<(), StoreError> {
        match self.read_marker().await? {
            Some(found) => {
                matching(store_id, found)?;
                self.check_directories().await
            }
            None => Err(StoreError::MarkerMissing { expected: store_id }),
        }
    }

    async fn read_marker(&self) -> Result<Option<Uuid>, StoreError> {
        let path = self.layout.marker();
        let read = async { self.store.get(&path).await?.bytes().await };
        let text = match self.bounded_start(read).await {
            Ok(text) => text,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(StoreError::Store(error)),
        };
        parse_marker(&text)
            .map(Some)
            .ok_or(StoreError::MarkerMalformed)
    }

    async fn has_blobs(&self) -> Result<bool, StoreError> {
        Ok(self.list().next().await.transpose()?.is_some())
    }

    async fn prepare_directories(&self) -> Result<(), StoreError> {
        let Backend::Local(disk) = &self.backend else {
            return Ok(());
        };
        disk.run(Work::Upkeep, UPKEEP_LIMIT, |disk| {
            make_directories(&disk.tree)
        })
        .await?
        .map_err(StoreError::Directory)
    }

    /// Refuses a store with links among its directories: what they lead to is not the store's.
    async fn check_directories(&self) -> Result<(), StoreError> {
        let Backend::Local(disk) = &self.backend else {
            return Ok(());
        };
        disk.run(Work::Upkeep, UPKEEP_LIMIT, |disk| {
            layout::fan_names().try_for_each(|fan| open_fan(&disk.tree, &fan).map(drop))
        })
        .await?
    }
}

/// Makes the directories of blobs, so that no upload pays for one, and the names of them durable.
fn make_directories(tree: &Tree) -> io::Result<()> {
    for fan in layout::fan_names() {
        tree.make_directory(&layout::fan_place(&fan))?;
    }
    match tree.root().parent().map(std::fs::File::open) {
        Some(Ok(parent)) => parent.sync_all(),
        // A parent that may not be read belongs to somebody else, who made the root in it.
        Some(Err(error)) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Some(Err(error)) => Err(error),
        None => Ok(()),
    }
}

fn matching(expected: Uuid, found: Uuid) -> Result<(), StoreError> {
    if expected == found {
        Ok(())
    } else {
        Err(StoreError::MarkerForeign { expected, found })
    }
}

fn parse_marker(text: &[u8]) -> Option<Uuid> {
    let id = text.strip_prefix(TITLE.as_bytes())?.strip_suffix(b"\n")?;
    Uuid::try_parse_ascii(id).ok()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{data, local, memory, write};
    use super::*;
    use bucketry_domain::BlobId;

    const OURS: Uuid = Uuid::from_u128(1);
    const THEIRS: Uuid = Uuid::from_u128(2);

    async fn obeys_the_marker(store: &BlobStore) {
        let missing = store.verify(OURS).await;
        assert!(matches!(
            missing,
            Err(StoreError::MarkerMissing { expected: OURS })
        ));
        store.claim(OURS).await.unwrap();
        store.claim(OURS).await.unwrap();
        store.verify(OURS).await.unwrap();
        for refused in [store.verify(THEIRS).await, store.claim(THEIRS).await] {
            let Err(StoreError::MarkerForeign { expected, found }) = refused else {
                panic!("{refused:?}");
            };
            assert_eq!((expected, found), (THEIRS, OURS));
        }
    }

    #[tokio::test]
    async fn memory_obeys_the_marker() {
        obeys_the_marker(&memory()).await;
    }

    #[tokio::test]
    async fn a_directory_obeys_the_marker() {
        let (directory, store) = local();
        obeys_the_marker(&store).await;
        let blobs = std::fs::read_dir(directory.path().join("blobs")).unwrap();
        assert_eq!(blobs.count(), 256);
    }

    #[tokio::test]
    async fn blobs_without_a_marker_are_not_claimed() {
        let (_directory, local) = local();
        for store in [memory(), local] {
            write(&store, BlobId::new(1, 1), &data(10), 10)
                .await
                .unwrap();
            assert!(matches!(store.claim(OURS).await, Err(StoreError::NotEmpty)));
            assert!(matches!(
                store.verify(OURS).await,
                Err(StoreError::MarkerMissing { .. })
            ));
        }
    }

    #[tokio::test]
    async fn a_damaged_marker_is_not_overwritten() {
        let store = memory();
        for text in ["", "bucketry store x\n", "another file\n"] {
            store
                .store
                .put(&store.layout.marker(), text.into())
                .await
                .unwrap();
            assert!(matches!(
                store.claim(OURS).await,
                Err(StoreError::MarkerMalformed)
            ));
            assert!(matches!(
                store.verify(OURS).await,
                Err(StoreError::MarkerMalformed)
            ));
        }
    }
}
