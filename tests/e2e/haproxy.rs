//! A real proxy before the server: HAProxy, by the PROXY protocol in both versions and by `X-Forwarded-For`.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

use bucketry_tests::error::HarnessError;
use bucketry_tests::haproxy::HaProxy;
use bucketry_tests::http1::Connection;
use bucketry_tests::server::ServerOptions;
use tonic::transport::Endpoint;

use crate::client_address::{Doors, describe, listing};
use crate::proxy_protocol::proxy_listener;

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

/// HAProxy with one address for each way.
fn start(direct: SocketAddr, proxied: SocketAddr) -> Result<HaProxy, HarnessError> {
    HaProxy::start(direct.ip(), WAYS.len(), |addresses| {
        let mut settings = String::from(
            "defaults\n  timeout connect 30s\n  timeout client 30s\n  timeout server 30s\n",
        );
        for (way, address) in WAYS.iter().zip(addresses) {
            let server = if way.server.is_empty() {
                direct
            } else {
                proxied
            };
            writeln!(
                settings,
                "listen p{}\n  bind {address}\n  {}\n  server s {server} {}",
                address.port(),
                way.mode,
                way.server
            )
            .expect("a string takes all");
        }
        settings
    })
}

#[tokio::test]
async fn a_real_proxy_names_the_client() -> Result<(), HarnessError> {
    const CLIENT: [u8; 4] = [127, 0, 0, 5];
    let options = ServerOptions::new()
        .argument("--proxy-listen=127.0.0.1:0")
        .argument("--trusted-proxy=127.0.0.1");
    let mut doors = Doors::open(options).await?;
    let proxy = start(doors.server.address(), proxy_listener(&doors.server)?)?;
    let of_client = doors.token(&["127.0.0.5"], &[]).await?;
    let of_others = doors.token(&[], &["127.0.0.5"]).await?;
    for (way, port) in WAYS.iter().zip(proxy.addresses()) {
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
