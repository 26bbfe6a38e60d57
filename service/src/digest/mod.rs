//! Digests of object data: MD5 for ETags, and the checksums that S3 knows.

mod combine;
mod digests;
mod task;
mod value;

pub use combine::{
    CombineError, MultipartDigest, combine_full_object, composite_checksum, multipart_digest,
};
pub use digests::{DigestSet, DigestValues, Digests};
pub use task::{DigestInterrupted, DigestTask};
pub use value::ChecksumValue;
