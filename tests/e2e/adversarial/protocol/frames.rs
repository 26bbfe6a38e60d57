//! HTTP/2: floods of frames. Each ends with the connection's end or with its survival; never with the server's.

use std::time::{Duration, SystemTime};

use bucketry_tests::error::HarnessError;

use super::super::raw::{
    CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, H2, HEADERS, PING,
    REFUSED_STREAM, RST_STREAM, SETTINGS, block, frame, peak_memory,
};
use crate::wire::{Wire, with_body};

/// What a flood may cost the server, in bytes.
const MEMORY_BOUND: u64 = 64 * 1024 * 1024;

const MIB: usize = 1024 * 1024;

/// A request's headers, as HPACK has them.
fn request(wire: &Wire, method: &str, target: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let authority = wire.server.address().to_string();
    let mut headers = vec![
        (":method", method),
        (":scheme", "http"),
        (":path", target),
        (":authority", &authority),
    ];
    headers.extend_from_slice(more);
    block(&headers)
}

/// The target of a request that may be made: its URL is presigned.
fn presigned(wire: &Wire, method: &str, key: &str) -> Result<String, HarnessError> {
    let life = Duration::from_secs(300);
    let signed = wire
        .signer
        .presign(wire.request(method, key), SystemTime::now(), life)?;
    Ok(signed.target)
}

/// Whether a request was answered with 200: `:status: 200` is one byte of the static table, and the first of a block.
fn status_is_200(frames: &[Frame]) -> bool {
    let mut headers = frames.iter().filter(|frame| frame.kind == HEADERS);
    headers.any(|frame| frame.payload.first() == Some(&0x88))
}

fn cancel(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes())
}

/// Others are served as if nothing were, and the flood has cost no memory.
fn unharmed(wire: &Wire, before: u64) -> Result<(), HarnessError> {
    assert_eq!(wire.put("after", b"content")?.status, 200);
    assert_eq!(wire.get("after")?.body, b"content");
    let grown = peak_memory(&wire.server).saturating_sub(before);
    assert!(grown < MEMORY_BOUND, "{grown} bytes");
    Ok(())
}

/// CVE-2023-44487: requests that are reset as soon as they are made.
#[tokio::test]
async fn rapid_resets_are_survived() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    let target = presigned(&wire, "GET", "k")?;
    let before = peak_memory(&wire.server);
    let mut h2 = H2::open(wire.server.address(), &[])?;
    let headers = request(&wire, "GET", &target, &[]);
    let mut alive = true;
    for batch in 0..100 {
        let mut frames = Vec::new();
        for number in 0..100 {
            let stream = 2 * (batch * 100 + number) + 1;
            frames.extend(frame(HEADERS, END_HEADERS | END_STREAM, stream, &headers));
            frames.extend(cancel(stream));
        }
        alive = alive && h2.send(&frames);
    }
    // Closed, or still answering: what it must not do is hang.
    h2.settled()?;
    unharmed(&wire, before)
}

/// CVE-2024-27316 and its kin: headers without an end.
#[tokio::test]
async fn endless_continuations_are_ended() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let before = peak_memory(&wire.server);
    let mut h2 = H2::open(wire.server.address(), &[])?;
    h2.send(&frame(HEADERS, 0, 1, &request(&wire, "GET", "/", &[])));
    let more = frame(CONTINUATION, 0, 1, &block(&[("x-a", &"a".repeat(16_000))]));
    let open = (0..2000).all(|_| h2.send(&more));
    let frames = h2.settled()?;
    let told = frames.iter().any(|frame| frame.kind == GOAWAY);
    assert!(!open || told, "32 MB of headers were taken: {frames:?}");
    unharmed(&wire, before)
}

/// RUSTSEC-2026-0258: frames of data without data.
#[tokio::test]
async fn empty_data_frames_are_survived() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let target = presigned(&wire, "PUT", "k")?;
    let before = peak_memory(&wire.server);
    let mut h2 = H2::open(wire.server.address(), &[])?;
    let headers = request(&wire, "PUT", &target, &[("content-length", "1")]);
    h2.send(&frame(HEADERS, END_HEADERS, 1, &headers));
    let empty = frame(DATA, 0, 1, b"").repeat(1000);
    let open = (0..1000).all(|_| h2.send(&empty));
    let frames = h2.settled()?;
    let ended = frames
        .iter()
        .any(|frame| matches!(frame.kind, GOAWAY | RST_STREAM));
    assert!(
        !open || ended,
        "a million empty frames were taken: {frames:?}"
    );
    unharmed(&wire, before)
}

/// CVE-2019-9512 and CVE-2019-9515: frames that want an answer, from one who does not read any.
#[tokio::test]
async fn floods_of_settings_and_pings_are_bounded() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    for kind in [SETTINGS, PING] {
        let before = peak_memory(&wire.server);
        let mut h2 = H2::open(wire.server.address(), &[])?;
        let one = match kind {
            SETTINGS => frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 1, 0]),
            _ => frame(PING, 0, 0, b"12345678"),
        };
        let flood = one.repeat(16 * MIB / one.len());
        // The server stops reading, or the connection takes it all.
        h2.flood(&flood);
        unharmed(&wire, before)?;
    }
    Ok(())
}

/// A header list over the limit, and one that the table makes large out of little.
#[tokio::test]
async fn huge_header_lists_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let before = peak_memory(&wire.server);
    let mut h2 = H2::open(wire.server.address(), &[])?;
    let long = "a".repeat(15_000);
    let headers: Vec<(&str, &str)> = (0..4).map(|_| ("x-a", long.as_str())).collect();
    let block_of_60k = request(&wire, "GET", "/", &headers);
    let (first, rest) = block_of_60k.split_at(16_000);
    h2.send(&frame(HEADERS, END_STREAM, 1, first));
    let mut rest: Vec<&[u8]> = rest.chunks(16_000).collect();
    let last = rest.pop().unwrap_or_default();
    for part in rest {
        h2.send(&frame(CONTINUATION, 0, 1, part));
    }
    h2.send(&frame(CONTINUATION, END_HEADERS, 1, last));
    let frames = h2.answered()?;
    assert!(!status_is_200(&frames), "{frames:?}");

    // One literal of 4 KB into the table, then two thousand references to it: 8 MB of headers in 2 KB.
    let mut h2 = H2::open(wire.server.address(), &[])?;
    let mut bomb = request(&wire, "GET", "/", &[]);
    let mut literal = block(&[("x-a", &"a".repeat(3_900))]);
    literal[0] = 0x40;
    bomb.extend(literal);
    bomb.extend([0xbe_u8; 2_000]);
    h2.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &bomb));
    let frames = h2.answered()?;
    assert!(!status_is_200(&frames), "{frames:?}");
    unharmed(&wire, before)
}

/// More streams at once than are allowed: those over the limit are refused, and the others are not.
#[tokio::test]
async fn streams_over_the_limit_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let target = presigned(&wire, "PUT", "k")?;
    let before = peak_memory(&wire.server);
    let mut h2 = H2::open(wire.server.address(), &[])?;
    let headers = request(&wire, "PUT", &target, &[("content-length", "1")]);
    for number in 0..10_000_u32 {
        h2.send(&frame(HEADERS, END_HEADERS, 2 * number + 1, &headers));
    }
    let refused = |frames: &[Frame]| {
        let refused = frames
            .iter()
            .filter(|frame| frame.code() == Some(REFUSED_STREAM));
        refused.count()
    };
    let ended = |frames: &[Frame]| frames.iter().any(|frame| frame.kind == GOAWAY);
    let frames = h2.until(|frames| ended(frames) || refused(frames) >= 9_000)?;
    assert!(
        ended(&frames) || refused(&frames) >= 9_000,
        "{}",
        refused(&frames)
    );
    unharmed(&wire, before)
}

/// A client that asks for much and takes nothing: what waits for it is bounded by a buffer, not by what it asked for.
#[tokio::test]
async fn a_closed_window_bounds_what_is_buffered() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("large", &vec![b'x'; 8 * MIB])?;
    let target = presigned(&wire, "GET", "large")?;
    let before = peak_memory(&wire.server);
    // SETTINGS_INITIAL_WINDOW_SIZE.
    let mut h2 = H2::open(wire.server.address(), &[(4, 0)])?;
    let headers = request(&wire, "GET", &target, &[]);
    for number in 0..100_u32 {
        let stream = 2 * number + 1;
        h2.send(&frame(HEADERS, END_HEADERS | END_STREAM, stream, &headers));
    }
    let frames = h2.settled()?;
    assert!(
        !frames
            .iter()
            .any(|frame| frame.kind == DATA && !frame.payload.is_empty())
    );
    unharmed(&wire, before)
}

/// What is not HTTP/2 at all after its preface, and frames where none may be.
#[tokio::test]
async fn misplaced_frames_leave_the_server_unharmed() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let before = peak_memory(&wire.server);
    let nothing = request(&wire, "GET", "/", &[]);
    for (name, bytes) in [
        ("data of no stream", frame(DATA, 0, 0, b"x")),
        ("data of an idle stream", frame(DATA, 0, 7, b"x")),
        (
            "headers of an even stream",
            frame(HEADERS, END_HEADERS | END_STREAM, 2, &nothing),
        ),
        (
            "a continuation of nothing",
            frame(CONTINUATION, END_HEADERS, 1, &nothing),
        ),
        ("settings of a stream", frame(SETTINGS, 0, 1, &[])),
        ("settings of five bytes", frame(SETTINGS, 0, 0, &[0; 5])),
        ("a ping of seven bytes", frame(PING, 0, 0, &[0; 7])),
        (
            "a frame of 16 MiB",
            [&[0xff, 0xff, 0xff, DATA, 0, 0, 0, 0, 1][..], &[0; 64]].concat(),
        ),
        (
            "a table index of nobody",
            frame(
                HEADERS,
                END_HEADERS | END_STREAM,
                1,
                &[0xff, 0xff, 0xff, 0xff, 0x7f],
            ),
        ),
    ] {
        let mut h2 = H2::open(wire.server.address(), &[])?;
        h2.send(&bytes);
        let frames = h2.settled()?;
        let refused = frames
            .iter()
            .any(|frame| matches!(frame.kind, RST_STREAM | GOAWAY));
        assert!(refused, "{name}: {frames:?}");
    }
    let put = wire.signed(with_body(wire.request("PUT", "k"), b"x"))?;
    assert_eq!(wire.send(put)?.status, 200);
    unharmed(&wire, before)
}
