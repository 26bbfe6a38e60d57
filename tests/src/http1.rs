//! HTTP/1.1 by hand: requests that no well-behaved client would send, answers as they are on the wire.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use tokio::net::TcpSocket;

use crate::error::HarnessError;

const SOCKET_LIMIT: Duration = Duration::from_secs(30);
const LINE_LIMIT: u64 = 64 * 1024;

/// A request as it is sent: nothing is added, encoded or put in order.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The request target: path and query, encoded.
    pub target: String,
    /// The headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body. The header `content-length` is the caller's to add.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The first value of a header.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The request line and headers as they are sent.
    #[must_use]
    pub fn head(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body, with chunks put together.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of a header.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The text of the first XML element of this name, as it is in the body: `Code` of an S3 error, say.
    #[must_use]
    pub fn element(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once(&format!("</{name}>"))?;
        Some(value.to_owned())
    }
}

/// A connection.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects. Reads and writes that take over 30 seconds fail.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn open(address: SocketAddr) -> Result<Self, HarnessError> {
        Self::open_within(address, SOCKET_LIMIT)
    }

    /// As `open`, with another limit for each read and write.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn open_within(address: SocketAddr, limit: Duration) -> Result<Self, HarnessError> {
        let stream =
            TcpStream::connect_timeout(&address, limit).map_err(HarnessError::io("connect"))?;
        Self::over(stream, limit)
    }

    /// Connects from an address of this machine: all of 127.0.0.0/8 is. Otherwise as `open`.
    ///
    /// # Errors
    /// Nobody listens there, or the address is not this machine's.
    pub async fn open_from(source: IpAddr, address: SocketAddr) -> Result<Self, HarnessError> {
        let connected = async {
            let socket = if address.is_ipv4() {
                TcpSocket::new_v4()?
            } else {
                TcpSocket::new_v6()?
            };
            socket.bind(SocketAddr::new(source, 0))?;
            let stream = socket.connect(address).await?.into_std()?;
            stream.set_nonblocking(false)?;
            Ok(stream)
        };
        let stream = connected.await.map_err(HarnessError::io("connect"))?;
        Self::over(stream, SOCKET_LIMIT)
    }

    fn over(stream: TcpStream, limit: Duration) -> Result<Self, HarnessError> {
        stream
            .set_read_timeout(Some(limit))
            .and_then(|()| stream.set_write_timeout(Some(limit)))
            .and_then(|()| stream.set_nodelay(true))
            .map_err(HarnessError::io("set up the connection"))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// The server closed the connection.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), HarnessError> {
        let stream = self.stream.get_mut();
        stream
            .write_all(bytes)
            .and_then(|()| stream.flush())
            .map_err(HarnessError::io("send"))
    }

    /// Reads one answer to a request of this method, interim ones (`100 Continue`) included.
    ///
    /// # Errors
    /// The connection was closed, or what came is not HTTP/1.1.
    pub fn receive(&mut self, method: &str) -> Result<Response, HarnessError> {
        let line = self.line()?;
        let status = line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3))
            .and_then(|code| code.parse().ok())
            .ok_or(HarnessError::Http(line))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| HarnessError::Http(line.clone()))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let body = if method == "HEAD" || status < 200 || status == 204 || status == 304 {
            Vec::new()
        } else {
            self.body(&headers)?
        };
        Ok(Response {
            status,
            headers,
            body,
        })
    }

    /// Sends a request and reads its final answer.
    ///
    /// # Errors
    /// As `send` and `receive`.
    pub fn exchange(&mut self, request: &Request) -> Result<Response, HarnessError> {
        self.send(&request.head())?;
        self.send(&request.body)?;
        loop {
            let response = self.receive(&request.method)?;
            if response.status >= 200 {
                return Ok(response);
            }
        }
    }

    /// Whether the server has closed the connection: waits for bytes or the end.
    ///
    /// # Errors
    /// Neither came within 30 seconds.
    pub fn at_end(&mut self) -> Result<bool, HarnessError> {
        let left = self
            .stream
            .fill_buf()
            .map_err(HarnessError::io("wait for the end"))?;
        Ok(left.is_empty())
    }

    fn line(&mut self) -> Result<String, HarnessError> {
        let mut line = Vec::new();
        (&mut self.stream)
            .take(LINE_LIMIT)
            .read_until(b'\n', &mut line)
            .map_err(HarnessError::io("receive"))?;
        let text = String::from_utf8_lossy(&line);
        match text.strip_suffix("\r\n") {
            Some(text) => Ok(text.to_owned()),
            None => Err(HarnessError::Http(text.into_owned())),
        }
    }

    fn body(&mut self, headers: &[(String, String)]) -> Result<Vec<u8>, HarnessError> {
        if let Some(length) = find(headers, "content-length") {
            let length = length
                .parse()
                .map_err(|_| HarnessError::Http(format!("content-length: {length}")))?;
            return self.exactly(length);
        }
        if find(headers, "transfer-encoding")
            .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
        {
            return self.chunks();
        }
        let mut body = Vec::new();
        self.stream
            .read_to_end(&mut body)
            .map_err(HarnessError::io("receive"))?;
        Ok(body)
    }

    fn exactly(&mut self, length: usize) -> Result<Vec<u8>, HarnessError> {
        let mut body = vec![0; length];
        self.stream
            .read_exact(&mut body)
            .map_err(HarnessError::io("receive"))?;
        Ok(body)
    }

    fn chunks(&mut self) -> Result<Vec<u8>, HarnessError> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size =
                usize::from_str_radix(size, 16).map_err(|_| HarnessError::Http(line.clone()))?;
            if size == 0 {
                while !self.line()?.is_empty() {}
                return Ok(body);
            }
            body.extend(self.exactly(size)?);
            self.line()?;
        }
    }
}

/// Sends one request over a connection of its own. A `host` header is added if there is none.
///
/// # Errors
/// As `Connection::exchange`.
pub fn exchange(address: SocketAddr, mut request: Request) -> Result<Response, HarnessError> {
    if request.find("host").is_none() {
        request
            .headers
            .insert(0, ("host".to_owned(), address.to_string()));
    }
    Connection::open(address)?.exchange(&request)
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    fn answered(method: &'static str, wire: &'static [u8]) -> Result<Response, HarnessError> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(wire).unwrap();
        });
        let response =
            Connection::open(address).and_then(|mut connection| connection.receive(method));
        server.join().unwrap();
        response
    }

    #[test]
    fn reads_bodies_of_known_length() {
        let response = answered(
            "GET",
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP",
        )
        .unwrap();
        assert_eq!((response.status, response.text().as_str()), (200, "abc"));
    }

    #[test]
    fn puts_chunks_together() {
        let wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nt: v\r\n\r\n";
        assert_eq!(answered("GET", wire).unwrap().text(), "abcde");
    }

    #[test]
    fn a_head_answer_has_no_body() {
        let response = answered(
            "HEAD",
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 300\r\n\r\n",
        )
        .unwrap();
        assert_eq!((response.status, response.body.len()), (404, 0));
    }

    #[test]
    fn a_closed_connection_is_an_error() {
        assert!(matches!(answered("GET", b""), Err(HarnessError::Http(_))));
    }

    #[test]
    fn finds_an_element() {
        let response = Response {
            status: 404,
            headers: Vec::new(),
            body: b"<Error><Code>NoSuchKey</Code></Error>".to_vec(),
        };
        assert_eq!(response.element("Code").as_deref(), Some("NoSuchKey"));
        assert_eq!(response.element("Message"), None);
    }
}
