//! A real proxy before the server: HAProxy, by the PROXY protocol in both versions and by `X-Forwarded-For`.

use std::fmt::Write;
use std::fs;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::Connection;
use bucketry_tests::server::ServerOptions;
use tempfile::TempDir;
use tonic::transport::Endpoint;

use crate::client_address::{Doors, describe, listing};
use crate::proxy_protocol::proxy_listener;

/// Not every user's path has the folder in which distributions put it.
const ELSEWHERE: &str = "/usr/sbin/haproxy";
/// Another process may take a port between the look and the start.
const ATTEMPTS: usize = 5;

/// A way through the proxy: how it speaks to the server.
struct Way {
    name: &'static str,
    mode: &'static str,
    /// What is added to the line of the server.
    server: &'static str,
}

const WAYS: [Way; 4] = [
    Way {
        name: "version 1",
        mode: "mode tcp",
        server: "send-proxy",
    },
    Way {
        name: "version 2",
        mode: "mode tcp",
        server: "send-proxy-v2",
    },
    Way {
        name: "version 2 with a checksum and an id",
        mode: "mode tcp",
        server: "send-proxy-v2 proxy-v2-options crc32c,unique-id",
    },
    Way {
        name: "X-Forwarded-For",
        mode: "mode http\n  option forwardfor",
        server: "",
    },
];

/// A running HAProxy with one port for each way. Dropping it ends it.
struct HaProxy {
    process: Child,
    ports: Vec<SocketAddr>,
    _folder: TempDir,
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl HaProxy {
    fn start(direct: SocketAddr, proxied: SocketAddr) -> Result<Self, HarnessError> {
        for _ in 0..ATTEMPTS {
            if let Some(started) = Self::attempt(direct, proxied)? {
                return Ok(started);
            }
        }
        Err(HarnessError::Incomplete("free ports for HAProxy"))
    }

    /// None: it has ended at once, for want of a port.
    fn attempt(direct: SocketAddr, proxied: SocketAddr) -> Result<Option<Self>, HarnessError> {
        let ports: Vec<SocketAddr> = WAYS.iter().map(|_| free_port()).collect();
        let mut settings = String::from(
            "defaults\n  timeout connect 30s\n  timeout client 30s\n  timeout server 30s\n",
        );
        for (way, port) in WAYS.iter().zip(&ports) {
            let server = if way.server.is_empty() {
                direct
            } else {
                proxied
            };
            writeln!(
                settings,
                "listen p{}\n  bind {port}\n  {}\n  server s {server} {}",
                port.port(),
                way.mode,
                way.server
            )
            .expect("a string takes all");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("haproxy.cfg");
        fs::write(&file, settings).expect("to be written");
        let program = [PathBuf::from(ELSEWHERE)]
            .into_iter()
            .find(|path| path.is_file())
            .unwrap_or_else(|| PathBuf::from("haproxy"));
        let mut process = Command::new(&program)
            .args(["-db", "-q", "-f"])
            .arg(&file)
            .stdin(Stdio::null())
            .spawn()
            .map_err(|_| HarnessError::NotPrepared(program))?;
        // All ports are bound before any is served.
        while ports.iter().any(|port| TcpStream::connect(port).is_err()) {
            if !matches!(process.try_wait(), Ok(None)) {
                return Ok(None);
            }
            std::thread::yield_now();
        }
        Ok(Some(Self {
            process,
            ports,
            _folder: folder,
        }))
    }
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
}

#[tokio::test]
async fn a_real_proxy_names_the_client() -> Result<(), HarnessError> {
    const CLIENT: [u8; 4] = [127, 0, 0, 5];
    let options = ServerOptions::new()
        .argument("--proxy-listen=127.0.0.1:0")
        .argument("--trusted-proxy=127.0.0.1");
    let mut doors = Doors::open(options).await?;
    let proxy = HaProxy::start(doors.server.address(), proxy_listener(&doors.server)?)?;
    let of_client = doors.token(&["127.0.0.5"], &[]).await?;
    let of_others = doors.token(&[], &["127.0.0.5"]).await?;
    for (way, port) in WAYS.iter().zip(&proxy.ports) {
        let name = way.name;
        for (credentials, wanted) in [(&of_client, 200), (&of_others, 403)] {
            // Whatever the client says of itself.
            let request = listing(credentials, *port)?.header("x-forwarded-for", "192.0.2.1");
            let mut connection = Connection::open_from(IpAddr::from(CLIENT), *port).await?;
            for _ in 0..2 {
                let response = connection.exchange(&request)?;
                assert_eq!(response.status, wanted, "{name}: {}", response.text());
            }
        }
        if way.server.is_empty() {
            continue;
        }
        let channel = Endpoint::from_shared(format!("http://{port}"))?
            .local_address(Some(IpAddr::from(CLIENT)))
            .connect()
            .await?;
        let described = describe(channel, &[("x-forwarded-for", "192.0.2.1")]).await?;
        assert_eq!(
            described.client_address, "127.0.0.5",
            "{name}: {described:?}"
        );
    }
    Ok(())
}
