//! The state machine over the bytes of the body.

use bytes::{Buf, Bytes, BytesMut};
use sha2::{Digest, Sha256};

use super::framing::{ChunkError, Framing, MAX_CHUNK_HEADER, MAX_TRAILER, parse_header};
use crate::checksum::{ClientChecksum, DigestError, algorithm_of_header};
use crate::sigv4::hex_signature;

/// S3 refuses smaller signed chunks, the last one excepted: each costs a signature.
const MIN_SIGNED_CHUNK: u64 = 8192;

/// MinIO's clients end an unsigned trailer with one empty line too many.
const MAX_EPILOGUE: usize = 4;

const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

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
    checksum: Option<ClientChecksum>,
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
                State::Data { left } => return self.take_data(input, left).map(Some),
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
        }
        Ok(None)
    }

    /// Agrees that the body was complete and everything in it signed and announced; hands out the
    /// checksum of the trailer, if one came.
    ///
    /// # Errors
    /// `Truncated`; `WrongLength` if the data is shorter than declared.
    pub fn finish(self) -> Result<Option<ClientChecksum>, ChunkError> {
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
        if size == 0 {
            self.verify_chunk()
        } else {
            Ok(())
        }
    }

    /// The last piece of a chunk is handed out only if the chunk's signature is good.
    fn take_data(&mut self, input: &mut Bytes, left: u64) -> Result<Bytes, ChunkError> {
        let available = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
        let data = input.split_to(available);
        if self.framing.is_signed() {
            self.hasher.update(&data);
        }
        // A usize always fits into 64 bits here; the sum was checked when the chunk began.
        let taken = data.len() as u64;
        self.decoded += taken;
        let left = left - taken;
        if left > 0 {
            self.state = State::Data { left };
            return Ok(data);
        }
        self.state = State::DataEnd { seen: 0 };
        self.verify_chunk()?;
        Ok(data)
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

    fn verify_chunk(&mut self) -> Result<(), ChunkError> {
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
        self.take_trailer_field(&name.to_ascii_lowercase(), value.trim_matches([' ', '\t']))
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
        let algorithm = algorithm_of_header(name).ok_or(ChunkError::MalformedTrailer)?;
        if self.framing.announced() != Some(algorithm) || self.trailer.checksum.is_some() {
            return Err(ChunkError::MalformedTrailer);
        }
        let checksum = ClientChecksum::parse(algorithm, value);
        self.trailer.checksum =
            Some(checksum.map_err(|_| DigestError::InvalidTrailer { algorithm })?);
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

#[cfg(test)]
mod tests;
