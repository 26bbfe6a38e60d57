//! The name of a blob.

use std::fmt;

/// The id of one blob: a batch that the catalog reserved, and a place in that batch.
///
/// An id is used for one write only, whether the write succeeds or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId {
    /// The batch, as numbered by the catalog.
    pub batch: i64,
    /// The place in the batch.
    pub index: u32,
}

impl BlobId {
    /// The id of place `index` in `batch`.
    #[must_use]
    pub const fn new(batch: i64, index: u32) -> Self {
        Self { batch, index }
    }

    /// The id as bytes, mixed into every block checksum so that a block which turns up under
    /// another name is recognised.
    pub(super) fn to_bytes(self) -> [u8; 12] {
        let [a, b, c, d, e, f, g, h] = self.batch.to_be_bytes();
        let [i, j, k, l] = self.index.to_be_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l]
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{:08x}", self.batch, self.index)
    }
}
