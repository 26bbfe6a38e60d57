//! The paths of a store: the only module that formats or parses one.
//!
//! ```text
//! <root>/marker                               the id of the store
//! <root>/blobs/<fan>/<batch>-<index>          a blob; all three in lower-case hexadecimal
//! ```
//!
//! `fan` is the lowest byte of the batch: 256 directories, and the blobs of one batch in one of
//! them, so that a batch is listed, and its deletions are synced, with one directory.

use std::path::{Path as FilePath, PathBuf};

use object_store::path::Path;

use bucketry_domain::{BlobBatchId, BlobId};

pub(super) const MARKER: &str = "marker";
pub(super) const BLOBS: &str = "blobs";

/// Where things are below the root of a store.
#[derive(Clone, Debug)]
pub(super) struct StoreLayout {
    root: Path,
}

impl StoreLayout {
    /// The layout below `root`, which is empty for a store that has a bucket or directory to
    /// itself.
    pub(super) fn new(root: Path) -> Self {
        Self { root }
    }

    pub(super) fn marker(&self) -> Path {
        self.root.clone().join(MARKER)
    }

    /// The directory of all blobs.
    pub(super) fn blobs(&self) -> Path {
        self.root.clone().join(BLOBS)
    }

    /// The directory that holds all blobs of `batch`.
    pub(super) fn batch(&self, batch: BlobBatchId) -> Path {
        self.blobs().join(fan(batch))
    }

    pub(super) fn blob(&self, id: BlobId) -> Path {
        self.batch(id.batch).join(super::id::name(id))
    }

    /// The blob at `path`, or `None` where something else lies in the directory of blobs.
    pub(super) fn parse(path: &Path) -> Option<BlobId> {
        parse_name(path.filename()?)
    }
}

/// The file of a blob below the directory of a local store.
///
/// The same place as [`StoreLayout::blob`] with an empty root, without the detour through a URL that
/// makes object_store's own conversion cost more than opening the file.
pub(super) fn blob_file(root: &FilePath, id: BlobId) -> PathBuf {
    let mut path = root.join(BLOBS);
    path.push(fan(id.batch));
    path.push(super::id::name(id));
    path
}

/// The file of a blob, relative to the root of a local store.
pub(super) fn blob_place(id: BlobId) -> PathBuf {
    blob_file(FilePath::new(""), id)
}

/// The directory that holds all blobs of `batch`, relative to the root of a local store.
pub(super) fn batch_place(batch: BlobBatchId) -> PathBuf {
    fan_place(&fan(batch))
}

/// The directory `fan`, relative to the root of a local store.
pub(super) fn fan_place(fan: &str) -> PathBuf {
    FilePath::new(BLOBS).join(fan)
}

/// The blob of a file called `name` in the directory `fan`; none for other files.
pub(super) fn parse_file(fan_name: &str, name: &str) -> Option<BlobId> {
    parse_name(name).filter(|id| fan(id.batch) == fan_name)
}

/// The names of the directories below the directory of blobs.
pub(super) fn fan_names() -> impl Iterator<Item = String> {
    (0..=u8::MAX).map(|byte| format!("{byte:02x}"))
}

/// Whether `name` is a file that an earlier version was writing when it ended: a blob's name, `#` and a number.
pub(super) fn is_staging_name(name: &str) -> bool {
    name.split_once('#').is_some_and(|(blob, attempt)| {
        parse_name(blob).is_some()
            && !attempt.is_empty()
            && attempt.bytes().all(|b| b.is_ascii_digit())
    })
}

/// The name of the directory of a batch.
pub(super) fn fan(batch: BlobBatchId) -> String {
    format!("{:02x}", fan_number(batch))
}

/// The number of the directory of a batch.
pub(super) fn fan_number(batch: BlobBatchId) -> u8 {
    let [.., lowest] = batch.0.to_be_bytes();
    lowest
}

fn parse_name(name: &str) -> Option<BlobId> {
    let (batch, index) = name.split_once('-')?;
    let id = BlobId {
        batch: BlobBatchId(i64::from_be_bytes(
            u64::from_str_radix(batch, 16).ok()?.to_be_bytes(),
        )),
        index: u16::from_str_radix(index, 16).ok()?,
    };
    // Only the one spelling: no signs, no capitals, no missing zeros.
    (super::id::name(id) == name).then_some(id)
}

#[cfg(test)]
mod tests {
    use object_store::local::LocalFileSystem;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_blob_has_one_place() {
        let layout = StoreLayout::new(Path::default());
        let path = layout.blob(BlobId::new(0x1234, 10));
        assert_eq!(path.as_ref(), "blobs/34/0000000000001234-000a");
        assert_eq!(layout.marker().as_ref(), "marker");
        assert_eq!(fan_names().count(), 256);
    }

    #[test]
    fn other_spellings_are_not_blobs() {
        for name in [
            "0000000000001234-000A",
            "1234-a",
            "+000000000001234-000a",
            "0000000000001234-000a#1",
            "0000000000001234",
            "marker",
        ] {
            assert_eq!(parse_name(name), None, "{name}");
        }
    }

    #[test]
    fn staging_names_are_told_from_blobs() {
        assert!(is_staging_name("0000000000001234-000a#12"));
        for name in [
            "0000000000001234-000a",
            "x#1",
            "0000000000001234-000a#",
            "0000000000001234-000a#x",
        ] {
            assert!(!is_staging_name(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn paths_round_trip(batch: i64, index: u16, root in "[a-z]{0,3}(/[a-z]{1,3}){0,2}") {
            let id = BlobId::new(batch, index);
            let path = StoreLayout::new(Path::from(root)).blob(id);
            prop_assert_eq!(StoreLayout::parse(&path), Some(id));
        }

        #[test]
        fn the_file_is_where_object_store_looks(batch: i64, index: u16) {
            let directory = tempfile::tempdir().unwrap();
            let store = LocalFileSystem::new_with_prefix(directory.path()).unwrap();
            let root = std::fs::canonicalize(directory.path()).unwrap();
            let id = BlobId::new(batch, index);
            let theirs = store.path_to_filesystem(&StoreLayout::new(Path::default()).blob(id)).unwrap();
            prop_assert_eq!(blob_file(&root, id), theirs);
        }
    }
}
