//! Downloads that wait for the store when their token is ended.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use bucketry_contract::v1::{GetObjectRequest, GetSmallObjectRequest, PutSmallObjectRequest};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Clients, channel};
use bucketry_tests::http1::{Request, exchange};
use bucketry_tests::server::{ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY, Server, ServerOptions};
use bucketry_tests::sigv4::{Payload, Signer};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::doors::{End, Holder};
use super::{BUCKET, PROMISED, Way, reason, spec};

const STORE_BUCKET: &str = "stalled-store-test-bucket";
const SLACK: Duration = Duration::from_secs(4);
/// Too large to be kept in the catalog.
const SIZE: usize = 1024 * 1024;

/// The way to a store, which passes no read on while it is stalled.
struct Stalling {
    address: SocketAddr,
    stalled: Arc<AtomicBool>,
    /// The reads that are held.
    held: mpsc::UnboundedReceiver<()>,
}

impl Stalling {
    async fn before(store: SocketAddr) -> Result<Self, HarnessError> {
        let fault = |error: std::io::Error| HarnessError::Http(error.to_string());
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(fault)?;
        let address = listener.local_addr().map_err(fault)?;
        let stalled = Arc::new(AtomicBool::new(false));
        let (hold, held) = mpsc::unbounded_channel();
        let flag = Arc::clone(&stalled);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (flag, hold) = (Arc::clone(&flag), hold.clone());
                tokio::spawn(pass_on(client, store, flag, hold));
            }
        });
        Ok(Self {
            address,
            stalled,
            held,
        })
    }

    fn stall(&mut self) {
        while self.held.try_recv().is_ok() {}
        self.stalled.store(true, Ordering::SeqCst);
    }

    fn go_on(&self) {
        self.stalled.store(false, Ordering::SeqCst);
    }
}

/// Passes a connection on, until a read comes while stalled.
async fn pass_on(
    client: TcpStream,
    store: SocketAddr,
    stalled: Arc<AtomicBool>,
    hold: mpsc::UnboundedSender<()>,
) -> std::io::Result<()> {
    let (mut from_store, mut to_store) = TcpStream::connect(store).await?.into_split();
    let (mut from_client, mut to_client) = client.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_store, &mut to_client).await });
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = from_client.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        if stalled.load(Ordering::SeqCst) && buffer.starts_with(b"GET ") {
            let _ = hold.send(());
            std::future::pending::<()>().await;
        }
        to_store.write_all(&buffer[..length]).await?;
    }
}

fn create_store_bucket(store: &Server) -> Result<(), HarnessError> {
    let request = Request::new("PUT", &format!("/{STORE_BUCKET}"))
        .header("host", &store.address().to_string())
        .header("content-length", "0");
    let signer = Signer::new(ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY);
    let signed = signer.header(request, SystemTime::now(), Payload::Signed)?;
    let answer = exchange(store.address(), signed)?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    Ok(())
}

/// Reads an object by one of two calls; why that was refused.
async fn read(holder: &Holder, rpc: &str) -> Result<String, HarnessError> {
    let mut client = holder.by_key()?;
    let get = GetObjectRequest {
        bucket: BUCKET.to_owned(),
        key: "large".to_owned(),
        ..Default::default()
    };
    let read = match rpc {
        "GetObject" => client.get_object(get).await.map(drop),
        _ => {
            let object = Some(get);
            let small = GetSmallObjectRequest { object };
            client.get_small_object(small).await.map(drop)
        }
    };
    Ok(read.map_or_else(|status| reason(&status), |()| "allowed".to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_that_waits_for_the_store_ends_with_its_token() -> Result<(), HarnessError> {
    let store = Server::start(ServerOptions::new())?;
    create_store_bucket(&store)?;
    let mut way_to_store = Stalling::before(store.address()).await?;
    let endpoint = format!("http://{}", way_to_store.address);
    let options = ServerOptions::new()
        .argument(format!("--store=s3://{STORE_BUCKET}/blobs"))
        .argument("--store-timeout=60s")
        .environment("AWS_ENDPOINT", endpoint)
        .environment("AWS_ALLOW_HTTP", "true")
        .environment("AWS_REGION", "us-east-1")
        .environment("AWS_ACCESS_KEY_ID", ROOT_ACCESS_KEY_ID)
        .environment("AWS_SECRET_ACCESS_KEY", ROOT_SECRET_ACCESS_KEY);
    let server = Server::start(options)?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    let put = PutSmallObjectRequest {
        spec: Some(spec("large")),
        data: Bytes::from(vec![b'x'; SIZE]),
    };
    root.objects.put_small_object(put).await?;
    let way = Way {
        address: server.address(),
        channel: channel(&server).await?,
    };
    for rpc in ["GetObject", "GetSmallObject"] {
        let holder = Holder::new(&mut root, &way).await?;
        assert_eq!(read(&holder, rpc).await?, "allowed", "{rpc}");
        way_to_store.stall();
        let token = holder.token.clone();
        let running = tokio::spawn(async move { read(&holder, rpc).await });
        let held = way_to_store.held.recv().await;
        held.ok_or(HarnessError::Incomplete("read of the store"))?;
        End::Revoke.apply(&mut root, &token).await?;
        let ended = timeout(PROMISED + SLACK, running).await;
        let ended = ended.map_err(|_| HarnessError::Incomplete("end of the download"))?;
        let ended = ended.expect("the call does not panic")?;
        assert_eq!(ended, End::Revoke.reason(), "{rpc}");
        way_to_store.go_on();
    }
    Ok(())
}
