//! The share of the server that one caller can take, and what is left to others.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use bucketry_contract::v1::{CreateAccountRequest, Credentials, Permission};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::{Connection, Request};
use bucketry_tests::server::{Server, ServerOptions};
use bucketry_tests::sigv4::{Payload, Signer};
use bytes::Bytes;
use futures::future::join_all;
use futures::{StreamExt, stream};
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::Code;

use crate::separate_adapter::Adapter;
use crate::wire::{BUCKET, Wire, refusal, refused, signer};

/// Long enough that only a server that hangs meets it.
const PATIENCE: Duration = Duration::from_secs(20);
const OTHER_BUCKET: &str = "bucket-of-the-other-account";
const PUT_SMALL: &str = "/bucketry.v1.ObjectService/PutSmallObject";

/// A token of a bucket of another account.
async fn other_account(server: &Server) -> Result<Credentials, HarnessError> {
    let mut root = Clients::root(server).await?;
    let display_name = "other".to_owned();
    let account = root
        .admin
        .create_account(CreateAccountRequest { display_name })
        .await?
        .into_inner();
    let bearer = Bearer::key(&account.access_key_id, &account.secret_access_key)?;
    let mut administrator = Clients::connect(server, bearer).await?;
    administrator.create_bucket(OTHER_BUCKET).await?;
    let (_, credentials) = administrator
        .create_token(OTHER_BUCKET, Permission::ReadWrite)
        .await?;
    Ok(credentials)
}

/// A signed request for `key` of a bucket.
fn signed(
    address: SocketAddr,
    signer: &Signer,
    method: &str,
    target: &str,
    body: &[u8],
) -> Result<Request, HarnessError> {
    let request = Request::new(method, target)
        .header("host", &address.to_string())
        .header("content-length", &body.len().to_string())
        .body(body);
    signer.header(request, SystemTime::now(), Payload::Signed)
}

/// 300 downloads of the object `large` of which only the status is read, each with whether it is 200.
async fn unread_downloads(
    wire: &Wire,
    address: SocketAddr,
) -> Result<Vec<(TcpStream, bool)>, HarnessError> {
    let request = Request::new("GET", &format!("/{BUCKET}/large"));
    let request = request.header("host", &address.to_string());
    let hour = Duration::from_secs(3600);
    let url = wire.signer.presign(request, SystemTime::now(), hour)?;
    let head = url.head();
    let unread = (0..300).map(|_| async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream.write_all(&head).await.ok()?;
        let mut status = [0; 12];
        timeout(PATIENCE, stream.read_exact(&mut status))
            .await
            .ok()?
            .ok()?;
        Some((stream, status.ends_with(b"200")))
    });
    let unread: Vec<_> = join_all(unread).await.into_iter().flatten().collect();
    assert_eq!(unread.len(), 300);
    Ok(unread)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn downloads_that_are_never_read_leave_other_accounts_room() -> Result<(), HarnessError> {
    let options = ServerOptions::new()
        .argument("--max-requests=90")
        .argument("--request-wait=1s");
    let wire = Wire::with(options).await?;
    let other = signer(&other_account(&wire.server).await?);
    wire.put("large", &vec![7; 8 << 20])?;
    let unread = unread_downloads(&wire, wire.server.address()).await?;
    let served = unread.iter().filter(|(_, served)| *served).count();
    assert!((10..=31).contains(&served), "{served} of 90");

    let mut connection = Connection::open(wire.server.address())?;
    for turn in 0..20 {
        let target = format!("/{OTHER_BUCKET}/k{turn}");
        for (method, body) in [("PUT", &b"content"[..]), ("GET", b"")] {
            let request = signed(wire.server.address(), &other, method, &target, body)?;
            assert_eq!(connection.exchange(&request)?.status, 200, "{method}");
        }
    }
    let answer = wire.get("large")?;
    assert_eq!(refusal(&answer), refused(503, "SlowDown"));
    assert_eq!(answer.find("retry-after"), Some("1"));
    drop(unread);
    let begun = Instant::now();
    while wire.get("large")?.status != 200 {
        assert!(begun.elapsed() < PATIENCE, "the slots do not come back");
    }
    Ok(())
}

/// All calls of the adapter over one connection would share its window and its limit of streams.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn downloads_that_are_never_read_leave_others_room_in_the_separate_adapter()
-> Result<(), HarnessError> {
    // No request is ended for reading slowly.
    const PATIENT: &str = "--min-rate-grace=1h";
    let wire = Wire::with(ServerOptions::new().argument(PATIENT)).await?;
    let other = signer(&other_account(&wire.server).await?);
    let adapter = Adapter::start(&wire.server, &[PATIENT]).await?;
    wire.put("large", &vec![7; 8 << 20])?;
    let unread = unread_downloads(&wire, adapter.address).await?;
    assert!(unread.iter().all(|(_, served)| *served));
    let mut connection = Connection::open(adapter.address)?;
    for turn in 0..20 {
        let target = format!("/{OTHER_BUCKET}/k{turn}");
        for (method, body) in [("PUT", &b"content"[..]), ("GET", b"")] {
            let request = signed(adapter.address, &other, method, &target, body)?;
            assert_eq!(connection.exchange(&request)?.status, 200, "{method}");
        }
    }
    Ok(())
}

type Endless = StreamBody<stream::BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

async fn http2(address: SocketAddr) -> Result<SendRequest<Endless>, HarnessError> {
    let fault = |error: hyper::Error| HarnessError::Http(error.to_string());
    let stream = TcpStream::connect(address)
        .await
        .map_err(|source| HarnessError::Io {
            what: "connect",
            source,
        })?;
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .map_err(fault)?;
    tokio::spawn(connection);
    Ok(sender)
}

/// A call whose message is announced with 4 MiB less 100 bytes and never ends; the code that it is answered with.
async fn endless_call(
    mut sender: SendRequest<Endless>,
    address: SocketAddr,
    authorization: Option<&str>,
    sent: usize,
) -> Option<Code> {
    let mut begun = vec![0];
    begun.extend((4 * 1024 * 1024 - 100_u32).to_be_bytes());
    begun.resize(begun.len() + sent, 0);
    let begun = stream::iter([Ok(Frame::data(Bytes::from(begun)))]);
    let mut request = http::Request::post(format!("http://{address}{PUT_SMALL}"))
        .header("te", "trailers")
        .header("content-type", "application/grpc");
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    let body = StreamBody::new(begun.chain(stream::pending()).boxed());
    let request = request.body(body).unwrap();
    sender.ready().await.ok()?;
    let answer = timeout(PATIENCE, sender.send_request(request)).await;
    let answer = answer.ok()?.ok()?;
    let status = answer.headers().get("grpc-status")?;
    Some(Code::from_bytes(status.as_bytes()))
}

fn memory(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unauthenticated_caller_is_refused_before_any_message() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let address = server.address();
    let before = memory(&server);
    let sender = http2(address).await?;
    let calls = (0..250).map(|_| endless_call(sender.clone(), address, None, 200_000));
    for code in join_all(calls).await {
        assert_eq!(code, Some(Code::Unauthenticated));
    }
    let grown = memory(&server) - before;
    assert!(grown < 64 << 20, "{grown} bytes");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_is_refused_before_any_message() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let address = wire.server.address();
    let wrong = format!("Bearer {}.bkty_wrong", wire.credentials.access_key_id);
    let code = endless_call(http2(address).await?, address, Some(&wrong), 100).await;
    assert_eq!(code, Some(Code::Unauthenticated));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_never_end_are_bounded_in_time_and_memory() -> Result<(), HarnessError> {
    let options = ServerOptions::new()
        .argument("--message-timeout=3s")
        .argument("--max-message-bytes=33554432")
        .argument("--request-wait=1s");
    let wire = Wire::with(options).await?;
    let address = wire.server.address();
    let credentials = &wire.credentials;
    let bearer = format!(
        "Bearer {}.{}",
        credentials.access_key_id, credentials.secret_access_key
    );
    let sender = http2(address).await?;
    let calls = (0..20).map(|_| endless_call(sender.clone(), address, Some(&bearer), 100));
    let codes = join_all(calls).await;
    let count = |code| codes.iter().filter(|found| **found == Some(code)).count();
    // A third of 32 MiB, and the message that passes it.
    assert_eq!(count(Code::DeadlineExceeded), 3, "{codes:?}");
    assert_eq!(count(Code::ResourceExhausted), 17, "{codes:?}");
    assert_eq!(wire.put("k", b"afterwards")?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_bucket_has_so_many_open_uploads_and_no_more() -> Result<(), HarnessError> {
    let wire = Wire::with(ServerOptions::new().argument("--max-open-uploads=2")).await?;
    let begin = |key: &str| {
        let target = format!("/{BUCKET}/{key}?uploads");
        wire.send(signed(
            wire.server.address(),
            &wire.signer,
            "POST",
            &target,
            b"",
        )?)
    };
    assert_eq!(begin("a")?.status, 200);
    let upload = begin("b")?.element("UploadId").unwrap();
    let refused_third = begin("c")?;
    assert_eq!(
        refusal(&refused_third),
        refused(400, "TooManyMultipartUploads")
    );
    let target = format!("/{BUCKET}/b?uploadId={upload}");
    let abort = signed(wire.server.address(), &wire.signer, "DELETE", &target, b"")?;
    assert_eq!(wire.send(abort)?.status, 204);
    assert_eq!(begin("c")?.status, 200);
    Ok(())
}

/// Reads an object again and again on one connection until `until`; how often.
async fn read_on(address: SocketAddr, head: Bytes, until: Instant) -> Option<u64> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let mut answer = vec![0; 16 * 1024];
    let mut reads = 0;
    while Instant::now() < until {
        stream.write_all(&head).await.ok()?;
        let mut length = 0;
        // The object ends with the only `#` of the answer.
        while answer[..length].last() != Some(&b'#') {
            match stream.read(&mut answer[length..]).await {
                Ok(more) if more > 0 => length += more,
                Ok(_) | Err(_) => return None,
            }
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"), "a read was refused");
        reads += 1;
    }
    Some(reads)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_connections_of_one_account_do_not_starve_another() -> Result<(), HarnessError> {
    const LONG: Duration = Duration::from_secs(3);
    let wire = Wire::start().await?;
    let address = wire.server.address();
    let modest = signer(&other_account(&wire.server).await?);
    let mut content = vec![b'x'; 4095];
    content.push(b'#');
    wire.put("k", &content)?;
    let target = format!("/{OTHER_BUCKET}/k");
    let put = signed(wire.server.address(), &modest, "PUT", &target, &content)?;
    assert_eq!(wire.send(put)?.status, 200);
    let modest: Bytes = signed(wire.server.address(), &modest, "GET", &target, b"")?
        .head()
        .into();
    let greedy: Bytes = wire.signed(wire.request("GET", "k"))?.head().into();

    // Each on a thread of its own, so that the connections of one do not wait for those of the other here.
    let reads = |head: &Bytes, connections: usize| {
        let head = head.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let until = Instant::now() + LONG;
            let reads = (0..connections).map(|_| read_on(address, head.clone(), until));
            let reads = runtime.block_on(join_all(reads));
            reads.into_iter().flatten().sum::<u64>()
        })
    };
    let alone = reads(&modest, 4).join().unwrap();
    let both = [reads(&modest, 4), reads(&greedy, 300)];
    let [beside, of_greedy] = both.map(|reads| reads.join().unwrap());
    // First come, first served would leave 4 of 304.
    assert!(
        beside * 8 >= alone,
        "{beside} reads beside {of_greedy}, {alone} alone"
    );
    Ok(())
}
