//! aws-chunked bodies: whatever the pieces they come in, the same result.

use aws_sigv4::sign::v4::calculate_signature;
use bucketry::domain::ChecksumAlgorithm;
use bucketry_s3_adapter::chunked::{ChunkDecoder, ChunkSigner, ChunkSigningKey, Framing};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "chunk_framing",
    run,
    seeds,
};

const KEY: [u8; 32] = [7; 32];
const SEED: [u8; 32] = [9; 32];
const DATE: &str = "20130524T000000Z";
const SCOPE: &str = "20130524/us-east-1/s3/aws4_request";
/// Kind of framing, size of the pieces, two bytes of declared length.
const PREFIX: usize = 4;

fn framing(kind: u8) -> Framing {
    let signer = || ChunkSigner::new(ChunkSigningKey::new(KEY), DATE.into(), SCOPE.into(), SEED);
    let crc = Some(ChecksumAlgorithm::Crc32);
    match kind % 4 {
        0 => Framing::UnsignedTrailer(crc),
        1 => Framing::UnsignedTrailer(None),
        2 => Framing::Signed(signer()),
        _ => Framing::SignedTrailer(signer(), crc),
    }
}

fn run(input: &[u8]) {
    let Some((&[kind, piece, high, low], body)) = input.split_first_chunk::<PREFIX>() else {
        return;
    };
    let declared = u64::from(u16::from_be_bytes([high, low]));
    let whole = decode(framing(kind), declared, body, body.len().max(1));
    let pieces = decode(framing(kind), declared, body, usize::from(piece).max(1));
    assert_eq!(whole, pieces);
    if let Some(data) = whole {
        assert_eq!(data.len() as u64, declared);
    }
}

/// The data, if the body was good; it comes `piece` bytes at a time.
fn decode(framing: Framing, declared: u64, body: &[u8], piece: usize) -> Option<Vec<u8>> {
    let mut decoder = ChunkDecoder::new(framing, declared);
    let mut data = Vec::new();
    for piece in body.chunks(piece) {
        let mut piece = Bytes::copy_from_slice(piece);
        while let Some(part) = decoder.next(&mut piece).ok()? {
            assert!(!part.is_empty());
            data.extend_from_slice(&part);
            assert!(data.len() as u64 <= declared, "more than was declared");
        }
    }
    decoder.finish().ok()?;
    Some(data)
}

fn seeds() -> Vec<Vec<u8>> {
    let large = vec![b'a'; 8192];
    let crc = |data: &[u8]| match data {
        b"" => "x-amz-checksum-crc32:AAAAAA==",
        _ => "x-amz-checksum-crc32:+gH6Dw==",
    };
    vec![
        input(
            0,
            5,
            format!("5\r\nhello\r\n0\r\n{}\r\n\r\n", crc(b"hello")).as_bytes(),
        ),
        input(0, 0, format!("0\r\n{}\r\n\r\n", crc(b"")).as_bytes()),
        input(1, 3, b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"),
        input(2, 8195, &signed(&[&large, b"end"])),
        input(2, 0, &signed(&[])),
    ]
}

fn input(kind: u8, declared: u16, body: &[u8]) -> Vec<u8> {
    let [high, low] = declared.to_be_bytes();
    [&[kind, 3, high, low], body].concat()
}

/// A body with its chain of signatures, made by another implementation.
fn signed(chunks: &[&[u8]]) -> Vec<u8> {
    let empty = hex::encode(Sha256::digest(b""));
    let mut previous = hex::encode(SEED);
    let mut body = Vec::new();
    for chunk in chunks.iter().copied().chain([b"".as_slice()]) {
        let hash = hex::encode(Sha256::digest(chunk));
        let text =
            format!("AWS4-HMAC-SHA256-PAYLOAD\n{DATE}\n{SCOPE}\n{previous}\n{empty}\n{hash}");
        previous = calculate_signature(KEY, text.as_bytes());
        body.extend(format!("{:x};chunk-signature={previous}\r\n", chunk.len()).into_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_seeds_are_good() {
        for seed in seeds() {
            if let Some((&[kind @ 2, _, high, low], body)) = seed.split_first_chunk::<PREFIX>() {
                let declared = u64::from(u16::from_be_bytes([high, low]));
                assert!(decode(framing(kind), declared, body, 1000).is_some());
            }
        }
    }
}
