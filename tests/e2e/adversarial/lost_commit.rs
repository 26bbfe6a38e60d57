//! A database that commits and cannot say so any more: a proxy that drops the connection instead of the answer.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bucketry_tests::error::HarnessError;
use bucketry_tests::postgres;
use bucketry_tests::server::ServerOptions;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use super::raw::io;
use crate::wire::{BUCKET, Wire, refusal, refused, with_body};

/// CommandComplete of a COMMIT, as it is in PostgreSQL's protocol.
const COMMITTED: &[u8] = b"C\0\0\0\x0bCOMMIT\0";

/// Between the server and its database.
struct Proxy {
    address: SocketAddr,
    /// Whether answers to a COMMIT are lost, and their connections with them.
    cuts: Arc<AtomicBool>,
}

impl Proxy {
    fn start(database: SocketAddr) -> Result<Self, HarnessError> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(io("listen"))?;
        let address = listener.local_addr().map_err(io("listen"))?;
        let cuts = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&cuts);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect(database) {
                    join(&client, &server, &shared).ok();
                }
            }
        });
        Ok(Self { address, cuts })
    }
}

fn join(client: &TcpStream, server: &TcpStream, cuts: &Arc<AtomicBool>) -> std::io::Result<()> {
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        std::io::copy(&mut from, &mut to).ok();
        to.shutdown(Shutdown::Both).ok();
    });
    let (mut from, mut to, cuts) = (server.try_clone()?, client.try_clone()?, Arc::clone(cuts));
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let lost = buffer[..read]
                .windows(COMMITTED.len())
                .any(|at| at == COMMITTED);
            if lost && cuts.load(Ordering::SeqCst) || to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        to.shutdown(Shutdown::Both).ok();
        from.shutdown(Shutdown::Both).ok();
    });
    Ok(())
}

/// The client is told to try again, and nothing that was committed is lost or done twice: the object is there with its
/// content, and the same request again finds it.
#[tokio::test]
async fn a_commit_whose_answer_is_lost_can_be_retried() -> Result<(), HarnessError> {
    let url = postgres::create_database().await?;
    let options: PgConnectOptions = url.parse()?;
    let database = format!("{}:{}", options.get_host(), options.get_port());
    let database = database.parse().map_err(|_| HarnessError::NoPostgres)?;
    let proxy = Proxy::start(database)?;
    let options = options.host("127.0.0.1").port(proxy.address.port());
    let wire =
        Wire::with(ServerOptions::new().database_url(options.to_url_lossy().as_str())).await?;
    let body = vec![b'x'; 300_000];
    wire.put("before", &body)?;
    let put = |key: &str| {
        let request = with_body(wire.request("PUT", key), &body).header("if-none-match", "*");
        wire.send(wire.signed(request)?)
    };
    for key in ["first", "second", "third"] {
        proxy.cuts.store(true, Ordering::SeqCst);
        let unknown = put(key)?;
        proxy.cuts.store(false, Ordering::SeqCst);
        assert_eq!(
            refusal(&unknown),
            refused(503, "ServiceUnavailable"),
            "{}",
            unknown.text()
        );
        let got = wire.get(key)?;
        assert_eq!((got.status, got.body == body), (200, true), "{key}");
        assert_eq!(
            refusal(&put(key)?),
            refused(412, "PreconditionFailed"),
            "{key}"
        );
    }
    let listed = wire.send(wire.signed(wire.request("GET", "?list-type=2"))?)?;
    assert_eq!(listed.element("KeyCount").as_deref(), Some("4"), "{BUCKET}");
    Ok(())
}
