//! The server's life: first start, second start, a second process, draining, what it logs and counts.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, SystemTime};

use bucketry_contract::v1::{GetObjectRequest, GetSmallObjectRequest, Permission};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::{Connection, Request, exchange};
use bucketry_tests::server::{ROOT_SECRET_ACCESS_KEY, Server, ServerOptions};
use bucketry_tests::sigv4::{Payload, Signer};

const BUCKET: &str = "lifecycle-test-bucket";
const OTHER_KEYRING: &str = "active = 1\n[keys]\n1 = \"1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100\"\n";
const PIECE: usize = 512 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// The value of `export NAME=value` in what the server printed.
fn exported(server: &Server, name: &str) -> Option<String> {
    server
        .greeting()
        .iter()
        .find_map(|line| line.strip_prefix(&format!("export {name}=")))
        .map(str::to_owned)
}

fn started(server: Result<(), HarnessError>) -> String {
    match server {
        Ok(()) => "it started".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn the_first_start_shows_a_key_once() -> Result<(), HarnessError> {
    let mut server = Server::start(ServerOptions::new().without_root())?;
    let id = exported(&server, "BUCKETRY_ACCESS_KEY_ID").unwrap_or_default();
    let secret = exported(&server, "BUCKETRY_SECRET_ACCESS_KEY").unwrap_or_default();
    assert_eq!(
        exported(&server, "BUCKETRY_ENDPOINT"),
        Some(server.localhost_url())
    );
    assert!(!server.log().contains(&secret), "the log shows the secret");

    server.restart()?;
    assert_eq!(server.greeting(), &[] as &[String]);
    let mut operator = Clients::connect(&server, Bearer::key(&id, &secret)?).await?;
    operator.create_bucket(BUCKET).await
}

#[tokio::test]
async fn a_second_process_is_refused() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let refused = started(server.start_second());
    assert!(refused.contains("in use by another process"), "{refused}");
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await
}

#[tokio::test]
async fn without_its_keyring_it_does_not_start() -> Result<(), HarnessError> {
    let mut server = Server::start(ServerOptions::new())?;
    server.stop()?;
    let keyring = server.data_dir().join("keyring");
    let text = fs::read_to_string(&keyring).expect("the keyring of the first start");
    fs::remove_file(&keyring).expect("to be removed");
    let refused = started(server.start_second());
    assert!(refused.contains("restore it from the backup"), "{refused}");
    assert!(!keyring.exists(), "another keyring was made");

    fs::write(&keyring, OTHER_KEYRING).expect("to be written");
    let refused = started(server.start_second());
    assert!(refused.contains("not the one of this catalog"), "{refused}");

    fs::write(&keyring, &text).expect("to be written");
    server.restart()
}

#[tokio::test]
async fn another_servers_store_is_refused() -> Result<(), HarnessError> {
    let other = Server::start(ServerOptions::new())?;
    let blobs = other.data_dir().join("blobs");
    let store = format!("file://{}", blobs.display());
    let options = ServerOptions::new().argument("--store").argument(store);
    // A new catalog finds a store that belongs to another.
    let refused = started(Server::start(options).map(drop));
    assert!(refused.contains("the blob store"), "{refused}");
    Ok(())
}

/// A signed upload of two pieces: its head with the first piece, and the second.
fn upload(server: &Server, signer: &Signer, key: &str) -> Result<[Vec<u8>; 2], HarnessError> {
    let request = Request::new("PUT", &format!("/{BUCKET}/{key}"))
        .header("host", &server.address().to_string())
        .header("content-length", &(2 * PIECE).to_string());
    let mut first = signer
        .header(request, SystemTime::now(), Payload::Unsigned)?
        .head();
    first.extend(vec![b'a'; PIECE]);
    Ok([first, vec![b'b'; PIECE]])
}

/// Waits until nobody accepts connections there any more.
fn wait_until_closed(address: SocketAddr) -> bool {
    let deadline = SystemTime::now() + PATIENCE;
    while SystemTime::now() < deadline {
        if TcpStream::connect(address).is_err() {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_upload_ends_well_when_the_server_stops() -> Result<(), HarnessError> {
    let mut server = Server::start(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    let (_, credentials) = root.create_token(BUCKET, Permission::ReadWrite).await?;
    let signer = Signer::new(&credentials.access_key_id, &credentials.secret_access_key);
    let [first, second] = upload(&server, &signer, "drained")?;
    let mut connection = Connection::open(server.address())?;
    connection.send(&first)?;

    server.terminate()?;
    assert!(
        wait_until_closed(server.address()),
        "it still accepts connections"
    );
    connection.send(&second)?;
    assert_eq!(connection.receive("PUT")?.status, 200);
    let status = server.wait()?;
    assert!(status.success(), "{status}");

    server.restart()?;
    let mut root = Clients::root(&server).await?;
    let get = GetSmallObjectRequest {
        object: Some(GetObjectRequest {
            bucket: BUCKET.to_owned(),
            key: "drained".to_owned(),
            ..Default::default()
        }),
    };
    let got = root.objects.get_small_object(get).await?.into_inner();
    assert_eq!(got.data.len(), 2 * PIECE);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_end_is_cut_at_the_deadline() -> Result<(), HarnessError> {
    let options = ServerOptions::new()
        .argument("--drain-deadline")
        .argument("1s");
    let mut server = Server::start(options)?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    let (_, credentials) = root.create_token(BUCKET, Permission::ReadWrite).await?;
    let signer = Signer::new(&credentials.access_key_id, &credentials.secret_access_key);
    let [first, _] = upload(&server, &signer, "cut")?;
    let mut connection = Connection::open(server.address())?;
    // The server asks for the body once it has admitted the request: a stop before that would just end the connection.
    let line = first.windows(2).position(|bytes| bytes == b"\r\n");
    let (line, rest) = first.split_at(line.map_or(0, |end| end + 2));
    connection.send(&[line, b"expect: 100-continue\r\n", rest].concat())?;
    assert_eq!(connection.receive("PUT")?.status, 100);
    server.terminate()?;
    let status = server.wait()?;
    assert!(!status.success(), "{status}");
    Ok(())
}

/// Uses the server by both protocols, rightly and wrongly.
async fn use_it(server: &Server) -> Result<String, HarnessError> {
    let mut root = Clients::root(server).await?;
    root.create_bucket(BUCKET).await?;
    let (_, credentials) = root.create_token(BUCKET, Permission::ReadWrite).await?;
    let secret = credentials.secret_access_key.clone();
    let signer = Signer::new(&credentials.access_key_id, &secret);
    let put = |signer: &Signer| -> Result<u16, HarnessError> {
        let request = Request::new("PUT", &format!("/{BUCKET}/k"))
            .header("host", &server.address().to_string())
            .header("content-length", "1")
            .body("x");
        let signed = signer.header(request, SystemTime::now(), Payload::Signed)?;
        Ok(exchange(server.address(), signed)?.status)
    };
    assert_eq!(put(&signer)?, 200);
    let typo = secret.chars().rev().collect::<String>();
    assert_eq!(put(&Signer::new(&credentials.access_key_id, &typo))?, 403);
    let presigned = signer.presign(
        Request::new("GET", &format!("/{BUCKET}/k")).header("host", &server.address().to_string()),
        SystemTime::now(),
        Duration::from_secs(60),
    )?;
    assert_eq!(exchange(server.address(), presigned)?.status, 200);
    let missing = Request::new("GET", "/?x-id=nothing&delete");
    exchange(server.address(), missing)?;
    Ok(secret)
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_json_and_hold_no_secret() -> Result<(), HarnessError> {
    let options = ServerOptions::new()
        .argument("--log-level")
        .argument("trace");
    let mut server = Server::start(options)?;
    let secret = use_it(&server).await?;
    server.stop()?;
    let log = server.log();
    assert!(log.lines().count() > 10, "{log}");
    for line in log.lines() {
        let event: Result<serde_json::Value, _> = serde_json::from_str(line);
        let event = event.unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(event.get("level").is_some(), "{line}");
    }
    let typo: String = secret.chars().rev().collect();
    for (name, value) in [
        ("the token's", secret.as_str()),
        ("a mistyped", &typo),
        ("the operator's", ROOT_SECRET_ACCESS_KEY),
    ] {
        let found = log.lines().find(|line| line.contains(value));
        assert!(found.is_none(), "{name} secret is in {found:?}");
    }
    let signed = log.lines().find(|line| line.contains("X-Amz-Signature="));
    assert!(signed.is_none(), "a presigned URL is in {signed:?}");
    Ok(())
}

#[tokio::test]
async fn metrics_name_the_operations_of_both_protocols() -> Result<(), HarnessError> {
    let options = ServerOptions::new()
        .argument("--metrics-listen")
        .argument("127.0.0.1:0");
    let server = Server::start(options)?;
    use_it(&server).await?;
    let address: SocketAddr = server
        .log()
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|event| event["message"] == "metrics")
        .find_map(|event| event["address"].as_str()?.parse().ok())
        .ok_or(HarnessError::Incomplete("address of the metrics"))?;
    let metrics = exchange(address, Request::new("GET", "/metrics"))?.text();
    for wanted in [
        r#"bucketry_requests_total{front="grpc",operation="CreateToken",outcome="OK"} 1"#,
        r#"bucketry_requests_total{front="s3",operation="PutObject",outcome="2xx"} 1"#,
        r#"bucketry_requests_total{front="s3",operation="PutObject",outcome="4xx"} 1"#,
        r#"bucketry_requests_total{front="s3",operation="GetObject",outcome="2xx"} 1"#,
    ] {
        assert!(metrics.contains(wanted), "{wanted} is not in:\n{metrics}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_does_not_hold_the_server_up() -> Result<(), HarnessError> {
    let mut server = Server::start(ServerOptions::new())?;
    let mut idle = TcpStream::connect(server.address()).map_err(|source| HarnessError::Io {
        what: "connect",
        source,
    })?;
    idle.write_all(b"").ok();
    let begun = SystemTime::now();
    let status = server.stop()?;
    assert!(status.success(), "{status}");
    assert!(begun.elapsed().unwrap_or_default() < PATIENCE);
    Ok(())
}
