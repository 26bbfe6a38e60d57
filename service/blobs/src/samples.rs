//! Stores and data for the tests of this module.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures::StreamExt;
use object_store::ObjectStoreExt;
use tempfile::TempDir;

use super::error::BlobError;
use super::faults::{Call, FaultyStore, Harm};
use super::store::{BlobStore, BlobStoreOptions};
use super::url::StoreUrl;
use bucketry_catalog::model::Extent;
use bucketry_domain::BlobId;

pub(super) const MIB: usize = 1024 * 1024;

pub(super) fn memory() -> BlobStore {
    BlobStore::open(&StoreUrl::Memory, &BlobStoreOptions::default()).unwrap()
}

/// A local store in a directory that goes when the first value is dropped.
pub(super) fn local() -> (TempDir, BlobStore) {
    let directory = tempfile::tempdir().unwrap();
    let url = StoreUrl::Local(directory.path().to_owned());
    let store = BlobStore::open(&url, &BlobStoreOptions::default()).unwrap();
    (directory, store)
}

pub(super) fn with_fault(mut store: BlobStore, call: Call, nth: usize, harm: Harm) -> BlobStore {
    store.store = Arc::new(FaultyStore::new(store.store, call, nth, harm));
    store
}

/// Data without a period that a block or part could share.
pub(super) fn data(length: usize) -> Bytes {
    (0..length)
        .map(|i| (i * 31 + i / 251 + i / 65_521) as u8)
        .collect()
}

pub(super) async fn write(
    store: &BlobStore,
    id: BlobId,
    data: &Bytes,
    piece: usize,
) -> Result<(), BlobError> {
    let mut writer = store.writer(id, Some(data.len() as u64));
    let mut rest = data.clone();
    while !rest.is_empty() {
        writer.write(rest.split_to(piece.min(rest.len()))).await?;
    }
    let written = writer.finish().await?;
    assert_eq!((written.id, written.length), (id, data.len() as u64));
    Ok(())
}

pub(super) fn whole(id: BlobId, length: usize) -> Extent {
    Extent {
        blob: id,
        offset: 0,
        length: length as u64,
    }
}

/// The bytes read before the first error, and that error.
pub(super) async fn read(
    store: &BlobStore,
    extents: &[Extent],
    range: Range<u64>,
) -> (Vec<u8>, Option<BlobError>) {
    let mut stream = match store.read(store.begin_read(Instant::now()), extents, range) {
        Ok(stream) => stream,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut bytes = Vec::new();
    let mut failure = None;
    while let Some(next) = stream.next().await {
        assert!(failure.is_none(), "a stream goes on after an error");
        match next {
            Ok(chunk) => {
                assert!(!chunk.is_empty() && chunk.len() <= 256 * 1024);
                bytes.extend_from_slice(&chunk);
            }
            Err(error) => failure = Some(error),
        }
    }
    (bytes, failure)
}

/// The stored form of a blob.
pub(super) async fn stored(store: &BlobStore, id: BlobId) -> Vec<u8> {
    let got = store.store.get(&store.layout.blob(id)).await.unwrap();
    got.bytes().await.unwrap().to_vec()
}

/// Replaces the stored form of a blob.
pub(super) async fn damage(store: &BlobStore, id: BlobId, stored: Vec<u8>) {
    let path = store.layout.blob(id);
    store.store.put(&path, stored.into()).await.unwrap();
}
