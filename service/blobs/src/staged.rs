//! Files of a local store that replace one another, or that are read before they are known to be complete: written under
//! another name and then renamed.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path as FilePath, PathBuf};

use object_store::{PutMode, PutPayload};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, OFlags};

use super::tree::{FILE_MODE, Tree};

/// A file other than a blob that is being written, or one that replaces another: `NAME#ATTEMPT` beside its final name.
#[derive(Debug)]
pub(super) struct Staged {
    directory: OwnedFd,
    file: File,
    staging: PathBuf,
    name: PathBuf,
}

impl Staged {
    pub(super) fn create(tree: &Tree, place: &FilePath) -> io::Result<Self> {
        let parent = place.parent().unwrap_or(FilePath::new(""));
        let name = PathBuf::from(place.file_name().unwrap_or_default());
        let directory = tree.make_directory(parent)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mut attempt = 1_u32;
        loop {
            let mut staging = name.clone().into_os_string();
            staging.push(format!("#{attempt}"));
            match rustix::fs::openat(&directory, &staging, flags, FILE_MODE) {
                Ok(file) => {
                    return Ok(Self {
                        directory,
                        file: file.into(),
                        staging: staging.into(),
                        name,
                    });
                }
                Err(rustix::io::Errno::EXIST) => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Makes the file durable under its name. On an error nothing of it stays, as far as the disk allows.
    pub(super) fn publish(&self, mode: &PutMode) -> io::Result<()> {
        let published = self.try_publish(mode);
        if published.is_err() {
            self.discard();
        }
        published
    }

    fn try_publish(&self, mode: &PutMode) -> io::Result<()> {
        self.file.sync_all()?;
        let (directory, staging, name) = (&self.directory, &self.staging, &self.name);
        match mode {
            // Fails if the name exists.
            PutMode::Create => {
                rustix::fs::linkat(directory, staging, directory, name, AtFlags::empty())?;
                rustix::fs::unlinkat(directory, staging, AtFlags::empty())?;
            }
            PutMode::Overwrite | PutMode::Update(_) => {
                rustix::fs::renameat(directory, staging, directory, name)?;
            }
        }
        Ok(rustix::fs::fsync(directory)?)
    }

    /// Removes what was written. A failure leaves a file that the next start removes.
    fn discard(&self) {
        let removed = rustix::fs::unlinkat(&self.directory, &self.staging, AtFlags::empty());
        if let Err(error) = removed {
            tracing::debug!(file = %self.staging.display(), %error, "cannot remove an unfinished file");
        }
    }

    /// Removes the published file, which nothing refers to yet.
    pub(super) fn take_back(&self) {
        let removed = rustix::fs::unlinkat(&self.directory, &self.name, AtFlags::empty());
        if let Err(error) = removed {
            tracing::warn!(file = %self.name.display(), %error, "cannot remove a blob that was written too late");
        }
    }

    /// Writes a whole file and makes it durable.
    pub(super) fn put(
        tree: &Tree,
        place: &FilePath,
        payload: &PutPayload,
        mode: &PutMode,
    ) -> io::Result<Self> {
        let mut staged = Self::create(tree, place)?;
        let written = payload
            .iter()
            .try_for_each(|piece| staged.file.write_all(piece));
        if let Err(error) = written {
            staged.discard();
            return Err(error);
        }
        staged.publish(mode)?;
        Ok(staged)
    }
}
