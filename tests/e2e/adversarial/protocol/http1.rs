//! HTTP/1: requests within requests, and connections that wait.

use std::io::{Read, Write};
use std::net::Shutdown;

use bucketry_tests::error::HarnessError;

use super::super::raw::{connect, io, peak_memory, statuses, talk};
use crate::wire::{Wire, refusal, refused, with_body};

/// What would be answered if the server took a body for a request: its path is in every error.
const WITHIN: &str = "GET /smuggled-request HTTP/1.1\r\nHost: h\r\n\r\n";

/// One head, sent with a body that is a request, and how it is answered: `None` if the connection is closed without a
/// word.
struct Case {
    name: &'static str,
    head: String,
    body: String,
    status: Option<u16>,
}

fn case(name: &'static str, head: &str, body: String, status: impl Into<Option<u16>>) -> Case {
    Case {
        name,
        head: head.to_owned(),
        body,
        status: status.into(),
    }
}

fn cases() -> Vec<Case> {
    let chunked = format!("0\r\n\r\n{WITHIN}");
    let length = WITHIN.len();
    vec![
        case(
            "a length and chunks",
            &format!(
                "PUT /b1k/k HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\nTransfer-Encoding: chunked",
                chunked.len()
            ),
            chunked.clone(),
            403,
        ),
        case(
            "chunks and a length",
            &format!(
                "PUT /b1k/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: {}",
                chunked.len()
            ),
            chunked.clone(),
            403,
        ),
        case(
            "chunks and something else",
            "PUT /b1k/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            chunked.clone(),
            400,
        ),
        case(
            "something else alone",
            "PUT /b1k/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked",
            chunked.clone(),
            400,
        ),
        case(
            "chunks with a quotation",
            "PUT /b1k/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \"chunked\"",
            chunked.clone(),
            400,
        ),
        case(
            "chunks with a vertical tab",
            "PUT /b1k/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \u{b}chunked",
            chunked.clone(),
            400,
        ),
        case(
            "a folded header",
            "PUT /b1k/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked",
            chunked.clone(),
            400,
        ),
        case(
            "a name with a space behind",
            "PUT /b1k/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked",
            chunked.clone(),
            400,
        ),
        case(
            "a carriage return alone",
            "PUT /b1k/k HTTP/1.1\r\nHost: h\r\nX-A: b\rTransfer-Encoding: chunked",
            chunked.clone(),
            400,
        ),
        case(
            "a header without a name",
            "GET /b1k/k HTTP/1.1\r\nHost: h\r\n: v",
            String::new(),
            400,
        ),
        case(
            "NUL",
            "GET /b1k/k HTTP/1.1\r\nHost: h\r\nX-A: \0",
            String::new(),
            400,
        ),
        case(
            "chunks in HTTP/1.0",
            "PUT /b1k/k HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked",
            chunked,
            400,
        ),
        case(
            "two lengths",
            &format!(
                "PUT /b1k/k HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: {length}"
            ),
            WITHIN.to_owned(),
            400,
        ),
        case(
            "a GET with a body",
            &format!("GET /b1k/k HTTP/1.1\r\nHost: h\r\nContent-Length: {length}"),
            WITHIN.to_owned(),
            403,
        ),
        case(
            "a HEAD with a body",
            &format!("HEAD /b1k/k HTTP/1.1\r\nHost: h\r\nContent-Length: {length}"),
            WITHIN.to_owned(),
            403,
        ),
        case(
            "an OPTIONS with a body",
            &format!("OPTIONS /b1k/k HTTP/1.1\r\nHost: h\r\nContent-Length: {length}"),
            WITHIN.to_owned(),
            400,
        ),
        case(
            "a refused PUT",
            &format!("PUT /b1k/k HTTP/1.1\r\nHost: h\r\nContent-Length: {length}"),
            WITHIN.to_owned(),
            403,
        ),
        case(
            "HTTP/1.0 that stays",
            &format!(
                "PUT /b1k/k HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\nContent-Length: {length}"
            ),
            WITHIN.to_owned(),
            403,
        ),
        case(
            "an upgrade",
            &format!(
                "GET /b1k/k HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
                 HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\nContent-Length: {length}"
            ),
            WITHIN.to_owned(),
            403,
        ),
        case(
            "a web socket",
            "GET /b1k/k HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13",
            String::new(),
            403,
        ),
        case(
            "a tunnel",
            "CONNECT h:1 HTTP/1.1\r\nHost: h:1",
            String::new(),
            400,
        ),
    ]
}

/// Whatever says where a body ends, it ends there, or the request is refused and the connection with it: the request
/// that the body holds is never answered.
#[tokio::test]
async fn a_body_is_never_a_request() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut faults = Vec::new();
    for case in cases() {
        let bytes = format!("{}\r\n\r\n{}", case.head, case.body);
        let answers = talk(wire.server.address(), bytes.as_bytes())?;
        let wanted: Vec<u16> = case.status.into_iter().collect();
        if statuses(&answers) != wanted || answers.contains("smuggled") {
            faults.push(format!(
                "{}: {:?}, not {wanted:?}\n{answers}",
                case.name,
                statuses(&answers)
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(wire.put("k", b"x")?.status, 200);
    Ok(())
}

/// What is between the lines of a body in chunks is skipped or refused, never a request.
#[tokio::test]
async fn chunk_extensions_and_trailers_are_never_a_request() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut put = wire.signed(with_body(wire.request("PUT", "k"), b"content"))?;
    put.headers.retain(|(name, _)| name != "content-length");
    let put = put.header("transfer-encoding", "chunked");
    let head = String::from_utf8(put.head()).unwrap();
    for (name, body) in [
        ("well-formed", "7\r\ncontent\r\n0\r\n\r\n".to_owned()),
        ("an extension", "7;a=b\r\ncontent\r\n0\r\n\r\n".to_owned()),
        (
            "an extension with a line end",
            format!("7;a\ncontent\r\n0\r\n\r\n{WITHIN}"),
        ),
        (
            "a size with a sign",
            "+7\r\ncontent\r\n0\r\n\r\n".to_owned(),
        ),
        (
            "a size beyond all",
            format!("{}\r\ncontent", "f".repeat(40)),
        ),
        (
            "a huge extension",
            format!("7;{}\r\ncontent\r\n0\r\n\r\n", "a".repeat(100_000)),
        ),
        (
            "no end of the chunk",
            format!("7\r\ncontent0\r\n\r\n{WITHIN}"),
        ),
        (
            "a trailer that is a request",
            format!("7\r\ncontent\r\n0\r\nX: {WITHIN}"),
        ),
    ] {
        let answers = talk(wire.server.address(), format!("{head}{body}").as_bytes())?;
        let first = statuses(&answers).first().copied();
        assert!(matches!(first, Some(400 | 411)), "{name}: {answers}");
        assert!(statuses(&answers).len() == 1, "{name}: {answers}");
        assert_eq!(
            refusal(&wire.get("k")?),
            refused(404, "NoSuchKey"),
            "{name}"
        );
    }
    Ok(())
}

/// Line ends without a carriage return are read as line ends, as RFC 9112 (section 2.2) allows, and mean one thing.
#[tokio::test]
async fn bare_line_feeds_end_lines_and_mean_one_thing() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let head = format!(
        "GET /b1k/k HTTP/1.1\nHost: h\nContent-Length: {}\n\n{WITHIN}",
        WITHIN.len()
    );
    let answers = talk(wire.server.address(), head.as_bytes())?;
    assert_eq!(statuses(&answers), [403], "{answers}");
    assert!(!answers.contains("smuggled"), "{answers}");
    Ok(())
}

/// Requests that are sent behind one another without waiting are answered in their order, each for itself.
#[tokio::test]
async fn pipelined_requests_are_answered_in_order() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut bytes = Vec::new();
    for key in ["a", "b", "c"] {
        let put = wire.signed(with_body(wire.request("PUT", key), key.as_bytes()))?;
        bytes.extend(put.head());
        bytes.extend(&put.body);
        bytes.extend(wire.signed(wire.request("GET", key))?.head());
    }
    let answers = talk(wire.server.address(), &bytes)?;
    assert_eq!(statuses(&answers), [200; 6], "{answers}");
    let bodies: Vec<&str> = answers
        .split("\r\n\r\n")
        .skip(1)
        .map(|rest| &rest[..rest.len().min(1)])
        .collect();
    assert_eq!(bodies, ["H", "a", "H", "b", "H", "c"], "{answers}");
    Ok(())
}

/// Two hundred clients that send half a head, or a part of a body, keep nobody else waiting.
#[tokio::test]
async fn slow_clients_keep_no_one_waiting() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let put = wire.signed(with_body(wire.request("PUT", "slow"), b"never all of it"))?;
    let mut waiting = Vec::new();
    for number in 0..200 {
        let mut stream = connect(wire.server.address())?;
        let bytes = match number % 2 {
            0 => b"GET /b1k/k HTTP/1.1\r\nHost: h\r\nX-Slow: ".to_vec(),
            _ => [put.head(), b"never".to_vec()].concat(),
        };
        stream.write_all(&bytes).map_err(io("send"))?;
        waiting.push(stream);
    }
    assert_eq!(wire.put("k", b"content")?.status, 200);
    assert_eq!(wire.get("k")?.body, b"content");
    drop(waiting);
    assert_eq!(refusal(&wire.get("slow")?), refused(404, "NoSuchKey"));
    Ok(())
}

/// A client that says that it sends no more is still answered, and then the connection is closed.
#[tokio::test]
async fn a_half_closed_connection_is_answered() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    let mut stream = connect(wire.server.address())?;
    stream
        .write_all(&wire.signed(wire.request("GET", "k"))?.head())
        .and_then(|()| stream.shutdown(Shutdown::Write))
        .map_err(io("send"))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(io("receive"))?;
    assert_eq!(statuses(&answer), [200]);
    assert!(answer.ends_with("content"), "{answer}");
    Ok(())
}

/// A hundred clients that ask for 8 MiB each and read nothing: what waits for them is bounded, and others are served.
#[tokio::test]
async fn clients_that_do_not_read_are_bounded() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("large", &vec![b'x'; 8 * 1024 * 1024])?;
    let before = peak_memory(&wire.server);
    let get = wire.signed(wire.request("GET", "large"))?.head();
    let mut waiting = Vec::new();
    for _ in 0..100 {
        let mut stream = connect(wire.server.address())?;
        stream.write_all(&get).map_err(io("send"))?;
        // It has begun to answer.
        let mut first = [0; 1];
        stream.read_exact(&mut first).map_err(io("receive"))?;
        waiting.push(stream);
    }
    assert_eq!(wire.put("k", b"content")?.status, 200);
    assert_eq!(wire.get("k")?.body, b"content");
    let grown = peak_memory(&wire.server).saturating_sub(before);
    assert!(
        grown < 200 * 1024 * 1024,
        "{grown} bytes for 800 MiB asked for"
    );
    drop(waiting);
    Ok(())
}
