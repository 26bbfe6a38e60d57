//! The format of a blob: data blocks of 256 KiB, each followed by its checksum.
//!
//! ```text
//! | data 0, 262,144 bytes | crc | data 1, 262,144 bytes | crc | … | last data, 1..=262,144 | crc |
//! ```
//!
//! `crc` is the big-endian CRC32C of the blob's id, the block's number and the block's data. The
//! checksums lie between the blocks rather than in a table, so that any range is one contiguous
//! read. With id and number inside, a block that a disk returns for another place does not pass.
//! An empty blob has no blocks.

use bytes::{Bytes, BytesMut};
use crc_fast::{CrcAlgorithm, Digest};

use bucketry_domain::BlobId;

/// Data bytes in a block; the last block of a blob may be shorter. 256 KiB fits the second-level
/// cache, and is the chunk in which data travels everywhere.
pub const BLOCK_LENGTH: u64 = 256 * 1024;
pub(super) const BLOCK_LENGTH_USIZE: usize = 256 * 1024;

const CHECKSUM_LENGTH: usize = 4;

/// Bytes that a full block occupies.
pub(super) const BLOCK_STRIDE: u64 = BLOCK_LENGTH + CHECKSUM_LENGTH as u64;
pub(super) const BLOCK_STRIDE_USIZE: usize = BLOCK_LENGTH_USIZE + CHECKSUM_LENGTH;

/// Pieces below this length are copied together. A client that sends single bytes would otherwise
/// cost a handle and a write each.
const COALESCE_BELOW: usize = 4 * 1024;
const COALESCE_BUFFER: usize = 16 * 1024;

/// The stored length of a blob with `length` bytes of data.
#[must_use]
pub fn physical_length(length: u64) -> u64 {
    length + length.div_ceil(BLOCK_LENGTH) * CHECKSUM_LENGTH as u64
}

/// The length of the data of a blob whose stored length is `physical`, or `None` where no blob
/// has that length (a cut checksum, or one without data).
#[must_use]
pub fn logical_length(physical: u64) -> Option<u64> {
    let blocks = physical.div_ceil(BLOCK_STRIDE);
    let length = physical.checked_sub(blocks * CHECKSUM_LENGTH as u64)?;
    (physical_length(length) == physical).then_some(length)
}

/// The part of one block that a read wants: `skip` bytes into its data, `take` bytes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockSpan {
    pub(super) block: u64,
    pub(super) skip: usize,
    pub(super) take: usize,
}

impl BlockSpan {
    /// Where the block begins in the stored blob.
    pub(super) fn physical_start(self) -> u64 {
        self.block * BLOCK_STRIDE
    }
}

/// The spans that cover `length` bytes of data from `offset`, in order.
#[derive(Clone, Debug)]
pub(super) struct BlockSpans {
    offset: u64,
    remaining: u64,
}

impl BlockSpans {
    pub(super) fn new(offset: u64, length: u64) -> Self {
        Self {
            offset,
            remaining: length,
        }
    }
}

impl Iterator for BlockSpans {
    type Item = BlockSpan;

    fn next(&mut self) -> Option<BlockSpan> {
        if self.remaining == 0 {
            return None;
        }
        let skip = self.offset % BLOCK_LENGTH;
        let take = self.remaining.min(BLOCK_LENGTH - skip);
        let span = BlockSpan {
            block: self.offset / BLOCK_LENGTH,
            skip: skip as usize,
            take: take as usize,
        };
        self.offset += take;
        self.remaining -= take;
        Some(span)
    }
}

/// A block did not carry the checksum of its data and place, or was cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockDamaged;

/// Checks `stored`, which is a whole block with its checksum as read from the store, and returns
/// how many bytes of it are data.
pub(super) fn verify_block(id: BlobId, block: u64, stored: &[u8]) -> Result<usize, BlockDamaged> {
    let (data, checksum) = stored
        .split_last_chunk::<CHECKSUM_LENGTH>()
        .ok_or(BlockDamaged)?;
    if data.is_empty() || data.len() > BLOCK_LENGTH_USIZE {
        return Err(BlockDamaged);
    }
    let mut digest = block_digest(id, block);
    digest.update(data);
    if checksum_of(&digest) == *checksum {
        Ok(data.len())
    } else {
        Err(BlockDamaged)
    }
}

fn block_digest(id: BlobId, block: u64) -> Digest {
    let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
    digest.update(&super::id::bytes(id));
    digest.update(&block.to_be_bytes());
    digest
}

fn checksum_of(digest: &Digest) -> [u8; CHECKSUM_LENGTH] {
    // A 32-bit CRC comes in the low half of the u64.
    (digest.finalize() as u32).to_be_bytes()
}

/// Turns data into the stored form, piece by piece, without copying large pieces.
#[derive(Debug)]
pub(super) struct BlockEncoder {
    id: BlobId,
    block: u64,
    filled: usize,
    digest: Digest,
    payload: Vec<Bytes>,
    small: BytesMut,
}

impl BlockEncoder {
    pub(super) fn new(id: BlobId) -> Self {
        Self {
            id,
            block: 0,
            filled: 0,
            digest: block_digest(id, 0),
            payload: Vec::new(),
            small: BytesMut::new(),
        }
    }

    /// Appends `data` to the payload, with the checksum of each block that it fills.
    pub(super) fn push(&mut self, mut data: Bytes) {
        while !data.is_empty() {
            let room = BLOCK_LENGTH_USIZE - self.filled;
            let piece = data.split_to(data.len().min(room));
            self.filled += piece.len();
            self.digest.update(&piece);
            self.append(piece);
            if self.filled == BLOCK_LENGTH_USIZE {
                self.close_block();
            }
        }
    }

    /// Closes the last block. Nothing may be pushed afterwards.
    pub(super) fn close(&mut self) {
        if self.filled > 0 {
            self.close_block();
        }
    }

    /// The stored bytes since the last call.
    pub(super) fn take_payload(&mut self) -> Vec<Bytes> {
        self.flush_small();
        std::mem::take(&mut self.payload)
    }

    fn close_block(&mut self) {
        let checksum = checksum_of(&self.digest);
        self.append_small(&checksum);
        self.block += 1;
        self.filled = 0;
        self.digest = block_digest(self.id, self.block);
    }

    fn append(&mut self, piece: Bytes) {
        if piece.len() < COALESCE_BELOW {
            self.append_small(&piece);
        } else {
            self.flush_small();
            self.payload.push(piece);
        }
    }

    fn append_small(&mut self, piece: &[u8]) {
        // Small pieces run on in one allocation; a piece that no longer fits begins the next.
        if self.small.capacity() - self.small.len() < piece.len() {
            self.flush_small();
            self.small = BytesMut::with_capacity(COALESCE_BUFFER);
        }
        self.small.extend_from_slice(piece);
    }

    fn flush_small(&mut self) {
        if !self.small.is_empty() {
            self.payload.push(self.small.split().freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TIB: u64 = 1 << 40;
    const ID: BlobId = BlobId::new(7, 3);

    /// The format, written down the obvious way.
    fn encode_model(id: BlobId, data: &[u8]) -> Vec<u8> {
        let mut stored = Vec::new();
        for (number, block) in data.chunks(BLOCK_LENGTH_USIZE).enumerate() {
            let mut covered = Vec::new();
            covered.extend_from_slice(&id.batch.0.to_be_bytes());
            covered.extend_from_slice(&id.index.to_be_bytes());
            covered.extend_from_slice(&(number as u64).to_be_bytes());
            covered.extend_from_slice(block);
            stored.extend_from_slice(block);
            stored.extend_from_slice(&crc_fast::crc32_iscsi(&covered).to_be_bytes());
        }
        stored
    }

    fn sample(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i * 31 + i / 251) as u8).collect()
    }

    #[test]
    fn lengths_of_the_largest_object() {
        let length = 5 * TIB;
        assert_eq!(
            physical_length(length),
            length + 4 * (length / BLOCK_LENGTH)
        );
        assert_eq!(logical_length(physical_length(length)), Some(length));
        assert_eq!(physical_length(0), 0);
        assert_eq!(physical_length(1), 5);
    }

    #[test]
    fn impossible_lengths_are_refused() {
        for physical in [1, 2, 3, 4, BLOCK_STRIDE + 1, BLOCK_STRIDE + 4] {
            assert_eq!(logical_length(physical), None, "{physical}");
        }
    }

    #[test]
    fn a_block_at_another_place_is_damaged() {
        let stored = encode_model(ID, b"the same data");
        assert_eq!(verify_block(ID, 0, &stored), Ok(13));
        assert_eq!(verify_block(ID, 1, &stored), Err(BlockDamaged));
        assert_eq!(
            verify_block(BlobId::new(7, 4), 0, &stored),
            Err(BlockDamaged)
        );
        assert_eq!(
            verify_block(BlobId::new(8, 3), 0, &stored),
            Err(BlockDamaged)
        );
        assert_eq!(
            verify_block(ID, 0, &[0; BLOCK_STRIDE_USIZE]),
            Err(BlockDamaged)
        );
        assert_eq!(verify_block(ID, 0, &[]), Err(BlockDamaged));
    }

    #[test]
    fn single_bytes_do_not_cost_a_handle_each() {
        let mut encoder = BlockEncoder::new(ID);
        for byte in sample(BLOCK_LENGTH_USIZE) {
            encoder.push(Bytes::copy_from_slice(&[byte]));
        }
        encoder.close();
        assert!(encoder.take_payload().len() <= BLOCK_LENGTH_USIZE / COALESCE_BUFFER + 1);
    }

    #[test]
    fn large_pieces_are_not_copied() {
        let data = Bytes::from(sample(BLOCK_LENGTH_USIZE + 10_000));
        let mut encoder = BlockEncoder::new(ID);
        encoder.push(data.clone());
        let payload = encoder.take_payload();
        assert_eq!(
            payload.first().map(|piece| piece.as_ptr()),
            Some(data.as_ptr())
        );
        assert_eq!(payload.len(), 3);
    }

    proptest! {
        #[test]
        fn lengths_round_trip(length in 0..=5 * TIB) {
            prop_assert_eq!(logical_length(physical_length(length)), Some(length));
        }

        #[test]
        fn spans_cover_the_range_once(offset in 0..5 * TIB, length in 0..40 * BLOCK_LENGTH) {
            let mut position = offset;
            for span in BlockSpans::new(offset, length) {
                prop_assert_eq!(span.block * BLOCK_LENGTH + span.skip as u64, position);
                prop_assert_eq!(span.physical_start(), span.block * (BLOCK_LENGTH + 4));
                prop_assert!(span.take > 0 && span.skip + span.take <= BLOCK_LENGTH_USIZE);
                position += span.take as u64;
            }
            prop_assert_eq!(position, offset + length);
        }

        #[test]
        fn any_pieces_give_the_same_stored_bytes(
            length in 0..3 * BLOCK_LENGTH_USIZE,
            cuts in prop::collection::vec((1_usize..300_000, any::<bool>()), 1..30),
        ) {
            let data = Bytes::from(sample(length));
            let mut encoder = BlockEncoder::new(ID);
            let mut stored = Vec::new();
            let mut rest = data.clone();
            let mut cuts = cuts.iter().cycle();
            while !rest.is_empty() {
                let (cut, take) = cuts.next().unwrap();
                encoder.push(rest.split_to((*cut).min(rest.len())));
                if *take {
                    stored.extend(encoder.take_payload().concat());
                }
            }
            encoder.close();
            stored.extend(encoder.take_payload().concat());
            prop_assert!(stored == encode_model(ID, &data));
            prop_assert_eq!(stored.len() as u64, physical_length(length as u64));
        }

        #[test]
        fn every_flipped_byte_is_seen(length in 1_usize..70_000, at: prop::sample::Index, with in 1_u8..) {
            let mut stored = encode_model(ID, &sample(length));
            let place = at.index(stored.len());
            stored[place] ^= with;
            prop_assert_eq!(verify_block(ID, 0, &stored), Err(BlockDamaged));
        }
    }
}
