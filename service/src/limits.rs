//! The limits that S3 publishes and clients rely on.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>

/// The largest object: 5 TiB.
pub(crate) const MAX_OBJECT_BYTES: u64 = 5 * 1024 * 1024 * 1024 * 1024;
/// The smallest part but the last: 5 MiB.
pub(crate) const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;
/// The most parts of one upload.
pub(crate) const MAX_PARTS: u16 = 10_000;
/// Names and values of user metadata together.
pub(crate) const MAX_METADATA_BYTES: usize = 2048;
/// Keys in one batch delete.
pub(crate) const MAX_DELETES: usize = 1000;
/// Entries of one page of a listing.
pub(crate) const MAX_PAGE: u32 = 1000;
