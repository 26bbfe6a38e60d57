//! Removing what a crash left of unfinished uploads.

use std::io;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::SystemTime;

use super::error::StoreError;
use super::layout;
use super::store::{Backend, BlobStore};

impl BlobStore {
    /// Removes the files of uploads that were under way when a process ended, if they were last
    /// written before `before`, and returns how many those were. A store of one process gives the
    /// time of its start; where several share a directory, a time that no upload outlasts.
    ///
    /// Clouds keep the parts of unfinished uploads until a lifecycle rule of the bucket removes
    /// them; here nothing is done about those.
    ///
    /// # Errors
    ///
    /// [`StoreError::Directory`] where a directory cannot be read.
    pub async fn sweep_staging(&self, before: SystemTime) -> Result<u64, StoreError> {
        let Backend::Local(root) = &self.backend else {
            return Ok(0);
        };
        let root = Arc::clone(root);
        tokio::task::spawn_blocking(move || sweep(&root, before))
            .await
            .map_err(|_| StoreError::Interrupted)?
            .map_err(StoreError::Directory)
    }
}

fn sweep(root: &FilePath, before: SystemTime) -> io::Result<u64> {
    let mut removed = 0;
    for name in layout::fan_names() {
        let entries = match std::fs::read_dir(layout::blobs_directory(root).join(name)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let staged = entry
                .file_name()
                .to_str()
                .is_some_and(layout::is_staging_name);
            if staged && is_older(&entry, before) && std::fs::remove_file(entry.path()).is_ok() {
                removed += 1;
            }
        }
    }
    Ok(removed)
}

/// A file that vanishes meanwhile is somebody's upload that ended: not ours to remove.
fn is_older(entry: &std::fs::DirEntry, before: SystemTime) -> bool {
    entry
        .metadata()
        .and_then(|metadata| metadata.modified())
        .is_ok_and(|modified| modified < before)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::samples::{data, local, memory, write};
    use super::*;
    use crate::domain::BlobId;

    #[tokio::test]
    async fn only_old_leftovers_go() {
        let (directory, store) = local();
        let id = BlobId::new(1, 1);
        write(&store, id, &data(100), 100).await.unwrap();
        let folder = layout::batch_directory(directory.path(), crate::domain::BlobBatchId(1));
        let leftover = folder.join(format!("{}#1", super::super::id::name(BlobId::new(1, 2))));
        let foreign = folder.join("notes#1");
        for file in [&leftover, &foreign] {
            std::fs::write(file, "x").unwrap();
        }
        let written = std::fs::metadata(&leftover).unwrap().modified().unwrap();
        assert_eq!(store.sweep_staging(written).await.unwrap(), 0);
        let later = written + Duration::from_secs(1);
        assert_eq!(store.sweep_staging(later).await.unwrap(), 1);
        assert!(!leftover.exists() && foreign.exists());
        assert!(store.stat(id).await.unwrap().is_some());
        assert_eq!(memory().sweep_staging(later).await.unwrap(), 0);
    }
}
