//! What the framing may look like, and what can be wrong with it.

use bucketry_domain::ChecksumAlgorithm;

use super::signer::ChunkSigner;
use crate::checksum::DigestError;
use crate::sigv4::hex_signature;

/// A size and a signature need 100 bytes.
pub(super) const MAX_CHUNK_HEADER: usize = 1024;

/// One checksum and a signature need 200 bytes.
pub(super) const MAX_TRAILER: usize = 16 * 1024;

/// 16 hex digits hold any 64-bit size.
const MAX_SIZE_DIGITS: usize = 16;

/// How the body is framed, and what signs it.
#[derive(Debug, Clone)]
pub enum Framing {
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`.
    Signed(ChunkSigner),
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`, with the trailer that was announced.
    SignedTrailer(ChunkSigner, Option<ChecksumAlgorithm>),
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`, with the trailer that was announced.
    UnsignedTrailer(Option<ChecksumAlgorithm>),
}

impl Framing {
    pub(super) fn signer(&mut self) -> Option<&mut ChunkSigner> {
        match self {
            Self::Signed(signer) | Self::SignedTrailer(signer, _) => Some(signer),
            Self::UnsignedTrailer(_) => None,
        }
    }

    pub(super) fn is_signed(&self) -> bool {
        match self {
            Self::Signed(_) | Self::SignedTrailer(..) => true,
            Self::UnsignedTrailer(_) => false,
        }
    }

    pub(super) fn has_trailer(&self) -> bool {
        match self {
            Self::Signed(_) => false,
            Self::SignedTrailer(..) | Self::UnsignedTrailer(_) => true,
        }
    }

    pub(super) fn announced(&self) -> Option<ChecksumAlgorithm> {
        match self {
            Self::Signed(_) => None,
            Self::SignedTrailer(_, announced) | Self::UnsignedTrailer(announced) => *announced,
        }
    }
}

/// Why a body was refused. After one of these nothing of it may be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// The framing is broken: a size that is no plain hex number, a missing CRLF, an unknown
    /// extension, bytes behind the end.
    #[error("malformed chunk framing")]
    Malformed,
    /// The header of a chunk is longer than 1 KiB.
    #[error("chunk header longer than {MAX_CHUNK_HEADER} bytes")]
    HeaderTooLong,
    /// The trailer is longer than 16 KiB.
    #[error("trailer longer than {MAX_TRAILER} bytes")]
    TrailerTooLong,
    /// A signed chunk that is not the last is smaller than 8 KiB.
    #[error("chunk {number} of {bytes} bytes is too small")]
    ChunkTooSmall {
        /// Its number, from 1.
        number: u64,
        /// Its size.
        bytes: u64,
    },
    /// A chunk or the trailer has another signature.
    #[error("chunk or trailer signature does not match")]
    SignatureMismatch,
    /// The data is longer or shorter than `x-amz-decoded-content-length`.
    #[error("decoded length is not {declared}")]
    WrongLength {
        /// As declared.
        declared: u64,
    },
    /// The body ended within the framing.
    #[error("the body ends early")]
    Truncated,
    /// The trailer was announced and did not come, came and was not announced, came twice, or is
    /// not `name:value`.
    #[error("malformed trailer")]
    MalformedTrailer,
    /// The value in the trailer is not a checksum.
    #[error(transparent)]
    Checksum(#[from] DigestError),
}

/// `<hex>` or `<hex>;chunk-signature=<hex>`, and nothing else.
pub(super) fn parse_header(header: &[u8]) -> Result<(u64, Option<[u8; 32]>), ChunkError> {
    let (size, signature) = match header.iter().position(|byte| *byte == b';') {
        None => (header, None),
        Some(at) => {
            let (size, extension) = header.split_at(at);
            let claimed = extension
                .strip_prefix(b";chunk-signature=")
                .and_then(hex_signature)
                .ok_or(ChunkError::Malformed)?;
            (size, Some(claimed))
        }
    };
    // The number parser would take a sign.
    let plain =
        size.iter().all(u8::is_ascii_hexdigit) && (1..=MAX_SIZE_DIGITS).contains(&size.len());
    let text = std::str::from_utf8(size).ok().filter(|_| plain);
    let size = text.and_then(|text| u64::from_str_radix(text, 16).ok());
    Ok((size.ok_or(ChunkError::Malformed)?, signature))
}
