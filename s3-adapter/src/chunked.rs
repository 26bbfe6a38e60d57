//! aws-chunked, decoded incrementally and without copying.
//!
//! ```text
//! <size in hex>[;chunk-signature=<64 hex digits>] CRLF <data> CRLF   repeated
//! 0[;chunk-signature=<64 hex digits>] CRLF
//! [<name>:<value> (CR)LF  x-amz-trailer-signature:<64 hex digits> CRLF]
//! CRLF
//! ```
//!
//! The data of a chunk, its last piece excepted, is handed out before its signature is known (a
//! chunk may be larger than memory): the caller stages it and publishes nothing before [`ChunkDecoder::finish`] has agreed.

mod decoder;
mod framing;
mod signer;

pub use decoder::ChunkDecoder;
pub use framing::{ChunkError, Framing};
pub use signer::{ChunkSigner, ChunkSigningKey};
