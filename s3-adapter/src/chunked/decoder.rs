//! The state machine over the bytes of the body.

use bytes::{Buf, Bytes, BytesMut};
use sha2::{Digest, Sha256};

use super::signer::ChunkSigner;
use crate::checksum::{Checksum, ChecksumAlgorithm, DigestError};
use crate::sigv4::hex_signature;

/// A size and a signature need 100 bytes.
const MAX_CHUNK_HEADER: usize = 1024;

/// One checksum and a signature need 200 bytes.
const MAX_TRAILER: usize = 16 * 1024;

/// S3 refuses smaller signed chunks, the last one excepted: each costs a signature.
const MIN_SIGNED_CHUNK: u64 = 8192;

/// 16 hex digits hold any 64-bit size.
const MAX_SIZE_DIGITS: usize = 16;

/// MinIO's clients end an unsigned trailer with one empty line too many.
const MAX_EPILOGUE: usize = 4;

const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

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
    fn signer(&mut self) -> Option<&mut ChunkSigner> {
        match self {
            Self::Signed(signer) | Self::SignedTrailer(signer, _) => Some(signer),
            Self::UnsignedTrailer(_) => None,
        }
    }

    fn is_signed(&self) -> bool {
        match self {
            Self::Signed(_) | Self::SignedTrailer(..) => true,
            Self::UnsignedTrailer(_) => false,
        }
    }

    fn has_trailer(&self) -> bool {
        match self {
            Self::Signed(_) => false,
            Self::SignedTrailer(..) | Self::UnsignedTrailer(_) => true,
        }
    }

    fn announced(&self) -> Option<ChecksumAlgorithm> {
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Data {
        left: u64,
    },
    /// The CRLF behind the data; how many bytes of it have come.
    DataEnd {
        seen: usize,
    },
    Trailer,
    /// The CRLF behind the last chunk where there is no trailer.
    FinalEnd {
        seen: usize,
    },
    Done {
        epilogue: usize,
    },
}

/// Decodes one body. Feed it with [`ChunkDecoder::next`], then ask [`ChunkDecoder::finish`].
#[derive(Debug)]
pub struct ChunkDecoder {
    framing: Framing,
    declared_length: u64,
    decoded: u64,
    state: State,
    /// The line being read, where it spans several pieces of input.
    line: BytesMut,
    hasher: Sha256,
    chunk_signature: Option<[u8; 32]>,
    chunk_size: u64,
    chunks: u64,
    trailer: Trailer,
}

/// What the trailer said so far.
#[derive(Debug, Default)]
struct Trailer {
    bytes: usize,
    checksum: Option<Checksum>,
    canonical: String,
    signed: bool,
}

impl ChunkDecoder {
    /// `declared_length` is `x-amz-decoded-content-length`.
    #[must_use]
    pub fn new(framing: Framing, declared_length: u64) -> Self {
        Self {
            framing,
            declared_length,
            decoded: 0,
            state: State::Header,
            line: BytesMut::new(),
            hasher: Sha256::new(),
            chunk_signature: None,
            chunk_size: 0,
            chunks: 0,
            trailer: Trailer::default(),
        }
    }

    /// Takes bytes from `input` up to the next piece of data, and hands that out, never empty and
    /// not copied. Nothing means that `input` is used up.
    ///
    /// # Errors
    /// Any [`ChunkError`] but `Truncated`; the decoder must not be used afterwards.
    pub fn next(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, ChunkError> {
        while !input.is_empty() {
            match self.state {
                State::Header => {
                    if let Some(line) =
                        self.take_line(input, MAX_CHUNK_HEADER, ChunkError::HeaderTooLong)?
                    {
                        self.start_chunk(&line)?;
                    }
                }
                State::Data { left } => return Ok(Some(self.take_data(input, left))),
                State::DataEnd { seen } => {
                    if self.take_line_end(input, seen, |seen| State::DataEnd { seen })? {
                        self.state = State::Header;
                    }
                }
                State::Trailer => self.read_trailer(input)?,
                State::FinalEnd { seen } => {
                    if self.take_line_end(input, seen, |seen| State::FinalEnd { seen })? {
                        self.state = State::Done { epilogue: 0 };
                    }
                }
                State::Done { epilogue } => self.skip_epilogue(input, epilogue)?,
            }
            self.verify_finished_chunk()?;
        }
        self.verify_finished_chunk()?;
        Ok(None)
    }

    /// Agrees that the body was complete and everything in it signed and announced; hands out the
    /// checksum of the trailer, if one came.
    ///
    /// # Errors
    /// `Truncated`; `WrongLength` if the data is shorter than declared; `MalformedTrailer` if the
    /// announced checksum is missing; `SignatureMismatch`.
    pub fn finish(mut self) -> Result<Option<Checksum>, ChunkError> {
        self.verify_finished_chunk()?;
        let State::Done { .. } = self.state else {
            return Err(ChunkError::Truncated);
        };
        if self.decoded != self.declared_length {
            return Err(ChunkError::WrongLength {
                declared: self.declared_length,
            });
        }
        Ok(self.trailer.checksum)
    }

    /// The line up to the next LF, which is the last byte of it, or nothing if it has not ended.
    fn take_line(
        &mut self,
        input: &mut Bytes,
        limit: usize,
        too_long: ChunkError,
    ) -> Result<Option<Bytes>, ChunkError> {
        let end = input
            .iter()
            .position(|byte| *byte == b'\n')
            .map(|at| at + 1);
        let taken = end.unwrap_or(input.len());
        if self.line.len() + taken > limit {
            return Err(too_long);
        }
        let piece = input.split_to(taken);
        if end.is_none() {
            self.line.extend_from_slice(&piece);
            return Ok(None);
        }
        if self.line.is_empty() {
            return Ok(Some(piece));
        }
        self.line.extend_from_slice(&piece);
        Ok(Some(self.line.split().freeze()))
    }

    fn start_chunk(&mut self, line: &[u8]) -> Result<(), ChunkError> {
        let header = line.strip_suffix(b"\r\n").ok_or(ChunkError::Malformed)?;
        let (size, signature) = parse_header(header)?;
        if signature.is_some() != self.framing.is_signed() {
            return Err(ChunkError::Malformed);
        }
        let follows_small = self.chunks > 0 && self.chunk_size < MIN_SIGNED_CHUNK;
        if size > 0 && self.framing.is_signed() && follows_small {
            return Err(ChunkError::ChunkTooSmall {
                number: self.chunks,
                bytes: self.chunk_size,
            });
        }
        let total = self
            .decoded
            .checked_add(size)
            .filter(|total| *total <= self.declared_length);
        let wrong_length = ChunkError::WrongLength {
            declared: self.declared_length,
        };
        if total.is_none() || (size == 0 && self.decoded != self.declared_length) {
            return Err(wrong_length);
        }
        self.chunk_signature = signature;
        self.chunk_size = size;
        self.chunks = self.chunks.saturating_add(1);
        self.state = match size {
            0 if self.framing.has_trailer() => State::Trailer,
            0 => State::FinalEnd { seen: 0 },
            left => State::Data { left },
        };
        Ok(())
    }

    fn take_data(&mut self, input: &mut Bytes, left: u64) -> Bytes {
        let available = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
        let data = input.split_to(available);
        if self.framing.is_signed() {
            self.hasher.update(&data);
        }
        // A usize always fits into 64 bits here; the sum was checked when the chunk began.
        let taken = data.len() as u64;
        self.decoded += taken;
        self.state = match left - taken {
            0 => State::DataEnd { seen: 0 },
            left => State::Data { left },
        };
        data
    }

    /// Takes CR and LF, one by one if need be; whether both have come.
    fn take_line_end(
        &mut self,
        input: &mut Bytes,
        mut seen: usize,
        unfinished: fn(usize) -> State,
    ) -> Result<bool, ChunkError> {
        while let Some(expected) = b"\r\n".get(seen) {
            let Some(byte) = input.first() else {
                self.state = unfinished(seen);
                return Ok(false);
            };
            if byte != expected {
                return Err(ChunkError::Malformed);
            }
            input.advance(1);
            seen += 1;
        }
        Ok(true)
    }

    /// Checks the signature of a chunk as soon as its data is complete.
    fn verify_finished_chunk(&mut self) -> Result<(), ChunkError> {
        if let State::Header | State::Data { .. } = self.state {
            return Ok(());
        }
        let Some(claimed) = self.chunk_signature.take() else {
            return Ok(());
        };
        let content: [u8; 32] = self.hasher.finalize_reset().into();
        let signer = self.framing.signer();
        match signer.is_some_and(|signer| signer.accept_chunk(content, claimed)) {
            true => Ok(()),
            false => Err(ChunkError::SignatureMismatch),
        }
    }

    fn read_trailer(&mut self, input: &mut Bytes) -> Result<(), ChunkError> {
        // The signature of the last, empty chunk comes first in the chain.
        self.verify_finished_chunk()?;
        let limit = MAX_TRAILER - self.trailer.bytes.min(MAX_TRAILER);
        let Some(line) = self.take_line(input, limit, ChunkError::TrailerTooLong)? else {
            return Ok(());
        };
        self.trailer.bytes += line.len();
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return self.end_trailer();
        }
        let text = std::str::from_utf8(line).map_err(|_| ChunkError::MalformedTrailer)?;
        let (name, value) = text.split_once(':').ok_or(ChunkError::MalformedTrailer)?;
        self.take_trailer_field(&name.to_ascii_lowercase(), value.trim())
    }

    fn take_trailer_field(&mut self, name: &str, value: &str) -> Result<(), ChunkError> {
        if self.trailer.signed {
            return Err(ChunkError::MalformedTrailer);
        }
        if name == TRAILER_SIGNATURE {
            let claimed = hex_signature(value.as_bytes()).ok_or(ChunkError::SignatureMismatch)?;
            let signer = self.framing.signer().ok_or(ChunkError::MalformedTrailer)?;
            if !signer.accept_trailer(&self.trailer.canonical, claimed) {
                return Err(ChunkError::SignatureMismatch);
            }
            self.trailer.signed = true;
            return Ok(());
        }
        let algorithm = ChecksumAlgorithm::of_header(name).ok_or(ChunkError::MalformedTrailer)?;
        if self.framing.announced() != Some(algorithm) || self.trailer.checksum.is_some() {
            return Err(ChunkError::MalformedTrailer);
        }
        self.trailer.checksum = Some(Checksum::parse(algorithm, value)?);
        self.trailer.canonical = format!("{name}:{value}\n");
        Ok(())
    }

    fn end_trailer(&mut self) -> Result<(), ChunkError> {
        // S3's documentation and MinIO's clients have an empty line before the signature.
        if self.framing.is_signed() && !self.trailer.signed {
            return Ok(());
        }
        if self.framing.announced().is_some() && self.trailer.checksum.is_none() {
            return Err(ChunkError::MalformedTrailer);
        }
        self.state = State::Done { epilogue: 0 };
        Ok(())
    }

    fn skip_epilogue(&mut self, input: &mut Bytes, epilogue: usize) -> Result<(), ChunkError> {
        let line_ends = input.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        let epilogue = epilogue + input.len();
        if !line_ends || epilogue > MAX_EPILOGUE || !self.framing.has_trailer() {
            return Err(ChunkError::Malformed);
        }
        input.clear();
        self.state = State::Done { epilogue };
        Ok(())
    }
}

/// `<hex>` or `<hex>;chunk-signature=<hex>`, and nothing else.
fn parse_header(header: &[u8]) -> Result<(u64, Option<[u8; 32]>), ChunkError> {
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
