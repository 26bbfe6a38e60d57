//! Bodies that are framed, signed chunk by chunk, or declared with a digest.

use std::path::Path;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::{Connection, Request, Response};
use bucketry_tests::sigv4::{Chunked, Payload};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::by_hand::sign_as_given;
use crate::wire::{Wire, refusal, refused, with_body};

/// The body of the CRC catalogue and its checksums in base64.
const CHECKED: &[u8] = b"123456789";
const CRC32C: &str = "4waSgw==";
const CRC32: &str = "y/Q5Jg==";

const UNSIGNED: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

fn assert_not_stored(wire: &Wire, key: &str) -> Result<(), HarnessError> {
    assert_eq!(refusal(&wire.get(key)?), refused(404, "NoSuchKey"), "{key}");
    Ok(())
}

/// A PUT whose framing is written by hand: nothing in it is signed but its head.
fn framed(wire: &Wire, body: &[u8], headers: &[(&str, &str)]) -> Request {
    let mut request = wire
        .request("PUT", "k")
        .header("x-amz-content-sha256", UNSIGNED);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    sign_as_given(&wire.signer, with_body(request, body), SystemTime::now())
}

fn with_length(mut request: Request) -> Request {
    request.headers.retain(|(name, _)| name != "content-length");
    let length = request.body.len().to_string();
    request.header("content-length", &length)
}

/// Changes the signature of a chunk, counted from 0.
fn with_bad_chunk(mut request: Request, number: usize) -> Request {
    const MARK: &[u8] = b"chunk-signature=";
    let places: Vec<usize> = request
        .body
        .windows(MARK.len())
        .enumerate()
        .filter(|(_, window)| *window == MARK)
        .map(|(at, _)| at + MARK.len())
        .collect();
    let byte = &mut request.body[places[number]];
    *byte = if *byte == b'0' { b'1' } else { b'0' };
    request
}

/// Files of a folder and its folders.
fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.path() {
            path if path.is_dir() => files(&path),
            _ => 1,
        })
        .sum()
}

/// That nothing is left of refused uploads. What a broken upload wrote is removed behind the answer, so that a few more
/// requests may pass first.
fn assert_files(wire: &Wire, folder: &Path, expected: usize) -> Result<(), HarnessError> {
    let mut requests = 0;
    while files(folder) != expected {
        requests += 1;
        assert!(requests < 1000, "blobs of refused uploads are left");
        wire.get("k")?;
    }
    Ok(())
}

/// Large enough that the content becomes a blob, and small enough that the server reads all of it after a refusal.
fn large() -> Vec<Bytes> {
    vec![
        Bytes::from(vec![b'a'; 400 << 10]),
        Bytes::from(vec![b'b'; 400 << 10]),
    ]
}

#[tokio::test]
async fn wrong_chunk_signatures_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let blobs = wire.server.data_dir().join("blobs");
    let before = files(&blobs);
    for bad in 0..3 {
        let request = with_bad_chunk(wire.chunked("k", &large(), &Chunked::Signed)?, bad);
        assert_eq!(
            refusal(&wire.send(request)?),
            refused(403, "SignatureDoesNotMatch"),
            "{bad}"
        );
        assert_not_stored(&wire, "k")?;
    }
    let mut missing = wire.chunked("k", &large(), &Chunked::Signed)?;
    let last = missing
        .body
        .windows(3)
        .rposition(|window| window == b"\r\n0")
        .unwrap();
    missing.body.truncate(last + 2);
    assert_eq!(
        refusal(&wire.send(with_length(missing))?),
        refused(400, "IncompleteBody")
    );
    assert_not_stored(&wire, "k")?;
    assert_files(&wire, &blobs, before)?;
    // Chunks in another order are other chunks.
    let swapped = wire.chunked("k", &large(), &Chunked::Signed)?;
    let text = swapped.body.clone();
    let half = text
        .windows(2)
        .position(|window| window == b"ab")
        .unwrap_or(text.len() / 2);
    let mut body = text[half..].to_vec();
    body.extend_from_slice(&text[..half]);
    assert!(wire.send(with_length(Request { body, ..swapped }))?.status >= 400);
    assert_not_stored(&wire, "k")
}

#[tokio::test]
async fn malformed_chunk_sizes_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let extension = format!("3;{}\r\nabc\r\n0\r\n\r\n", "x".repeat(4096));
    let endless = "3".repeat(1 << 20);
    for body in [
        "ffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "10000000000000003\r\nabc\r\n0\r\n\r\n",
        "-1\r\nabc\r\n0\r\n\r\n",
        "+3\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        " 3\r\nabc\r\n0\r\n\r\n",
        "3 \r\nabc\r\n0\r\n\r\n",
        "3;\r\nabc\r\n0\r\n\r\n",
        "3;a=b\r\nabc\r\n0\r\n\r\n",
        "\r\nabc\r\n0\r\n\r\n",
        "3\nabc\n0\n\n",
        "3\r\nabc0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "3\r\nabc\r\n0\r\n\r\nmore",
        "3\r\nabc\r\n",
        "",
        &extension,
        &endless,
    ] {
        let request = framed(
            &wire,
            body.as_bytes(),
            &[("x-amz-decoded-content-length", "3")],
        );
        let answer = wire.send(request)?;
        assert_eq!(answer.status, 400, "{body:.40}: {}", answer.text());
        assert_not_stored(&wire, "k")?;
    }
    let good = framed(
        &wire,
        b"3\r\nabc\r\n0\r\n\r\n",
        &[("x-amz-decoded-content-length", "3")],
    );
    assert_eq!(wire.send(good)?.status, 200);
    Ok(())
}

#[tokio::test]
async fn wrong_decoded_lengths_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    const BODY: &[u8] = b"9\r\n123456789\r\n0\r\nx-amz-checksum-crc32c:4waSgw==\r\n\r\n";
    const ANNOUNCED: (&str, &str) = ("x-amz-trailer", "x-amz-checksum-crc32c");
    for (declared, status, code) in [
        (Some("8"), 400, "IncompleteBody"),
        (Some("10"), 400, "IncompleteBody"),
        (Some("18446744073709551615"), 400, "EntityTooLarge"),
        (Some("-1"), 400, "InvalidArgument"),
        (Some("9.0"), 400, "InvalidArgument"),
        (None, 411, "MissingContentLength"),
    ] {
        let mut headers = vec![ANNOUNCED];
        headers.extend(declared.map(|length| ("x-amz-decoded-content-length", length)));
        let answer = wire.send(framed(&wire, BODY, &headers))?;
        assert_eq!(refusal(&answer), refused(status, code), "{declared:?}");
        assert_not_stored(&wire, "k")?;
    }
    let headers = [ANNOUNCED, ("x-amz-decoded-content-length", "9")];
    let whole = framed(&wire, BODY, &headers);
    for cut in 0..BODY.len() {
        // The connection ends there.
        let mut connection = Connection::open(wire.server.address())?;
        connection.send(&whole.head())?;
        connection.send(&BODY[..cut])?;
        drop(connection);
        // The body says that it ends there. The last empty line is not missed.
        if cut < BODY.len() - 2 {
            let answer = wire.send(framed(&wire, &BODY[..cut], &headers))?;
            assert_eq!(answer.status, 400, "{cut}: {}", answer.text());
        }
    }
    assert_not_stored(&wire, "k")?;
    assert_eq!(wire.send(whole)?.status, 200);
    Ok(())
}

#[tokio::test]
async fn malformed_trailers_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let send = |trailer: &str, announced: Option<&str>| -> Result<Response, HarnessError> {
        let body = format!("9\r\n123456789\r\n0\r\n{trailer}\r\n");
        let mut headers = vec![("x-amz-decoded-content-length", "9")];
        headers.extend(announced.map(|name| ("x-amz-trailer", name)));
        wire.send(framed(&wire, body.as_bytes(), &headers))
    };
    const CRC: Option<&str> = Some("x-amz-checksum-crc32c");
    let good = format!("x-amz-checksum-crc32c:{CRC32C}\r\n");
    let long = format!("x-amz-checksum-crc32c:{}\r\n", "A".repeat(1 << 20));
    let twice = format!("{good}{good}");
    let other = format!("x-amz-checksum-crc32:{CRC32}\r\n");
    for (trailer, announced, code) in [
        (good.as_str(), None, "MalformedTrailerError"),
        ("", CRC, "MalformedTrailerError"),
        (&twice, CRC, "MalformedTrailerError"),
        (&other, CRC, "MalformedTrailerError"),
        ("x-amz-meta-a:1\r\n", CRC, "MalformedTrailerError"),
        ("no colon\r\n", CRC, "MalformedTrailerError"),
        (&long, CRC, "MalformedTrailerError"),
        ("x-amz-checksum-crc32c:AAAAAA==\r\n", CRC, "BadDigest"),
        ("x-amz-checksum-crc32c:!\r\n", CRC, "InvalidRequest"),
        (&good, Some("x-amz-meta-a"), "InvalidRequest"),
        (&good, Some("x-amz-checksum-md4"), "InvalidRequest"),
    ] {
        let answer = send(trailer, announced)?;
        assert_eq!(
            refusal(&answer),
            refused(400, code),
            "{trailer:.40} {announced:?}"
        );
        assert_not_stored(&wire, "k")?;
    }
    let mode = Chunked::SignedTrailer("x-amz-checksum-crc32c".to_owned(), CRC32C.to_owned());
    let signed = wire.chunked("k", &[Bytes::from_static(CHECKED)], &mode)?;
    let mark = b"x-amz-trailer-signature:";
    let at = signed
        .body
        .windows(mark.len())
        .position(|window| window == mark)
        .unwrap()
        + mark.len();
    let mut wrong = signed.clone();
    wrong.body[at] = if wrong.body[at] == b'0' { b'1' } else { b'0' };
    assert_eq!(
        refusal(&wire.send(wrong)?),
        refused(403, "SignatureDoesNotMatch")
    );
    let mut without = signed.clone();
    without.body.truncate(at - mark.len());
    without.body.extend_from_slice(b"\r\n");
    assert_eq!(
        refusal(&wire.send(with_length(without))?),
        refused(400, "IncompleteBody")
    );
    assert_not_stored(&wire, "k")?;
    assert_eq!(wire.send(signed)?.status, 200);
    Ok(())
}

#[tokio::test]
async fn aws_chunked_is_not_stored_as_content_encoding() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    for (sent, stored) in [
        ("aws-chunked", None),
        ("AWS-Chunked", None),
        ("aws-chunked,gzip", Some("gzip")),
        ("aws-chunked, gzip", Some("gzip")),
        ("gzip,aws-chunked", Some("gzip")),
        ("Aws-Chunked, br, gzip", Some("br, gzip")),
    ] {
        let headers = [
            ("x-amz-decoded-content-length", "3"),
            ("content-encoding", sent),
        ];
        let request = framed(&wire, b"3\r\nabc\r\n0\r\n\r\n", &headers);
        assert_eq!(wire.send(request)?.status, 200, "{sent}");
        let got = wire.get("k")?;
        assert_eq!(
            (got.find("content-encoding"), got.text().as_str()),
            (stored, "abc"),
            "{sent}"
        );
    }
    // A body that says it is framed and is not, and one that is and does not say so: never stored with its framing.
    let length = [("x-amz-decoded-content-length", "3")];
    assert_eq!(wire.send(framed(&wire, b"abc", &length))?.status, 400);
    let unannounced = wire
        .request("PUT", "k2")
        .header("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
        .header("x-amz-decoded-content-length", "3");
    let body = with_body(unannounced, b"3\r\nabc\r\n0\r\n\r\n");
    let answer = wire.send(sign_as_given(&wire.signer, body, SystemTime::now()))?;
    assert_eq!(refusal(&answer), refused(400, "InvalidRequest"));
    assert_not_stored(&wire, "k2")
}

#[tokio::test]
async fn the_hash_of_another_body_is_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let blobs = wire.server.data_dir().join("blobs");
    let before = files(&blobs);
    let large = vec![b'x'; 8 << 20];
    for body in [CHECKED, &large] {
        for hashed in [&b""[..], b"another body"] {
            let hash = hex::encode(Sha256::digest(hashed));
            let request = wire
                .request("PUT", "k")
                .header("x-amz-content-sha256", &hash);
            let request = sign_as_given(&wire.signer, with_body(request, body), SystemTime::now());
            let answer = wire.send(request)?;
            assert_eq!(refusal(&answer), refused(400, "XAmzContentSHA256Mismatch"));
            assert_eq!(answer.element("ClientComputedContentSHA256"), Some(hash));
            let computed = hex::encode(Sha256::digest(body));
            assert_eq!(answer.element("S3ComputedContentSHA256"), Some(computed));
            assert_not_stored(&wire, "k")?;
        }
    }
    assert_files(&wire, &blobs, before)?;
    Ok(())
}

#[tokio::test]
async fn digests_that_do_not_match_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let zeros = STANDARD.encode([0; 16]);
    for (headers, code) in [
        (&[("content-md5", zeros.as_str())][..], "BadDigest"),
        (&[("content-md5", "!")], "InvalidDigest"),
        (&[("content-md5", "AAAA")], "InvalidDigest"),
        (&[("x-amz-checksum-crc32c", CRC32)], "BadDigest"),
        (&[("x-amz-checksum-crc32c", "AA==")], "InvalidRequest"),
        (&[("x-amz-checksum-md4", "AA==")], "InvalidRequest"),
        (
            &[
                ("x-amz-checksum-crc32", CRC32),
                ("x-amz-checksum-crc32c", CRC32C),
            ],
            "InvalidRequest",
        ),
        (
            &[
                ("x-amz-checksum-crc32", CRC32),
                ("x-amz-sdk-checksum-algorithm", "CRC32C"),
            ],
            "InvalidRequest",
        ),
        (
            &[("x-amz-sdk-checksum-algorithm", "CRC32")],
            "InvalidRequest",
        ),
        (&[("x-amz-sdk-checksum-algorithm", "MD4")], "InvalidRequest"),
        (
            &[("x-amz-trailer", "x-amz-checksum-crc32c")],
            "InvalidRequest",
        ),
    ] {
        let mut request = wire.request("PUT", "k");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = with_body(request, CHECKED);
        let request = wire
            .signer
            .header(request, SystemTime::now(), Payload::Signed)?;
        let answer = wire.send(request)?;
        assert_eq!(refusal(&answer), refused(400, code), "{headers:?}");
        assert_not_stored(&wire, "k")?;
    }
    let request = wire.request("PUT", "k");
    let request = with_body(
        request.header("x-amz-sdk-checksum-algorithm", "CRC32"),
        CHECKED,
    );
    let answer = wire.send(wire.signed(request)?)?;
    assert_eq!(
        answer.element("Message").as_deref(),
        Some(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers \
             were found."
        )
    );
    // S3 has this header for other operations, and ignores it here.
    let request = wire.request("PUT", "k");
    let request = with_body(request.header("x-amz-checksum-algorithm", "CRC32"), CHECKED);
    assert_eq!(wire.send(wire.signed(request)?)?.status, 200);
    Ok(())
}
