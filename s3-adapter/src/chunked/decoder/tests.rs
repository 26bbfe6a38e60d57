use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::http::Headers;
use bucketry_domain::ChecksumAlgorithm;
use proptest::prelude::*;

use super::*;
use crate::chunked::{ChunkSigner, ChunkSigningKey};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SEED: &str = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600)
}

fn signer() -> ChunkSigner {
    let key = v4::generate_signing_key(SECRET, time(), "us-east-1", "s3");
    let key = ChunkSigningKey::new(key.as_ref().try_into().unwrap());
    let scope = "20130524/us-east-1/s3/aws4_request".to_owned();
    let seed = hex_signature(SEED.as_bytes()).unwrap();
    ChunkSigner::new(key, "20130524T000000Z".to_owned(), scope, seed)
}

/// Frames chunks and a trailer as the independent signer signs them.
fn signed_body(chunks: &[Vec<u8>], trailer: Option<(&'static str, String)>) -> Vec<u8> {
    let identity = Credentials::new("AK", SECRET, None, None, "test").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("s3")
        .time(time())
        .settings(())
        .build()
        .unwrap();
    let mut body = Vec::new();
    let mut previous = SEED.to_owned();
    for chunk in chunks.iter().chain([&Vec::new()]) {
        let data = Bytes::from(chunk.clone());
        let output = v4::sign_chunk(&data, &previous, &params).unwrap();
        previous = output.signature().to_owned();
        body.extend(format!("{:x};chunk-signature={previous}\r\n", chunk.len()).bytes());
        body.extend(chunk);
        if !chunk.is_empty() {
            body.extend(b"\r\n");
        }
    }
    if let Some((name, value)) = trailer {
        let mut headers = Headers::new();
        headers.insert(name, value.clone());
        let output = v4::sign_trailer(&headers, &previous, &params).unwrap();
        body.extend(format!("{name}:{value}\r\n").bytes());
        body.extend(format!("{TRAILER_SIGNATURE}:{}\r\n", output.signature()).bytes());
    }
    body.extend(b"\r\n");
    body
}

fn unsigned_body(chunks: &[Vec<u8>], end: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for chunk in chunks {
        body.extend(format!("{:X}\r\n", chunk.len()).bytes());
        body.extend(chunk);
        body.extend(b"\r\n");
    }
    body.extend(format!("0\r\n{end}").bytes());
    body
}

/// Feeds the body in pieces that end at the given places.
fn decode(
    framing: Framing,
    length: u64,
    body: &[u8],
    cuts: &[usize],
) -> Result<(Vec<u8>, Option<ClientChecksum>), ChunkError> {
    let mut decoder = ChunkDecoder::new(framing, length);
    let mut data = Vec::new();
    let mut rest = Bytes::copy_from_slice(body);
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (body.len() + 1)).collect();
    ends.extend([0, body.len()]);
    ends.sort_unstable();
    for pair in ends.windows(2) {
        let mut piece = rest.split_to(pair[1] - pair[0]);
        while let Some(slice) = decoder.next(&mut piece)? {
            assert!(!slice.is_empty());
            data.extend(slice);
        }
    }
    Ok((data, decoder.finish()?))
}

fn unsigned(length: u64, body: &str) -> Result<(Vec<u8>, Option<ClientChecksum>), ChunkError> {
    let framing = Framing::UnsignedTrailer(Some(ChecksumAlgorithm::Crc32));
    decode(framing, length, body.as_bytes(), &[])
}

const TRAILER: &str = "x-amz-checksum-crc32:y/Q5Jg==\r\n";

fn trailer() -> (&'static str, String) {
    ("x-amz-checksum-crc32", "y/Q5Jg==".to_owned())
}

#[test]
fn data_is_not_copied() {
    let body = Bytes::from_static(b"3\r\nabc\r\n0\r\n\r\n");
    let mut decoder = ChunkDecoder::new(Framing::UnsignedTrailer(None), 3);
    let data = decoder.next(&mut body.clone()).unwrap().unwrap();
    assert_eq!(data.as_ptr(), body[3..].as_ptr());
}

#[test]
fn sizes_are_plain_hex_numbers() {
    let end = format!("0\r\n{TRAILER}\r\n");
    assert!(unsigned(3, &format!("003\r\nabc\r\n{end}")).is_ok());
    for size in [
        "",
        "-3",
        "+3",
        "0x3",
        " 3",
        "3 ",
        "3;",
        "3;a=b",
        "00000000000000003",
        "g",
    ] {
        let refused = unsigned(3, &format!("{size}\r\nabc\r\n{end}"));
        assert_eq!(refused, Err(ChunkError::Malformed), "{size}");
    }
    let refused = unsigned(3, "ffffffffffffffff\r\nabc");
    assert_eq!(refused, Err(ChunkError::WrongLength { declared: 3 }));
    assert_eq!(unsigned(3, "3\nabc"), Err(ChunkError::Malformed));
    assert_eq!(unsigned(3, "3\r\nabcd"), Err(ChunkError::Malformed));
    assert_eq!(
        unsigned(3, &"0".repeat(2000)),
        Err(ChunkError::HeaderTooLong)
    );
    let extended = format!("3;chunk-signature={SEED}\r\nabc\r\n{end}");
    assert_eq!(unsigned(3, &extended), Err(ChunkError::Malformed));
}

#[test]
fn the_declared_length_is_enforced() {
    let body = format!("3\r\nabc\r\n0\r\n{TRAILER}\r\n");
    assert!(unsigned(3, &body).is_ok());
    for declared in [0, 2, 4, u64::MAX] {
        assert_eq!(
            unsigned(declared, &body),
            Err(ChunkError::WrongLength { declared })
        );
    }
}

#[test]
fn trailers_must_be_announced_known_and_there() {
    let end = |trailer: &str| unsigned(0, &format!("0\r\n{trailer}\r\n"));
    assert!(end(TRAILER).is_ok());
    assert!(end("X-Amz-Checksum-CRC32: y/Q5Jg== \n").is_ok());
    for trailer in [
        "",
        "x-amz-checksum-crc32c:y/Q5Jg==\r\n",
        "x-amz-meta-a:b\r\n",
        "no colon\r\n",
        "x-amz-trailer-signature:0\r\n",
        &TRAILER.repeat(2),
    ] {
        assert!(end(trailer).is_err(), "{trailer}");
    }
    let invalid = DigestError::InvalidTrailer {
        algorithm: ChecksumAlgorithm::Crc32,
    };
    assert_eq!(
        end("x-amz-checksum-crc32:AA==\r\n"),
        Err(ChunkError::Checksum(invalid))
    );
    assert_eq!(end(&"a".repeat(1 << 20)), Err(ChunkError::TrailerTooLong));
    let unannounced = decode(
        Framing::UnsignedTrailer(None),
        0,
        format!("0\r\n{TRAILER}\r\n").as_bytes(),
        &[],
    );
    assert_eq!(unannounced, Err(ChunkError::MalformedTrailer));
}

#[test]
fn minio_clients_end_in_their_own_way() {
    let line = "x-amz-checksum-crc32:y/Q5Jg==\n";
    assert!(unsigned(0, &format!("0\r\n{line}\r\n\r\n")).is_ok());
    let signed = signed_body(&[], Some(trailer()));
    let spaced = String::from_utf8(signed)
        .unwrap()
        .replace("y/Q5Jg==\r\n", "y/Q5Jg==\n\r\n");
    let framing = Framing::SignedTrailer(signer(), Some(ChecksumAlgorithm::Crc32));
    assert!(decode(framing, 0, spaced.as_bytes(), &[]).is_ok());
    assert_eq!(
        unsigned(0, &format!("0\r\n{TRAILER}\r\n0\r\n")),
        Err(ChunkError::Malformed)
    );
    assert_eq!(
        unsigned(0, &format!("0\r\n{TRAILER}\r\n\r\n\r\n\r\n")),
        Err(ChunkError::Malformed)
    );
}

#[test]
fn small_signed_chunks_are_refused_unless_last() {
    let chunks = [vec![0; 8191], vec![1; 1]];
    let body = signed_body(&chunks, None);
    let refused = decode(Framing::Signed(signer()), 8192, &body, &[]);
    assert_eq!(
        refused,
        Err(ChunkError::ChunkTooSmall {
            number: 1,
            bytes: 8191
        })
    );
    let body = unsigned_body(&[vec![0; 1], vec![1; 1]], "\r\n");
    assert!(decode(Framing::UnsignedTrailer(None), 2, &body, &[]).is_ok());
}

#[test]
fn one_flipped_bit_of_a_signed_body_is_refused() {
    let chunks = [vec![7; 8192], vec![8; 100]];
    let body = signed_body(&chunks, Some(trailer()));
    let framing = || Framing::SignedTrailer(signer(), Some(ChecksumAlgorithm::Crc32));
    assert!(decode(framing(), 8292, &body, &[]).is_ok());
    for at in (0..200).chain(8_200..body.len() - 2) {
        let mut changed = body.clone();
        changed[at] ^= 1;
        let outcome = decode(framing(), 8292, &changed, &[]);
        // Letters of a name or a size may change their case without changing the meaning; bit 0
        // does not do that.
        assert!(outcome.is_err(), "{at}");
    }
}

#[test]
fn every_early_end_is_refused() {
    let signed = signed_body(&[vec![7; 10]], Some(trailer()));
    let unsigned = unsigned_body(&[vec![7; 10]], &format!("{TRAILER}\r\n"));
    let announced = Some(ChecksumAlgorithm::Crc32);
    for cut in 0..signed.len() {
        let framing = Framing::SignedTrailer(signer(), announced);
        assert!(decode(framing, 10, &signed[..cut], &[]).is_err(), "{cut}");
    }
    for cut in 0..unsigned.len() {
        let framing = Framing::UnsignedTrailer(announced);
        assert_eq!(
            decode(framing, 10, &unsigned[..cut], &[]),
            Err(ChunkError::Truncated),
            "{cut}"
        );
    }
}

#[test]
fn chunks_must_be_signed_where_the_mode_says_so() {
    let body = unsigned_body(&[vec![1; 3]], "\r\n");
    let refused = decode(Framing::Signed(signer()), 3, &body, &[]);
    assert_eq!(refused, Err(ChunkError::Malformed));
    let unsigned_trailer = signed_body(&[], None);
    let framing = Framing::SignedTrailer(signer(), None);
    assert_eq!(
        decode(framing, 0, &unsigned_trailer, &[]),
        Err(ChunkError::Truncated)
    );
}

proptest! {
    #[test]
    fn splits_do_not_matter_signed(
        sizes in proptest::collection::vec(8192_usize..9000, 0..3),
        last in 0_usize..50,
        cuts in proptest::collection::vec(any::<usize>(), 0..12),
    ) {
        let chunks: Vec<Vec<u8>> = sizes.iter().chain([&(last + 1)])
            .map(|size| (0..*size).map(|at| (at % 251) as u8).collect()).collect();
        let data = chunks.concat();
        let body = signed_body(&chunks, Some(trailer()));
        let framing = Framing::SignedTrailer(signer(), Some(ChecksumAlgorithm::Crc32));
        let (decoded, checksum) = decode(framing, data.len() as u64, &body, &cuts).unwrap();
        prop_assert_eq!(decoded, data);
        prop_assert!(checksum.is_some());
    }

    #[test]
    fn splits_do_not_matter_unsigned(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..6),
        cuts in proptest::collection::vec(any::<usize>(), 0..40),
    ) {
        let data = chunks.concat();
        let body = unsigned_body(&chunks, "\r\n");
        let framing = Framing::UnsignedTrailer(None);
        let decoded = decode(framing, data.len() as u64, &body, &cuts);
        prop_assert_eq!(decoded, Ok((data, None)));
    }

    #[test]
    fn never_panics(
        body in proptest::collection::vec(any::<u8>(), 0..100),
        text in "[0-9a-f;:=\r\nx-]{0,60}",
        length in 0_u64..100,
    ) {
        for input in [&body[..], text.as_bytes()] {
            let _ = decode(Framing::UnsignedTrailer(None), length, input, &[1, 5]);
            let _ = decode(Framing::SignedTrailer(signer(), None), length, input, &[2]);
        }
    }
}
