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
