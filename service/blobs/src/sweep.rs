//! Removing what earlier versions left of unfinished uploads: they wrote blobs under temporary names. What a crash leaves
//! under a final name is found by its reservation.

use std::time::SystemTime;

use rustix::fd::OwnedFd;
use rustix::fs::AtFlags;

use super::bounded::UPKEEP_LIMIT;
use super::disk_threads::Work;
use super::error::StoreError;
use super::layout;
use super::list::{file_names, open_fan, regular_file};
use super::local::LocalDisk;
use super::store::{Backend, BlobStore};

impl BlobStore {
    /// Removes the temporary files of uploads that were under way when a process of an earlier version ended, if they were last
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
        let Backend::Local(disk) = &self.backend else {
            return Ok(0);
        };
        let mut removed = 0;
        for fan in layout::fan_names() {
            let sweep = move |disk: &LocalDisk| sweep(disk, &fan, before);
            removed += disk.run(Work::Upkeep, UPKEEP_LIMIT, sweep).await??;
        }
        Ok(removed)
    }
}

fn sweep(disk: &LocalDisk, fan: &str, before: SystemTime) -> Result<u64, StoreError> {
    let Some(directory) = open_fan(&disk.tree, fan)? else {
        return Ok(0);
    };
    let mut removed = 0;
    for name in file_names(&directory).map_err(StoreError::Directory)? {
        if layout::is_staging_name(&name)
            && is_older(&directory, &name, before)
            && rustix::fs::unlinkat(&directory, name.as_str(), AtFlags::empty()).is_ok()
        {
            removed += 1;
        }
    }
    Ok(removed)
}

/// A file that vanishes meanwhile is that of an upload that ended: not ours to remove.
fn is_older(directory: &OwnedFd, name: &str, before: SystemTime) -> bool {
    matches!(regular_file(directory, name), Ok(Some(file)) if file.modified < before)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::samples::{data, local, memory, write};
    use super::*;
    use bucketry_domain::BlobId;

    #[tokio::test]
    async fn only_old_leftovers_go() {
        let (directory, store) = local();
        let id = BlobId::new(1, 1);
        write(&store, id, &data(100), 100).await.unwrap();
        let folder = (directory.path()).join(layout::batch_place(bucketry_domain::BlobBatchId(1)));
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
