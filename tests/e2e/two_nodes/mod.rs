//! Two nodes on one database and one store, and one node alone: what was revoked, suspended or edited on one of them is
//! refused by the other from the moment the call has returned. There is no notification between nodes that could be
//! late or lost: a node asks the database about the key in every request, and its commits lock the key's row.

mod doors;
mod remembered;
mod revocation;
mod stalled_store;
mod transfers;
mod withheld;
mod writers;

use std::net::SocketAddr;
use std::time::Duration;

use bucketry_contract::errors::explain;
use bucketry_contract::v1::{ListObjectsRequest, PutObjectSpec, PutSmallObjectRequest};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Clients, channel};
use bucketry_tests::postgres;
use bucketry_tests::server::{Server, ServerOptions};
use bytes::Bytes;
use tempfile::TempDir;
use tonic::transport::Channel;

const BUCKET: &str = "two-nodes-test-bucket";

const WORKERS: usize = 8;

/// What a running transfer is promised to end within, and what a slow machine may take on top.
const PROMISED: Duration = Duration::from_secs(1);

/// Where a token is ended, and where it is used.
struct Nodes {
    _store: TempDir,
    /// The URL of the database that both use.
    database: Option<String>,
    options: ServerOptions,
    first: Server,
    /// None: the first is the only one.
    second: Option<Server>,
}

impl Nodes {
    async fn on_postgres() -> Result<Self, HarnessError> {
        let store = tempfile::tempdir().expect("a folder for the store");
        let url = postgres::create_database().await?;
        let options = ServerOptions::new()
            .database_url(&url)
            .argument("--store")
            .argument(format!("file://{}", store.path().display()))
            .argument("--metrics-listen=127.0.0.1:0");
        let first = Server::start(options.clone())?;
        let second = Server::start(options.clone())?;
        Self {
            _store: store,
            database: Some(url),
            options,
            first,
            second: Some(second),
        }
        .with_bucket()
        .await
    }

    async fn on_sqlite() -> Result<Self, HarnessError> {
        let store = tempfile::tempdir().expect("a folder for the store");
        let options = ServerOptions::new().argument("--metrics-listen=127.0.0.1:0");
        let first = Server::start(options.clone())?;
        Self {
            _store: store,
            database: None,
            options,
            first,
            second: None,
        }
        .with_bucket()
        .await
    }

    async fn with_bucket(self) -> Result<Self, HarnessError> {
        let mut root = Clients::root(&self.first).await?;
        root.create_bucket(BUCKET).await?;
        let put = PutSmallObjectRequest {
            spec: Some(spec("k")),
            data: Bytes::from_static(b"content"),
        };
        root.objects.put_small_object(put).await?;
        Ok(self)
    }

    /// The node that tokens are used on.
    fn user(&self) -> &Server {
        self.second.as_ref().unwrap_or(&self.first)
    }

    async fn way(&self) -> Result<Way, HarnessError> {
        Ok(Way {
            address: self.user().address(),
            channel: channel(self.user()).await?,
        })
    }
}

/// The way to a node, for tasks of their own.
#[derive(Clone)]
struct Way {
    address: SocketAddr,
    channel: Channel,
}

fn reason(status: &tonic::Status) -> String {
    explain(status).map_or_else(
        || format!("{status:?}"),
        |explained| explained.reason.as_str_name().to_owned(),
    )
}

fn listing(prefix: &str) -> ListObjectsRequest {
    ListObjectsRequest {
        bucket: BUCKET.to_owned(),
        prefix: prefix.to_owned(),
        ..Default::default()
    }
}

fn spec(key: &str) -> PutObjectSpec {
    PutObjectSpec {
        bucket: BUCKET.to_owned(),
        key: key.to_owned(),
        ..Default::default()
    }
}

#[expect(clippy::print_stdout, reason = "counts are for the reader of the run")]
fn report(line: &str) {
    println!("{line}");
}

async fn keys(root: &mut Clients, prefix: &str) -> Result<Vec<String>, HarnessError> {
    let listed = root
        .objects
        .list_objects(listing(prefix))
        .await?
        .into_inner();
    assert!(listed.next_page_token.is_empty(), "one page holds them");
    Ok(listed
        .objects
        .into_iter()
        .map(|object| object.key)
        .collect())
}
