//! The file of a blob that is being written.

use std::fs::File;
use std::io::{self, IoSlice, Write as _};

use bytes::Bytes;
use rustix::fs::AtFlags;

use super::directory_syncs::DirectorySyncs;
use super::tree::Tree;
use bucketry_domain::BlobId;

/// The most bytes that one call writes: 64 KiB with a checksum fit in. The kernel takes memory for the page cache in pieces
/// as long as the write, and long ones are expensive on a virtual machine that returns free memory to its host (measured:
/// a write of 1 MiB costs up to four times as much).
const WRITE_LENGTH: usize = 68 * 1024;

/// A file under its final name. The name is reserved for it and used once, so no one reads it before it is complete, and
/// what a crash leaves of it is found as a blob of a reservation that nothing refers to.
#[derive(Debug)]
pub(super) struct NewFile {
    id: BlobId,
    file: File,
}

impl NewFile {
    /// Fails if the name exists.
    pub(super) fn create(tree: &Tree, syncs: &DirectorySyncs, id: BlobId) -> io::Result<Self> {
        let created = tree.create_blob(id);
        let file = match created {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                syncs.make(tree, id.batch)?;
                tree.create_blob(id)?
            }
            created => created?,
        };
        Ok(Self { id, file })
    }

    pub(super) fn id(&self) -> BlobId {
        self.id
    }

    /// Appends `pieces`.
    pub(super) fn write<'a>(&self, pieces: impl Iterator<Item = &'a Bytes>) -> io::Result<()> {
        let mut slices = Vec::new();
        let mut length = 0;
        for piece in pieces {
            let mut rest: &[u8] = piece;
            while !rest.is_empty() {
                let (part, more) = rest.split_at(rest.len().min(WRITE_LENGTH - length));
                slices.push(IoSlice::new(part));
                length += part.len();
                rest = more;
                if length == WRITE_LENGTH {
                    write_all(&self.file, std::mem::take(&mut slices))?;
                    length = 0;
                }
            }
        }
        write_all(&self.file, slices)
    }

    /// Makes the content durable. The name is not: its directory must be synced afterwards.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()?;
        // Another node that considers this one dead may have collected the file.
        if rustix::fs::fstat(&self.file)?.st_nlink == 0 {
            return Err(io::Error::other(
                "the file was removed before it was complete",
            ));
        }
        Ok(())
    }

    /// Removes the file, which nothing refers to. If that fails, the collector removes it.
    pub(super) fn remove(&self, tree: &Tree) {
        let removed = tree.batch(self.id.batch).and_then(|directory| {
            let name = super::id::name(self.id);
            Ok(rustix::fs::unlinkat(&directory, name, AtFlags::empty())?)
        });
        if let Err(error) = removed {
            tracing::debug!(id = %self.id, %error, "cannot remove an unfinished blob");
        }
    }
}

fn write_all(mut file: &File, mut slices: Vec<IoSlice<'_>>) -> io::Result<()> {
    let mut rest = slices.as_mut_slice();
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut rest, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
