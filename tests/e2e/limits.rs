//! Limits of unauthenticated callers and stalled clients. The requests of a well-behaved client beside them all succeed.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::{Connection, exchange};
use bucketry_tests::server::{Server, ServerOptions, binary};
use futures::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client_address::{Doors, listing};
use crate::separate_adapter::Adapter;
use crate::wire::{BUCKET, Wire};

/// Long enough that only a hanging test meets it.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Settings of HTTP/2 without any, which make the preface complete.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> HarnessError {
    move |source| HarnessError::Io { what, source }
}

fn sent(address: SocketAddr, bytes: &[u8]) -> Result<TcpStream, HarnessError> {
    let mut socket = TcpStream::connect(address).map_err(io("connect"))?;
    socket
        .set_read_timeout(Some(PATIENCE))
        .map_err(io("set up"))?;
    socket.write_all(bytes).map_err(io("send"))?;
    Ok(socket)
}

/// Waits until the server has closed a connection, whatever it said.
fn until_closed(socket: &mut TcpStream) -> Result<Vec<u8>, HarnessError> {
    let mut said = Vec::new();
    match socket.read_to_end(&mut said) {
        Ok(_) => Ok(said),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(said),
        Err(error) => Err(io("wait for the end")(error)),
    }
}

/// One turn of a client that behaves.
fn neighbour(wire: &Wire) -> Result<(), HarnessError> {
    assert_eq!(wire.put("neighbour", b"content")?.status, 200);
    assert_eq!(wire.get("neighbour")?.body, b"content");
    Ok(())
}

fn form_begin(wire: &Wire) -> Vec<u8> {
    let host = wire.server.address();
    format!(
        "POST /{BUCKET} HTTP/1.1\r\nhost: {host}\r\ncontent-type: multipart/form-data; boundary=b\r\n\
         content-length: 100000\r\n\r\n--b\r\n"
    )
    .into_bytes()
}

#[tokio::test]
async fn unauthenticated_connections_that_fall_silent() -> Result<(), HarnessError> {
    let options = ServerOptions::new().argument("--unauthenticated-slots=50");
    let wire = Wire::with(options).await?;
    let half_head = b"GET / HTTP/1.1\r\nhost: x\r\n".as_slice();
    let preface = [PREFACE, SETTINGS].concat();
    let form = form_begin(&wire);
    for said in [b"".as_slice(), half_head, &PREFACE[..10], &preface, &form] {
        let mut strangers = Vec::new();
        for number in 0..120 {
            strangers.push(sent(wire.server.address(), said)?);
            if number % 20 == 0 {
                neighbour(&wire)?;
            }
        }
        neighbour(&wire)?;
        // The first have been ended for the last.
        for stranger in &mut strangers[..50] {
            until_closed(stranger)?;
        }
    }
    Ok(())
}

/// With the limits that a server has by default.
#[tokio::test]
async fn forms_of_which_only_the_first_boundary_comes() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let form = form_begin(&wire);
    let mut strangers = Vec::new();
    for number in 0..1100 {
        strangers.push(sent(wire.server.address(), &form)?);
        if number % 100 == 0 {
            neighbour(&wire)?;
        }
    }
    neighbour(&wire)
}

#[tokio::test]
async fn stalled_clients_are_ended() -> Result<(), HarnessError> {
    let metrics_address = free_address()?;
    let options = ServerOptions::new()
        .argument(format!("--metrics-listen={metrics_address}"))
        .argument("--min-rate-grace=1s")
        .argument("--head-timeout=1s")
        .argument("--idle-timeout=1s");
    let wire = Wire::with(options).await?;
    wire.put("large", &vec![b'x'; 32 * 1024 * 1024])?;
    let get = wire.signed(wire.request("GET", "large"))?.head();
    let upload = wire.request("PUT", "slow").header("content-length", "10");
    let put = wire.signed(upload.body(*b"0123456789"))?.head();
    let address = wire.server.address();
    let mut readers = Vec::new();
    for _ in 0..20 {
        let mut reader = sent(address, &get)?;
        // It has begun to answer.
        reader.read_exact(&mut [0; 1]).map_err(io("receive"))?;
        readers.push(reader);
    }
    let mut others = Vec::new();
    for _ in 0..20 {
        others.push(sent(address, &[&put, b"0".as_slice()].concat())?);
        others.push(sent(address, b"GET / HT")?);
        others.push(sent(address, &[PREFACE, SETTINGS].concat())?);
    }
    neighbour(&wire)?;
    for socket in &mut others {
        until_closed(socket)?;
    }
    // Before they read on, which would be to move.
    let ended = "bucketry_connections_ended_total{reason=\"slow_reader\"} 20";
    while !metrics(&wire.server, metrics_address)?.contains(ended) {
        tokio::time::sleep(POLL).await;
    }
    // What the sockets hold of the answers comes, and not the rest.
    for reader in &mut readers {
        assert!(until_closed(reader)?.len() < 32 * 1024 * 1024);
    }
    neighbour(&wire)
}

#[tokio::test]
async fn five_hundred_clients_of_one_address() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("shared", b"content")?;
    let address = wire.server.address();
    let request = wire.signed(wire.request("GET", "shared"))?.head();
    let client = |request: Vec<u8>| async move {
        let mut socket = tokio::net::TcpStream::connect(address).await?;
        for _ in 0..3 {
            socket.write_all(&request).await?;
            let mut answer = vec![0; 12];
            socket.read_exact(&mut answer).await?;
            assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 200");
            while !answer.ends_with(b"\r\n\r\ncontent") {
                answer.push(socket.read_u8().await?);
            }
        }
        Ok::<_, std::io::Error>(socket)
    };
    let clients = try_join_all((0..500).map(|_| client(request.clone()))).await;
    assert_eq!(clients.map_err(io("be served"))?.len(), 500);
    Ok(())
}

/// What a server says that may open only so many files.
fn with_open_files(limit: u32, arguments: &str) -> Result<(String, bool), HarnessError> {
    let folder = tempfile::tempdir().map_err(io("make a folder"))?;
    let script = format!("ulimit -n {limit} && exec \"$0\" serve --listen 127.0.0.1:0 {arguments}");
    let mut process = Command::new("sh")
        .args(["-c", &script])
        .arg(binary()?)
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(io("start the server"))?;
    let output = process.stdout.take().expect("its output");
    let ready = BufReader::new(output)
        .lines()
        .map_while(Result::ok)
        .any(|line| line.starts_with("ready "));
    process.kill().map_err(io("end the server"))?;
    let ended = process
        .wait_with_output()
        .map_err(io("wait for the server"))?;
    Ok((String::from_utf8_lossy(&ended.stderr).into_owned(), ready))
}

#[test]
fn few_file_descriptors_are_reported() -> Result<(), HarnessError> {
    let (said, ready) = with_open_files(100, "")?;
    assert!(!ready && said.contains("may open 100 files"), "{said}");
    assert!(said.contains("LimitNOFILE"), "{said}");
    let (said, ready) = with_open_files(300, "--max-connections 5000")?;
    assert!(ready && said.contains("WARN"), "{said}");
    let lowered = "--max-connections 5000 is lowered to 150";
    assert!(
        said.contains(lowered) && said.contains("ulimit -n"),
        "{said}"
    );
    let (said, ready) = with_open_files(300, "")?;
    assert!(ready && !said.contains("is lowered"), "{said}");
    assert!(said.contains("at most 150 connections"), "{said}");
    Ok(())
}

#[tokio::test]
async fn silent_connections_leave_descriptors_for_others() -> Result<(), HarnessError> {
    // As many files as a server has without any setting on many systems.
    let script = "ulimit -n 1024 && exec \"$0\" \"$@\"";
    let wire = Wire::with(ServerOptions::new().through(&["sh", "-c", script])).await?;
    let mut silent = Vec::new();
    for number in 0..1200 {
        silent.push(sent(wire.server.address(), b"")?);
        if number % 100 == 0 {
            neighbour(&wire)?;
        }
    }
    // A blob needs a file.
    assert_eq!(wire.put("blob", &vec![b'x'; 1024 * 1024])?.status, 200);
    neighbour(&wire)
}

#[tokio::test]
async fn the_separate_adapter_has_the_same_limits() -> Result<(), HarnessError> {
    let mut doors = Doors::open(ServerOptions::new()).await?;
    let credentials = doors.token(&[], &[]).await?;
    let adapter = Adapter::start(
        &doors.server,
        &[
            "--head-timeout=1s",
            "--idle-timeout=1s",
            "--unauthenticated-slots=20",
        ],
    )
    .await?;
    let mut silent = Vec::new();
    for number in 0..60 {
        silent.push(sent(
            adapter.address,
            if number % 2 == 0 { b"" } else { b"PRI * HT" },
        )?);
        if number % 10 == 0 {
            let request = listing(&credentials, adapter.address)?;
            assert_eq!(exchange(adapter.address, request)?.status, 200);
        }
    }
    for socket in &mut silent {
        until_closed(socket)?;
    }
    let mut idle = Connection::open(adapter.address)?;
    let answered = idle.exchange(&listing(&credentials, adapter.address)?)?;
    assert_eq!(answered.status, 200);
    assert!(idle.at_end()?);
    let huge = "x".repeat(200 * 1024);
    let mut large = Connection::open(adapter.address)?;
    let request = listing(&credentials, adapter.address)?.header("x-huge", &huge);
    // The server need not read all of it.
    let answer = large
        .send(&request.head())
        .and_then(|()| large.receive("GET"));
    if let Ok(response) = answer {
        assert_eq!(response.status, 431, "{}", response.text());
    }
    Ok(())
}

/// An address that nothing listens on.
fn free_address() -> Result<SocketAddr, HarnessError> {
    let free = std::net::TcpListener::bind("127.0.0.1:0").map_err(io("find a port"))?;
    free.local_addr().map_err(io("find a port"))
}

/// The metrics of a server.
fn metrics(server: &Server, address: SocketAddr) -> Result<String, HarnessError> {
    let request = bucketry_tests::http1::Request::new("GET", "/metrics")
        .header("host", &server.address().to_string());
    Ok(exchange(address, request)?.text())
}

#[tokio::test]
async fn what_is_ended_is_counted_by_reason() -> Result<(), HarnessError> {
    let address = free_address()?;
    let options = ServerOptions::new()
        .argument(format!("--metrics-listen={address}"))
        .argument("--head-timeout=1s")
        .argument("--unauthenticated-slots-per-address=5");
    let wire = Wire::with(options).await?;
    let shown = metrics(&wire.server, address)?;
    for metric in [
        "bucketry_connections_ended_total{reason=\"slow_reader\"} 0",
        "bucketry_requests_ended_total{reason=\"slow_writer\"} 0",
        "bucketry_unauthenticated_bytes ",
        "bucketry_connections ",
    ] {
        assert!(shown.contains(metric), "{metric} is not in {shown}");
    }
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(sent(wire.server.address(), b"GET")?);
    }
    for socket in &mut silent {
        until_closed(socket)?;
    }
    let shown = metrics(&wire.server, address)?;
    for metric in [
        "bucketry_connections_ended_total{reason=\"budget_network\"} 3",
        "bucketry_connections_ended_total{reason=\"head\"} 5",
    ] {
        assert!(shown.contains(metric), "{metric} is not in {shown}");
    }
    Ok(())
}
