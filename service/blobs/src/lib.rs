//! Immutable blobs in a directory, in memory or in a cloud's object store.
//!
//! A blob is written once under a generated [`BlobId`], is durable when [`BlobWriter::finish`]
//! returns, is never changed afterwards and is deleted by id. What a blob means, who refers to it
//! and when it may go is the catalog's business: nothing here knows buckets or keys.
//!
//! Guarantees:
//!
//! - `finish` returns `Ok` only after the store has said that the whole blob is durable; a failed
//!   write or fsync is never tried again on the same blob.
//! - A read yields exactly the bytes that were written or [`BlobError::Corrupt`]: each block of
//!   256 KiB carries a checksum over its data, the blob's id and its position (see `block`).
//! - Memory is bounded: all writers together by [`BlobStoreOptions::write_memory`], each reader
//!   by one block (local) or two fetches (cloud).
//!
//! The clock is the caller's: times are passed in.

// Tests spawn unnamed tasks.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

mod active;
mod block;
mod bounded;
mod buffers;
mod cloud;
mod delete;
mod directory_syncs;
mod disk_threads;
mod error;
mod extents;
#[cfg(test)]
mod faults;
mod id;
mod layout;
mod list;
mod local;
mod local_upload;
mod marker;
mod new_file;
mod probe;
mod read;
mod read_local;
mod read_remote;
mod room;
#[cfg(test)]
mod samples;
mod staged;
mod store;
mod sweep;
mod tree;
mod unusable;
mod url;
mod writer;

pub use active::ActiveRead;
pub use block::{BLOCK_LENGTH, logical_length, physical_length};
pub use delete::DeleteReport;
pub use error::{BlobError, StoreError};
pub use extents::RangeOutside;
pub use list::StoredBlob;
pub use probe::StoreFault;
pub use read::BlobStream;
pub use room::NoRoom;
pub use store::{BlobStore, BlobStoreOptions, DEFAULT_STORE_TIMEOUT};
pub use unusable::UnusableStore;
pub use url::{CloudLocation, StoreUrl, StoreUrlError};
pub use writer::{BlobWriter, BlobWritten};
