//! Bytes as an attacker sends them: HTTP/1 without a library, HTTP/2 frame by frame, gRPC messages with any framing.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bucketry_tests::error::HarnessError;
use bucketry_tests::server::Server;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use sha2::{Digest, Sha256};

/// Long enough that only a server that hangs meets it.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> HarnessError {
    move |source| HarnessError::Io { what, source }
}

pub(super) fn connect(address: SocketAddr) -> Result<TcpStream, HarnessError> {
    let stream = TcpStream::connect(address).map_err(io("connect"))?;
    stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.set_write_timeout(Some(PATIENCE)))
        .map_err(io("set up the connection"))?;
    Ok(stream)
}

/// Sends bytes, says that no more come, and gives all that is answered until the server closes. A server that does not
/// close within 20 seconds is a fault.
pub(super) fn talk(address: SocketAddr, bytes: &[u8]) -> Result<String, HarnessError> {
    let mut stream = connect(address)?;
    // The server may refuse and close before it has read all.
    if stream.write_all(bytes).is_ok() {
        stream.shutdown(Shutdown::Write).ok();
    }
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => return Err(io("receive")(error)),
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The statuses of all answers in what a server sent by HTTP/1.
pub(super) fn statuses(answers: &str) -> Vec<u16> {
    answers
        .split("HTTP/1.")
        .skip(1)
        .filter_map(|answer| answer.get(2..5)?.parse().ok())
        .collect()
}

/// The SHA-256 of a body, as a checksum header has it.
pub(super) fn digest(body: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(body))
}

/// The most memory that a server has had, in bytes.
pub(super) fn peak_memory(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap() * 1024
}

pub(super) const DATA: u8 = 0x0;
pub(super) const HEADERS: u8 = 0x1;
pub(super) const RST_STREAM: u8 = 0x3;
pub(super) const SETTINGS: u8 = 0x4;
pub(super) const PING: u8 = 0x6;
pub(super) const GOAWAY: u8 = 0x7;
pub(super) const CONTINUATION: u8 = 0x9;

pub(super) const END_STREAM: u8 = 0x1;
pub(super) const ACK: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;

pub(super) const REFUSED_STREAM: u32 = 0x7;
pub(super) const CANCEL: u32 = 0x8;

/// A frame of HTTP/2.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) payload: Vec<u8>,
}

impl Frame {
    /// The error code of a RST_STREAM or GOAWAY.
    pub(super) fn code(&self) -> Option<u32> {
        let at = match self.kind {
            RST_STREAM => 0,
            GOAWAY => 4,
            _ => return None,
        };
        let bytes = self.payload.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    }
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// A block of headers, each a literal that is not indexed.
pub(super) fn block(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(0);
        for text in [name, value] {
            length(&mut block, text.len());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// An integer with a prefix of seven bits, as HPACK has it.
fn length(block: &mut Vec<u8>, length: usize) {
    let low = |value: usize| u8::try_from(value & 0x7f).unwrap();
    if length < 127 {
        return block.push(low(length));
    }
    block.push(127);
    let mut rest = length - 127;
    while rest >= 128 {
        block.push(low(rest) | 0x80);
        rest >>= 7;
    }
    block.push(low(rest));
}

/// A connection by HTTP/2, frame by frame.
pub(super) struct H2 {
    stream: TcpStream,
}

impl H2 {
    /// Connects and sends the preface with these settings.
    pub(super) fn open(address: SocketAddr, settings: &[(u16, u32)]) -> Result<Self, HarnessError> {
        let mut stream = connect(address)?;
        let mut payload = Vec::new();
        for (name, value) in settings {
            payload.extend(name.to_be_bytes());
            payload.extend(value.to_be_bytes());
        }
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        bytes.extend(frame(SETTINGS, 0, 0, &payload));
        stream.write_all(&bytes).map_err(io("send"))?;
        Ok(Self { stream })
    }

    /// Sends frames; false if the server has closed the connection.
    pub(super) fn send(&mut self, frames: &[u8]) -> bool {
        self.stream.write_all(frames).is_ok()
    }

    /// Sends without waiting for a server that does not read: how much was taken.
    pub(super) fn flood(&mut self, frames: &[u8]) -> usize {
        let mut taken = 0;
        self.stream.set_nonblocking(true).ok();
        while taken < frames.len() {
            match self.stream.write(&frames[taken..]) {
                Ok(0) | Err(_) => break,
                Ok(more) => taken += more,
            }
        }
        self.stream.set_nonblocking(false).ok();
        taken
    }

    /// The next frame; none if the server has closed the connection.
    pub(super) fn receive(&mut self) -> Result<Option<Frame>, HarnessError> {
        let mut head = [0; 9];
        if !self.exactly(&mut head)? {
            return Ok(None);
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        if !self.exactly(&mut payload)? {
            return Ok(None);
        }
        Ok(Some(Frame {
            kind: head[3],
            flags: head[4],
            payload,
        }))
    }

    fn exactly(&mut self, buffer: &mut [u8]) -> Result<bool, HarnessError> {
        match self.stream.read_exact(buffer) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Err(io("receive")(error)),
            Err(error) if error.kind() == ErrorKind::TimedOut => Err(io("receive")(error)),
            Err(_closed) => Ok(false),
        }
    }

    /// All frames until they are enough or the server closes the connection.
    pub(super) fn until(
        &mut self,
        enough: impl Fn(&[Frame]) -> bool,
    ) -> Result<Vec<Frame>, HarnessError> {
        let mut frames = Vec::new();
        while !enough(&frames) {
            match self.receive()? {
                Some(received) => frames.push(received),
                None => break,
            }
        }
        Ok(frames)
    }

    /// All frames until the server closes the connection or answers a ping that is sent now.
    pub(super) fn settled(&mut self) -> Result<Vec<Frame>, HarnessError> {
        self.send(&frame(PING, 0, 0, b"settled?"));
        self.until(|frames| {
            frames.last().is_some_and(|last| {
                last.kind == PING && last.flags & ACK != 0 && last.payload == b"settled?"
            })
        })
    }

    /// All frames until a request is answered or refused, or the connection ends.
    pub(super) fn answered(&mut self) -> Result<Vec<Frame>, HarnessError> {
        self.until(|frames| {
            let last = frames.last().map(|last| last.kind);
            matches!(last, Some(HEADERS | RST_STREAM | GOAWAY))
        })
    }
}

/// The answer to a gRPC call made by hand.
#[derive(Debug)]
pub(super) struct GrpcAnswer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) trailers: HeaderMap,
}

impl GrpcAnswer {
    /// `grpc-status`, wherever it stands.
    pub(super) fn code(&self) -> Option<tonic::Code> {
        let status = self.trailers.get("grpc-status");
        let status = status.or_else(|| self.headers.get("grpc-status"))?;
        Some(tonic::Code::from_bytes(status.as_bytes()))
    }
}

/// Posts a body as it is to a method.
pub(super) async fn post(
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Result<GrpcAnswer, HarnessError> {
    let fault = |error: hyper::Error| HarnessError::Http(error.to_string());
    let stream = tokio::net::TcpStream::connect(address);
    let stream = stream.await.map_err(io("connect"))?;
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .map_err(fault)?;
    tokio::spawn(connection);
    let mut request = Request::post(format!("http://{address}{path}")).header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request
        .body(Full::<Bytes>::from(body))
        .map_err(|error| HarnessError::Http(error.to_string()))?;
    let (head, body) = sender
        .send_request(request)
        .await
        .map_err(fault)?
        .into_parts();
    let body = body.collect().await.map_err(fault)?;
    let trailers = body.trailers().cloned().unwrap_or_default();
    Ok(GrpcAnswer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: body.to_bytes(),
        trailers,
    })
}

/// A message as gRPC frames it.
pub(super) fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let mut framed = vec![flag];
    framed.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    framed.extend_from_slice(message);
    framed
}
