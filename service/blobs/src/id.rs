//! The bytes and the name of a blob's id.

use bucketry_domain::BlobId;

/// The id as bytes, mixed into every block checksum so that a block which turns up under another name is recognised.
pub(super) fn bytes(id: BlobId) -> [u8; 10] {
    let [a, b, c, d, e, f, g, h] = id.batch.0.to_be_bytes();
    let [i, j] = id.index.to_be_bytes();
    [a, b, c, d, e, f, g, h, i, j]
}

/// The id as the last part of a path: `batch-index` in hexadecimal digits.
pub(super) fn name(id: BlobId) -> String {
    format!("{:016x}-{:04x}", id.batch.0, id.index)
}
