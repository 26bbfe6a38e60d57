//! The S3 edge in a process of its own: it finds the client's address by the rules of the server.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime};

use bucketry_contract::v1::{CreateEdgeKeyRequest, Credentials};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::{Connection, Request, exchange};
use bucketry_tests::server::{Server, ServerOptions, binary};
use bucketry_tests::sigv4::{Payload, Signer};
use rustix::process::{Pid, Signal, kill_process};

use crate::client_address::{Doors, listing};

/// A running adapter. Dropping it ends it.
pub(crate) struct Adapter {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Adapter {
    /// Makes an edge key, starts the adapter with it before a server, and waits until it says where it listens.
    pub(crate) async fn start(server: &Server, arguments: &[&str]) -> Result<Self, HarnessError> {
        let key = edge_key(&mut Clients::root(server).await?).await?;
        Self::with(&key, &server.endpoint_url(), arguments)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Sends SIGTERM and waits at most 30 seconds for the process to exit.
    fn stop(&mut self) -> ExitStatus {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, Signal::TERM).expect("to be asked to end");
        let begun = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().expect("its status") {
                return status;
            }
            assert!(begun.elapsed().as_secs() < 30, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts it with a key before a service, and waits until it says where it listens.
    pub(crate) fn with(key: &Key, service: &str, arguments: &[&str]) -> Result<Self, HarnessError> {
        let mut process = command(arguments)?
            .env("BUCKETRY_ACCESS_KEY_ID", &key.access_key_id)
            .env("BUCKETRY_SECRET_ACCESS_KEY", &key.secret_access_key)
            .args(["--service", service])
            .spawn()
            .expect("the adapter to start");
        let log = process.stderr.take().expect("its log");
        let mut lines = BufReader::new(log).lines().map_while(Result::ok);
        let listening = lines.find_map(|line| {
            line.split_once(" listen=")?
                .1
                .split(' ')
                .next()?
                .parse()
                .ok()
        });
        match listening {
            Some(address) => {
                // Read to its end, so that the adapter can go on writing.
                std::thread::spawn(move || lines.for_each(drop));
                Ok(Self { process, address })
            }
            None => {
                process.kill().ok();
                process.wait().ok();
                Err(HarnessError::Incomplete("address of the adapter"))
            }
        }
    }
}

/// An access key.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) key_id: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
}

/// Makes an edge key.
pub(crate) async fn edge_key(root: &mut Clients) -> Result<Key, HarnessError> {
    let request = CreateEdgeKeyRequest {
        name: "adapter".to_owned(),
    };
    let made = root.admin.create_edge_key(request).await?.into_inner();
    let key = made.key.ok_or(HarnessError::Incomplete("key"))?;
    Ok(Key {
        key_id: key.key_id,
        access_key_id: key.access_key_id,
        secret_access_key: made.secret_access_key,
    })
}

impl Drop for Adapter {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn command(arguments: &[&str]) -> Result<Command, HarnessError> {
    let name = format!("bucketry-s3-adapter{}", std::env::consts::EXE_SUFFIX);
    let path = binary()?.with_file_name(name);
    if !path.is_file() {
        return Err(HarnessError::MissingBinary(path));
    }
    let mut command = Command::new(path);
    command
        .args(["--listen", "127.0.0.1:0"])
        .args(arguments)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    Ok(command)
}

#[test]
fn the_separate_adapter_names_misspelled_variables() -> Result<(), HarnessError> {
    // Without credentials it does not start.
    let ended = command(&["--service", "http://127.0.0.1:1"])?
        .env("BUCKETRY_DOMIAN", "s3.example.com")
        .env_remove("BUCKETRY_ACCESS_KEY_ID")
        .output();
    let told = String::from_utf8_lossy(&ended.expect("to run").stderr).into_owned();
    assert!(
        told.contains("unknown variable BUCKETRY_DOMIAN is ignored; did you mean BUCKETRY_DOMAIN?"),
        "{told}"
    );
    Ok(())
}

#[test]
fn the_separate_adapter_refuses_more_decisions_than_a_connection_bears() -> Result<(), HarnessError>
{
    for refused in ["0", "21"] {
        let ended = command(&[
            "--service",
            "http://127.0.0.1:1",
            "--max-decisions",
            refused,
        ])?;
        let ended = { ended }.output().expect("to run");
        let problem = String::from_utf8_lossy(&ended.stderr).into_owned();
        let expected = format!("{refused} is not in 1..=20");
        assert!(problem.contains(&expected), "{problem}");
    }
    Ok(())
}

#[tokio::test]
async fn the_separate_adapter_reads_forwarding_headers_by_the_same_rules()
-> Result<(), HarnessError> {
    let mut doors = Doors::open(ServerOptions::new()).await?;
    let of_client = doors.token(&["192.0.2.1"], &[]).await?;
    let of_peer = doors.token(&["127.0.0.1"], &[]).await?;
    let known = doors.token(&["0.0.0.0/0", "::/0"], &[]).await?;
    let plain = Adapter::start(&doors.server, &[]).await?;
    let trusting = Adapter::start(
        &doors.server,
        &[
            "--trusted-proxy=127.0.0.1",
            "--forwarded-header=x-forwarded-for",
        ],
    )
    .await?;
    for (adapter, credentials, forwarded, wanted) in [
        (&plain, &of_peer, Some("192.0.2.1"), 200),
        (&plain, &of_client, Some("192.0.2.1"), 403),
        (&trusting, &of_client, Some("192.0.2.1"), 200),
        (
            &trusting,
            &of_client,
            Some("203.0.113.66, 192.0.2.1, 127.0.0.1"),
            200,
        ),
        (&trusting, &of_client, Some("192.0.2.1, 203.0.113.66"), 403),
        (&trusting, &of_peer, Some("192.0.2.1"), 403),
        (&trusting, &known, Some("203.0.113.66"), 200),
        (&trusting, &known, Some("unknown"), 403),
        (&trusting, &known, None, 403),
    ] {
        let mut request = listing(credentials, adapter.address)?;
        if let Some(value) = forwarded {
            request = request.header("x-forwarded-for", value);
        }
        let response = exchange(adapter.address, request)?;
        assert_eq!(
            response.status,
            wanted,
            "{forwarded:?}: {}",
            response.text()
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_separate_adapter_refuses_a_header_that_nobody_may_send() -> Result<(), HarnessError> {
    let output = command(&[
        "--service=http://127.0.0.1:1",
        "--forwarded-header=forwarded",
    ])?
    .env("BUCKETRY_ACCESS_KEY_ID", "BKTYAAAAAAAAAAAAAAAA")
    .env("BUCKETRY_SECRET_ACCESS_KEY", "of no server")
    .output()
    .expect("the adapter to run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        said.contains("forwarded-header without trusted-proxy"),
        "{said}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_separate_adapter_is_not_ready_while_it_cannot_sign_in() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let mut key = edge_key(&mut Clients::root(&server).await?).await?;
    key.secret_access_key = "of another key".to_owned();
    let side_door = bucketry_tests::haproxy::free_address(Ipv4Addr::LOCALHOST.into())?;
    let health = format!("--health-listen={side_door}");
    let _adapter = Adapter::with(&key, &server.endpoint_url(), &[&health])?;
    let begun = Instant::now();
    loop {
        let answer = exchange(side_door, Request::new("GET", "/readyz"))?;
        let told = answer.text();
        assert_eq!(answer.status, 503, "{told}");
        // The service answers, and the cause is named.
        if told.starts_with("sign-in fails: ") && told.lines().count() == 1 {
            return Ok(());
        }
        assert!(begun.elapsed().as_secs() < 30, "{told}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_separate_adapter_is_ready_as_long_as_its_service_is() -> Result<(), HarnessError> {
    let mut server = Server::start(ServerOptions::new())?;
    let side_door = bucketry_tests::haproxy::free_address(Ipv4Addr::LOCALHOST.into())?;
    let health = format!("--health-listen={side_door}");
    let adapter = Adapter::start(&server, &[&health, "--drain-delay=60s"]).await?;
    let ask = |path: &str| exchange(side_door, Request::new("GET", path));
    let becomes = |status: u16, text: &str| {
        let begun = Instant::now();
        loop {
            let answer = ask("/readyz")?;
            if answer.status == status && answer.text() == text {
                return Ok::<_, HarnessError>(());
            }
            assert!(begun.elapsed().as_secs() < 30, "{}", answer.text());
        }
    };
    becomes(200, "ok\n")?;
    // Stopping, it still serves.
    let pid = Pid::from_child(&adapter.process);
    kill_process(pid, Signal::TERM).expect("to be asked to end");
    becomes(503, "stopping\n")?;
    let request = Request::new("GET", "/").header("host", &adapter.address.to_string());
    assert_eq!(exchange(adapter.address, request)?.status, 403);
    server.kill9()?;
    becomes(503, "stopping\nservice does not answer\n")?;
    assert_eq!(ask("/livez")?.status, 200);
    Ok(())
}

/// The head of an upload of one byte.
fn upload(credentials: &Credentials, host: SocketAddr) -> Result<Request, HarnessError> {
    let request = Request::new("PUT", &format!("/{}/k", credentials.bucket))
        .header("host", &host.to_string())
        .header("content-length", "1");
    let signer = Signer::new(&credentials.access_key_id, &credentials.secret_access_key);
    signer.header(request, SystemTime::now(), Payload::Unsigned)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_separate_adapter_ends_with_1_if_a_request_outlasts_its_drain()
-> Result<(), HarnessError> {
    let mut doors = Doors::open(ServerOptions::new()).await?;
    let credentials = doors.token(&[], &[]).await?;
    let mut idle = Adapter::start(&doors.server, &[]).await?;
    let answer = exchange(idle.address, listing(&credentials, idle.address)?)?;
    assert_eq!(answer.status, 200);
    assert_eq!(idle.stop().code(), Some(0));

    let mut busy = Adapter::start(&doors.server, &["--drain-deadline=1s"]).await?;
    let request = upload(&credentials, busy.address)?.header("expect", "100-continue");
    let mut connection = Connection::open(busy.address)?;
    connection.send(&request.head())?;
    // The upload is running: the adapter waits for a body that is never sent.
    assert_eq!(connection.receive("PUT")?.status, 100);
    assert_eq!(busy.stop().code(), Some(1));
    Ok(())
}
