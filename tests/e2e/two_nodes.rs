//! Two nodes on one database and one store, and one node alone: what was revoked, suspended or edited on one of them is
//! refused by the other from the moment the call has returned. There is no notification between nodes that could be
//! late or lost: a node asks the database about the key in every request, and its commits lock the key's row.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bucketry_contract::errors::explain;
use bucketry_contract::v1::object_service_client::ObjectServiceClient;
use bucketry_contract::v1::{
    CreateSessionRequest, CreateTokenRequest, Credentials, GetObjectRequest, ListObjectsRequest,
    ObjectChunk, Permission, PutObjectRequest, PutObjectSpec, PutSmallObjectRequest,
    RevokeTokenRequest, SuspendTokenRequest, Token, UpdateTokenRequest, put_object_request,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Caller, Clients, channel};
use bucketry_tests::http1::{Request, Response, exchange};
use bucketry_tests::postgres;
use bucketry_tests::server::{ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY, Server, ServerOptions};
use bucketry_tests::sigv4::{Payload, Signer};
use bytes::Bytes;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic::transport::Channel;

const BUCKET: &str = "two-nodes-test-bucket";
const TRIES: usize = 1000;
const WORKERS: usize = 8;
const ROUNDS_WITH_WRITERS: usize = 36;
/// What a running transfer is promised to end within, and what a slow machine may take on top.
const PROMISED: Duration = Duration::from_secs(1);
const SLACK: Duration = Duration::from_secs(4);
const CHUNK: usize = 1024 * 1024;
const NEXT_ROOT_SECRET: &str = "next/root+secret/access+key/of/40/chars/";

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
            .argument(format!("file://{}", store.path().display()));
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
        let options = ServerOptions::new();
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

/// How a token is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Revoke,
    Suspend,
    LockOut,
}

const ENDS: [End; 3] = [End::Revoke, End::Suspend, End::LockOut];

impl End {
    async fn apply(self, root: &mut Clients, token: &Token) -> Result<(), HarnessError> {
        let (bucket, token_id) = (BUCKET.to_owned(), token.token_id.clone());
        match self {
            Self::Revoke => {
                let request = RevokeTokenRequest { bucket, token_id };
                root.tokens.revoke_token(request).await?;
            }
            Self::Suspend => {
                let request = SuspendTokenRequest { bucket, token_id };
                root.tokens.suspend_token(request).await?;
            }
            Self::LockOut => {
                let request = UpdateTokenRequest {
                    token: Some(Token {
                        disallowed_ips: vec!["127.0.0.0/8".to_owned()],
                        version: 0,
                        ..token.clone()
                    }),
                    update_mask: Some(prost_types::FieldMask {
                        paths: vec!["disallowed_ips".to_owned()],
                    }),
                };
                root.tokens.update_token(request).await?;
            }
        }
        Ok(())
    }

    fn reason(self) -> &'static str {
        match self {
            Self::Revoke | Self::Suspend => "ERROR_REASON_INVALID_ACCESS_KEY_ID",
            Self::LockOut => "ERROR_REASON_ACCESS_DENIED",
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Revoke | Self::Suspend => "InvalidAccessKeyId",
            Self::LockOut => "AccessDenied",
        }
    }
}

/// A token made on one node, and the way to the node that it is used on.
struct Holder {
    token: Token,
    credentials: Credentials,
    signer: Signer,
    address: SocketAddr,
    channel: Channel,
}

impl Holder {
    async fn new(root: &mut Clients, way: &Way) -> Result<Self, HarnessError> {
        let request = CreateTokenRequest {
            bucket: BUCKET.to_owned(),
            name: "holder".to_owned(),
            permission: Permission::ReadWrite.into(),
            ..Default::default()
        };
        let made = root.tokens.create_token(request).await?.into_inner();
        let credentials = made
            .credentials
            .ok_or(HarnessError::Incomplete("credentials"))?;
        Ok(Self {
            token: made.token.ok_or(HarnessError::Incomplete("token"))?,
            signer: Signer::new(&credentials.access_key_id, &credentials.secret_access_key),
            credentials,
            address: way.address,
            channel: way.channel.clone(),
        })
    }

    fn request(&self, method: &str, path: &str, body: &[u8]) -> Request {
        Request::new(method, &format!("/{BUCKET}{path}"))
            .header("host", &self.address.to_string())
            .header("content-length", &body.len().to_string())
            .body(body)
    }

    fn send(&self, method: &str, path: &str, body: &[u8]) -> Result<Response, HarnessError> {
        let request = self.request(method, path, body);
        let signed = self
            .signer
            .header(request, SystemTime::now(), Payload::Signed)?;
        exchange(self.address, signed)
    }

    fn presigned(&self, method: &str, path: &str) -> Result<Request, HarnessError> {
        let request = Request::new(method, &format!("/{BUCKET}{path}"))
            .header("host", &self.address.to_string());
        self.signer
            .presign(request, SystemTime::now(), Duration::from_secs(600))
    }

    fn objects(&self, bearer: Bearer) -> ObjectServiceClient<Caller> {
        ObjectServiceClient::with_interceptor(self.channel.clone(), bearer)
    }

    fn by_key(&self) -> Result<ObjectServiceClient<Caller>, HarnessError> {
        Ok(self.objects(Bearer::token(&self.credentials)?))
    }

    async fn session(&self) -> Result<Bearer, HarnessError> {
        let bearer = Bearer::token(&self.credentials)?;
        let mut tokens =
            bucketry_contract::v1::token_service_client::TokenServiceClient::with_interceptor(
                self.channel.clone(),
                bearer,
            );
        let made = tokens.create_session(CreateSessionRequest {}).await?;
        Bearer::session(&made.into_inner().session_token)
    }
}

/// A way in that was used before, to be tried again.
enum Door {
    Header,
    Presigned(Request),
    Bearer(ObjectServiceClient<Caller>),
    Session(ObjectServiceClient<Caller>),
    Complete { path: String, body: String },
}

const DOORS: usize = 5;

impl Door {
    /// Uses the way once, so that whatever the node remembers, it remembers.
    async fn open(number: usize, holder: &Holder) -> Result<Self, HarnessError> {
        Ok(match number % DOORS {
            0 => {
                assert_eq!(holder.send("GET", "/k", b"")?.status, 200);
                Self::Header
            }
            1 => {
                let request = holder.presigned("GET", "/k")?;
                assert_eq!(exchange(holder.address, request.clone())?.status, 200);
                Self::Presigned(request)
            }
            2 => {
                let mut client = holder.by_key()?;
                client.list_objects(listing("")).await?;
                Self::Bearer(client)
            }
            3 => {
                let mut client = holder.objects(holder.session().await?);
                client.list_objects(listing("")).await?;
                Self::Session(client)
            }
            _ => {
                let upload = holder
                    .send("POST", "/parts?uploads", b"")?
                    .element("UploadId");
                let upload = upload.ok_or(HarnessError::Incomplete("UploadId"))?;
                let part = format!("/parts?partNumber=1&uploadId={upload}");
                let answer = holder.send("PUT", &part, b"part")?;
                let etag = answer.find("etag").unwrap_or_default();
                Self::Complete {
                    path: format!("/parts?uploadId={upload}"),
                    body: format!(
                        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>\
                         </CompleteMultipartUpload>"
                    ),
                }
            }
        })
    }

    /// What the way says now: S3's code or the reason of the status.
    async fn try_again(&mut self, holder: &Holder) -> Result<String, HarnessError> {
        let s3 = |response: Response| match response.status {
            403 => response.element("Code").unwrap_or_default(),
            status => format!("{status}: {}", response.text()),
        };
        Ok(match self {
            Self::Header => s3(holder.send("GET", "/k", b"")?),
            Self::Presigned(request) => s3(exchange(holder.address, request.clone())?),
            Self::Complete { path, body } => s3(holder.send("POST", path, body.as_bytes())?),
            Self::Bearer(client) | Self::Session(client) => {
                match client.list_objects(listing("")).await {
                    Ok(_) => "allowed".to_owned(),
                    Err(status) => reason(&status),
                }
            }
        })
    }

    fn expected(&self, end: End) -> &'static str {
        match self {
            Self::Bearer(_) | Self::Session(_) => end.reason(),
            Self::Header | Self::Presigned(_) | Self::Complete { .. } => end.code(),
        }
    }
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

/// Ends a token on one node and uses it at once on the other, a thousand times.
async fn a_thousand_tries(nodes: Nodes) -> Result<(), HarnessError> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        let next = Arc::clone(&next);
        let mut root = Clients::root(&nodes.first).await?;
        let way = nodes.way().await?;
        workers.push(tokio::spawn(async move {
            let mut done = 0;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= TRIES {
                    return Ok::<_, HarnessError>(done);
                }
                let end = ENDS[number / DOORS % ENDS.len()];
                let holder = Holder::new(&mut root, &way).await?;
                let mut door = Door::open(number, &holder).await?;
                end.apply(&mut root, &holder.token).await?;
                let said = door.try_again(&holder).await?;
                assert_eq!(said, door.expected(end), "try {number}: {end:?}");
                done += 1;
            }
        }));
    }
    let mut tries = 0;
    for worker in workers {
        tries += worker.await.expect("a worker does not panic")?;
    }
    assert_eq!(tries, TRIES);
    let mut root = Clients::root(&nodes.first).await?;
    let left = root.objects.list_objects(listing("")).await?.into_inner();
    let keys: Vec<_> = left.objects.iter().map(|object| &object.key).collect();
    assert_eq!(keys, ["k"], "an upload was completed");
    report(&format!(
        "ended and tried at once: {tries} tries, all refused"
    ));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "counts are for the reader of the run")]
fn report(line: &str) {
    println!("{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_revoked_key_is_refused_by_the_other_node_a_thousand_times() -> Result<(), HarnessError> {
    a_thousand_tries(Nodes::on_postgres().await?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_revoked_key_is_refused_by_the_same_node_a_thousand_times() -> Result<(), HarnessError> {
    a_thousand_tries(Nodes::on_sqlite().await?).await
}

/// Ends every connection of the nodes to their database, as a failover does.
async fn cut(database: &str) -> Result<(), HarnessError> {
    let options: PgConnectOptions = database.parse()?;
    let mut connection = options.connect().await?;
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .execute(&mut connection)
    .await?;
    Ok(connection.close().await?)
}

/// Does something again while the database is out of reach.
async fn insist<T, F>(mut work: impl FnMut() -> F) -> Result<T, HarnessError>
where
    F: Future<Output = Result<T, HarnessError>>,
{
    loop {
        match work().await {
            Err(HarnessError::Refused(status)) if status.code() == Code::Unavailable => {}
            answer => return answer,
        }
    }
}

/// Connections are cut at every point of a try: what has returned holds, and what cannot be asked is an outage.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revoked_key_is_refused_while_database_connections_are_cut() -> Result<(), HarnessError>
{
    const CUT_TRIES: usize = 120;
    let nodes = Nodes::on_postgres().await?;
    let database = nodes.database.clone().unwrap_or_default();
    let root = Clients::root(&nodes.first).await?;
    let way = nodes.way().await?;
    let mut outages = 0;
    for number in 0..CUT_TRIES {
        let end = ENDS[number % ENDS.len()];
        let holder = insist(|| {
            let (mut root, way) = (root.clone(), way.clone());
            async move { Holder::new(&mut root, &way).await }
        })
        .await?;
        let request = holder.presigned("GET", "/k")?;
        while exchange(holder.address, request.clone())?.status == 503 {}
        assert_eq!(exchange(holder.address, request.clone())?.status, 200);
        if number % 3 == 0 {
            cut(&database).await?;
        }
        let ended = insist(|| {
            let (mut root, token) = (root.clone(), holder.token.clone());
            async move { end.apply(&mut root, &token).await }
        });
        if number % 3 == 1 {
            let (ended, cut) = tokio::join!(ended, cut(&database));
            ended?;
            cut?;
        } else {
            ended.await?;
        }
        if number % 3 == 2 {
            cut(&database).await?;
        }
        let mut answer = exchange(holder.address, request.clone())?;
        while answer.status == 503 {
            outages += 1;
            answer = exchange(holder.address, request.clone())?;
        }
        assert_eq!(answer.status, 403, "try {number}: {}", answer.text());
    }
    report(&format!(
        "ended while connections were cut: {CUT_TRIES} tries, all refused, {outages} answers of 503 before"
    ));
    Ok(())
}

/// Writes one object after the other until it is refused, and once more after the end is known to have returned.
async fn write_until_refused(
    holder: Arc<Holder>,
    writer: usize,
    prefix: String,
    acknowledged: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
) -> Result<Vec<String>, HarnessError> {
    let mut client = holder.by_key()?;
    let mut written = Vec::new();
    loop {
        let late = over.load(Ordering::SeqCst);
        let key = format!("{prefix}{writer}/{}", written.len());
        let allowed = match writer % 3 {
            0 => holder.send("PUT", &format!("/{key}"), b"x")?.status == 200,
            1 => {
                let request = holder.presigned("PUT", &format!("/{key}"))?;
                let request = request.header("content-length", "1").body(*b"x");
                exchange(holder.address, request)?.status == 200
            }
            _ => {
                let request = PutSmallObjectRequest {
                    spec: Some(spec(&key)),
                    data: Bytes::from_static(b"x"),
                };
                client.put_small_object(request).await.is_ok()
            }
        };
        assert!(
            !(late && allowed),
            "{key} was begun after the end had returned"
        );
        if !allowed {
            return Ok(written);
        }
        written.push(key);
        acknowledged.fetch_add(1, Ordering::SeqCst);
    }
}

/// Nothing that races the end appears after its return, and all that was acknowledged is there.
async fn with_writers(nodes: Nodes) -> Result<(), HarnessError> {
    let mut root = Clients::root(&nodes.first).await?;
    let way = nodes.way().await?;
    let (mut writes, mut rounds) = (0, 0);
    for round in 0..ROUNDS_WITH_WRITERS {
        let end = ENDS[round % ENDS.len()];
        let prefix = format!("race/{round:04}/");
        let holder = Arc::new(Holder::new(&mut root, &way).await?);
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..6)
            .map(|writer| {
                let (holder, prefix) = (Arc::clone(&holder), prefix.clone());
                let (acknowledged, over) = (Arc::clone(&acknowledged), Arc::clone(&over));
                tokio::spawn(async move {
                    write_until_refused(holder, writer, prefix, acknowledged, over).await
                })
            })
            .collect();
        // Not before they are at it.
        while acknowledged.load(Ordering::SeqCst) < 4 + round % 7 {
            tokio::task::yield_now().await;
        }
        end.apply(&mut root, &holder.token).await?;
        over.store(true, Ordering::SeqCst);
        let at_return = keys(&mut root, &prefix).await?;
        let mut written = Vec::new();
        for writer in writers {
            written.extend(writer.await.expect("a writer does not panic")?);
        }
        let at_last = keys(&mut root, &prefix).await?;
        assert_eq!(
            at_return, at_last,
            "round {round}: written after the end returned"
        );
        written.sort_unstable();
        for key in &written {
            assert!(
                at_last.contains(key),
                "round {round}: {key} was acknowledged"
            );
        }
        writes += written.len();
        rounds += 1;
    }
    report(&format!(
        "ended under 6 writers: {rounds} rounds, {writes} writes acknowledged before, none after"
    ));
    Ok(())
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

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn no_write_commits_after_the_return_on_the_other_node() -> Result<(), HarnessError> {
    with_writers(Nodes::on_postgres().await?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn no_write_commits_after_the_return_on_the_same_node() -> Result<(), HarnessError> {
    with_writers(Nodes::on_sqlite().await?).await
}

/// The operator's key of the environment is the one key whose secret can be replaced: by a start with another one. What
/// the other node remembers of the former secret is of no use from then on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_root_secret_holds_on_the_other_node() -> Result<(), HarnessError> {
    let mut nodes = Nodes::on_postgres().await?;
    let list = |address: SocketAddr, secret: &str| -> Result<u16, HarnessError> {
        let request = Request::new("GET", "/").header("host", &address.to_string());
        let signer = Signer::new(ROOT_ACCESS_KEY_ID, secret);
        let signed = signer.header(request, SystemTime::now(), Payload::Signed)?;
        Ok(exchange(address, signed)?.status)
    };
    let other = nodes.user().address();
    assert_eq!(list(other, ROOT_SECRET_ACCESS_KEY)?, 200);
    let replaced = nodes
        .options
        .clone()
        .environment("BUCKETRY_ROOT_SECRET_ACCESS_KEY", NEXT_ROOT_SECRET);
    nodes.first.restart_with(replaced)?;
    for address in [nodes.first.address(), other] {
        assert_eq!(list(address, NEXT_ROOT_SECRET)?, 200);
        assert_eq!(list(address, ROOT_SECRET_ACCESS_KEY)?, 403);
    }
    Ok(())
}

fn chunk(number: usize) -> PutObjectRequest {
    PutObjectRequest {
        message: Some(put_object_request::Message::Chunk(ObjectChunk {
            offset: (number * CHUNK) as i64,
            data: Bytes::from(vec![b'x'; CHUNK]),
            crc32c: None,
        })),
    }
}

fn first_message(key: &str) -> PutObjectRequest {
    PutObjectRequest {
        message: Some(put_object_request::Message::Spec(spec(key))),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn running_streams_end_on_the_other_node() -> Result<(), HarnessError> {
    let nodes = Nodes::on_postgres().await?;
    let mut root = Clients::root(&nodes.first).await?;
    let large = std::iter::once(first_message("large")).chain((0..64).map(chunk));
    let large: Vec<_> = large.collect();
    root.objects.put_object(tokio_stream::iter(large)).await?;
    let way = nodes.way().await?;
    for end in ENDS {
        let holder = Holder::new(&mut root, &way).await?;
        let mut uploader = holder.by_key()?;
        let (messages, stream) = mpsc::channel(4);
        let running = tokio::spawn(async move {
            let stream = ReceiverStream::new(stream);
            let ended = uploader.put_object(stream).await;
            (ended, Instant::now())
        });
        messages.send(first_message("late")).await.ok();
        // The server has begun when the later ones find room.
        for number in 0..8 {
            messages.send(chunk(number)).await.ok();
        }
        let mut downloader = holder.by_key()?;
        let get = GetObjectRequest {
            bucket: BUCKET.to_owned(),
            key: "large".to_owned(),
            ..Default::default()
        };
        let mut download = downloader.get_object(get).await?.into_inner();
        assert!(download.message().await?.is_some());

        end.apply(&mut root, &holder.token).await?;
        let returned = Instant::now();
        let (ended, at) = timeout(PROMISED + SLACK, running)
            .await
            .map_err(|_| HarnessError::Incomplete("end of the upload"))?
            .expect("the call does not panic");
        let upload_took = at.saturating_duration_since(returned);
        assert_eq!(reason(&ended.unwrap_err()), end.reason(), "{end:?}");
        // The upload's watch began before the download's: what it saw, the download's sees in half a second more.
        let rest = async {
            loop {
                match download.message().await {
                    Ok(Some(_)) => {}
                    Ok(None) => return None,
                    Err(status) => return Some(status),
                }
            }
        };
        tokio::time::sleep_until((returned + PROMISED).into()).await;
        let status = timeout(SLACK, rest)
            .await
            .map_err(|_| HarnessError::Incomplete("end of the download"))?
            .expect("the download did not run to its end");
        assert_eq!(reason(&status), end.reason(), "{end:?}");
        report(&format!(
            "{end:?}: a running upload on the other node ended {upload_took:?} after the return"
        ));
        drop(messages);
    }
    assert_eq!(keys(&mut root, "late").await?, [] as [&str; 0]);
    Ok(())
}

/// All bytes of an upload are there, only its end is not: the commit is what the end of the token forbids.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_upload_that_only_lacks_its_commit_is_refused() -> Result<(), HarnessError> {
    let nodes = Nodes::on_postgres().await?;
    let mut root = Clients::root(&nodes.first).await?;
    let way = nodes.way().await?;
    for round in 0..30 {
        let end = ENDS[round % ENDS.len()];
        let holder = Holder::new(&mut root, &way).await?;
        let mut uploader = holder.by_key()?;
        let (messages, stream) = mpsc::channel(4);
        let running =
            tokio::spawn(async move { uploader.put_object(ReceiverStream::new(stream)).await });
        messages.send(first_message("late")).await.ok();
        messages.send(chunk(0)).await.ok();
        end.apply(&mut root, &holder.token).await?;
        drop(messages);
        let status = running.await.expect("the call does not panic").unwrap_err();
        // The commit says that access is denied; a watch that came first says why.
        let said = reason(&status);
        assert!(
            [end.reason(), End::LockOut.reason()].contains(&said.as_str()),
            "{end:?}: {said}"
        );
    }
    assert_eq!(keys(&mut root, "late").await?, [] as [&str; 0]);
    Ok(())
}

/// A key id that was asked for before it was made is there once it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_thousand_tokens_created_at_once_differ_and_work()
-> Result<(), HarnessError> {
    let nodes = Nodes::on_postgres().await?;
    let mut makers = Vec::new();
    for maker in 0..WORKERS {
        // Half of them on either node.
        let node = if maker % 2 == 0 {
            &nodes.first
        } else {
            nodes.user()
        };
        let mut root = Clients::root(node).await?;
        let way = nodes.way().await?;
        makers.push(tokio::spawn(async move {
            let mut made = Vec::new();
            for number in 0..TRIES / WORKERS {
                let holder = Holder::new(&mut root, &way).await?;
                if number % 10 == 0 {
                    assert_eq!(holder.send("GET", "/k", b"")?.status, 200);
                }
                made.push((
                    holder.token.token_id.clone(),
                    holder.credentials.access_key_id.clone(),
                    holder.credentials.secret_access_key.clone(),
                ));
            }
            Ok::<_, HarnessError>(made)
        }));
    }
    let mut all = Vec::new();
    for maker in makers {
        all.extend(maker.await.expect("a maker does not panic")?);
    }
    assert_eq!(all.len(), TRIES);
    let distinct = |pick: fn(&(String, String, String)) -> &String| {
        all.iter()
            .map(pick)
            .collect::<std::collections::HashSet<_>>()
            .len()
    };
    assert_eq!(distinct(|made| &made.0), TRIES, "token ids");
    assert_eq!(distinct(|made| &made.1), TRIES, "access key ids");
    assert_eq!(distinct(|made| &made.2), TRIES, "secrets");
    Ok(())
}
