//! Health as load balancers see it: `/livez` and `/readyz` beside the metrics, `grpc.health.v1`, and a rolling restart
//! that loses no request.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bucketry_contract::v1::Permission;
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Clients, channel};
use bucketry_tests::haproxy::{HaProxy, free_address};
use bucketry_tests::http1::{Connection, Request, exchange};
use bucketry_tests::postgres;
use bucketry_tests::server::{Server, ServerOptions};
use bucketry_tests::sigv4::{Payload, Signer};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

const BUCKET: &str = "health-test-bucket";
const CLIENTS: usize = 4;
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SOON: Duration = Duration::from_secs(20);

/// The address of the metrics and of health.
pub(crate) fn side_door(server: &Server) -> Result<SocketAddr, HarnessError> {
    let log = server.log();
    let mut events = log
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|event| event["message"] == "metrics");
    // The latest start is the last.
    events
        .rfind(|event| event["address"].is_string())
        .and_then(|event| event["address"].as_str()?.parse().ok())
        .ok_or(HarnessError::Incomplete("address of the metrics"))
}

/// Status and text of an answer about health.
pub(crate) fn ask(server: &Server, path: &str) -> Result<(u16, String), HarnessError> {
    let answer = exchange(side_door(server)?, Request::new("GET", path))?;
    Ok((answer.status, answer.text()))
}

/// What gRPC health says of the whole server.
pub(crate) async fn serving(server: &Server) -> Result<ServingStatus, HarnessError> {
    let mut health = HealthClient::new(channel(server).await?);
    let answer = health.check(HealthCheckRequest::default()).await?;
    Ok(answer.into_inner().status())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_serves_everyone_through_its_drain_delay() -> Result<(), HarnessError> {
    let options = ServerOptions::new()
        .argument("--metrics-listen=127.0.0.1:0")
        .argument("--drain-delay=3s");
    let mut server = Server::start(options)?;
    assert_eq!(ask(&server, "/readyz")?, (200, "ok\n".to_owned()));
    assert_eq!(ask(&server, "/livez")?, (200, "ok\n".to_owned()));
    assert_eq!(serving(&server).await?, ServingStatus::Serving);
    let listing = || Request::new("GET", "/").header("host", &server.address().to_string());
    let mut kept = Connection::open(server.address())?;
    assert_eq!(kept.exchange(&listing())?.find("connection"), None);
    let stopping = Instant::now();
    let (request, address) = (listing(), server.address());
    server.terminate()?;
    while ask(&server, "/readyz")?.0 == 200 {
        assert!(stopping.elapsed() < SOON, "still ready");
    }
    assert_eq!(ask(&server, "/readyz")?, (503, "stopping\n".to_owned()));
    assert_eq!(ask(&server, "/livez")?.0, 200);
    assert_eq!(serving(&server).await?, ServingStatus::NotServing);
    // New connections are served, and all are told to go.
    for mut connection in [kept, Connection::open(address)?] {
        let answer = connection.exchange(&request)?;
        assert_eq!(
            (answer.status, answer.find("connection")),
            (403, Some("close"))
        );
    }
    assert!(server.wait()?.success());
    assert!(stopping.elapsed() >= Duration::from_secs(3));
    Ok(())
}

/// HAProxy before nodes, whose readiness it asks at their metrics.
fn balancer(nodes: &[(SocketAddr, SocketAddr)]) -> Result<HaProxy, HarnessError> {
    HaProxy::start(LOCALHOST, 1, |addresses| {
        let mut settings = String::from(
            "defaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n\
             listen nodes\n  option httpchk GET /readyz\n  option redispatch\n  http-reuse always\n  \
             default-server inter 250ms fall 1 rise 1\n",
        );
        for address in addresses {
            settings += &format!("  bind {address}\n");
        }
        for (index, (node, health)) in nodes.iter().enumerate() {
            settings += &format!("  server n{index} {node} check port {}\n", health.port());
        }
        settings
    })
}

/// Reads and writes over connections that are kept, until told to stop; answers what went wrong.
fn keep_asking(
    address: SocketAddr,
    signer: &Signer,
    stop: &AtomicBool,
    done: &AtomicUsize,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut connection = None;
    let mut turn = 0;
    while !stop.load(Ordering::SeqCst) {
        turn += 1;
        let method = if turn % 4 == 0 { "PUT" } else { "GET" };
        let body = if method == "PUT" { "content" } else { "" };
        let request = Request::new(method, &format!("/{BUCKET}/k"))
            .header("host", &address.to_string())
            .header("content-length", &body.len().to_string())
            .body(body);
        let answer = (|| {
            let signed = signer.header(request, SystemTime::now(), Payload::Unsigned)?;
            let mut open = match connection.take() {
                Some(open) => open,
                None => Connection::open(address)?,
            };
            let answer = open.exchange(&signed)?;
            if answer.find("connection") != Some("close") {
                connection = Some(open);
            }
            Ok::<_, HarnessError>(answer)
        })();
        match answer {
            Ok(answer) if answer.status == 200 => {
                done.fetch_add(1, Ordering::SeqCst);
            }
            Ok(answer) => wrong.push(format!("{method} {}: {}", answer.status, answer.text())),
            Err(error) => wrong.push(format!("{method}: {error}")),
        }
        // Some hundred requests a second of all clients, whatever the machine could do.
        std::thread::sleep(Duration::from_millis(12));
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_behind_haproxy_loses_no_request() -> Result<(), HarnessError> {
    let store = tempfile::tempdir().expect("a folder for the store");
    let url = postgres::create_database().await?;
    let options = || {
        ServerOptions::new()
            .database_url(&url)
            .argument("--store")
            .argument(format!("file://{}", store.path().display()))
            .argument("--drain-delay=2s")
    };
    // The same ports after a restart, as the balancer knows them.
    let ports = [
        (free_address(LOCALHOST)?, free_address(LOCALHOST)?),
        (free_address(LOCALHOST)?, free_address(LOCALHOST)?),
    ];
    let mut nodes = Vec::new();
    for (node, health) in &ports {
        let options = options()
            .listen(&node.to_string())
            .argument(format!("--metrics-listen={health}"));
        nodes.push(Server::start(options)?);
    }
    let mut root = Clients::root(&nodes[0]).await?;
    root.create_bucket(BUCKET).await?;
    let (_, credentials) = root.create_token(BUCKET, Permission::ReadWrite).await?;
    let signer = Arc::new(Signer::new(
        &credentials.access_key_id,
        &credentials.secret_access_key,
    ));
    let balancer = balancer(&ports)?;
    let address = balancer.addresses()[0];
    let (stop, done) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let first = Request::new("PUT", &format!("/{BUCKET}/k"))
        .header("host", &address.to_string())
        .header("content-length", "7")
        .body("content");
    let first = signer.header(first, SystemTime::now(), Payload::Unsigned)?;
    assert_eq!(exchange(address, first)?.status, 200);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (signer, stop, done) = (Arc::clone(&signer), Arc::clone(&stop), Arc::clone(&done));
            std::thread::spawn(move || keep_asking(address, &signer, &stop, &done))
        })
        .collect();
    let more = |count: usize| {
        let (target, begun) = (done.load(Ordering::SeqCst) + count, Instant::now());
        while done.load(Ordering::SeqCst) < target && begun.elapsed() < SOON {
            std::thread::yield_now();
        }
    };
    more(100);
    for node in &mut nodes {
        node.restart()?;
        // Until the balancer has seen it: the other one goes next.
        more(200);
    }
    stop.store(true, Ordering::SeqCst);
    let wrong: Vec<String> = clients
        .into_iter()
        .flat_map(|client| client.join().expect("no panic"))
        .collect();
    assert!(wrong.is_empty(), "{} of {done:?}: {wrong:?}", wrong.len());
    assert!(done.load(Ordering::SeqCst) >= 500, "{done:?}");
    Ok(())
}
