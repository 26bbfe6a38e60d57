//! State and integrity.
//!
//! Tested elsewhere:
//!
//! - kill -9: `durability::crashes_lose_nothing_that_was_acknowledged` runs the load tool's crash cycles (PUT, overwrite,
//!   multipart, copy, delete); `durability::an_upload_cut_by_kill9_leaves_nothing`
//! - races: `races::{one_put_if_there_is_none_wins, completes_of_one_upload_make_one_object, a_complete_and_an_abort}` and
//!   their counterparts on PostgreSQL and by gRPC; a write against a delete is here
//! - full disk: `durability::a_full_disk_takes_no_uploads_but_deletes`; at the write itself, the store of faults of
//!   `blobs::writer::tests::a_failing_store_never_yields_a_written_blob`. There are no quotas yet.
//! - EIO: the same store of faults (a call fails, or fails after its effect, or loses bytes); errors of a real disk and
//!   of a folder's fsync are not injected, nor any under SQLite
//! - a database that goes away in COMMIT: `lost_commit`
//! - clocks: `access::sigv4::time_window::tests`, with the clock as an argument; commits are ordered by a sequence, not by
//!   time
//! - the collector against uploads: the catalog's conformance of blobs, on both engines, and the crash cycles, which run
//!   with a grace of a second
//! - fuzzing: `tests/fuzz`
//!
//! Not applicable: upgrade with open uploads (there is no earlier release); notifications (every request reads the state
//! of its key).

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bucketry_contract::v1::{CreateTokenRequest, Credentials, HeadBucketRequest, Permission};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients, call, channel};
use bucketry_tests::http1::{Request, exchange};
use bucketry_tests::postgres;
use bucketry_tests::script::repository;
use bucketry_tests::server::{Server, ServerOptions};
use bucketry_tests::sigv4::Payload;
use bytes::Bytes;
use sqlx::{Connection, Executor, PgConnection, Row};

use super::raw::io;
use crate::permissions::grpc::methods;
use crate::wire::{BUCKET, Wire, refusal, refused, signer, with_body};

/// Writes of one key and deletes of it at once: what is left is one of the writes, whole, or nothing.
async fn writes_against_deletes(options: ServerOptions) -> Result<(), HarnessError> {
    let wire = Wire::with(options).await?;
    let bodies: Vec<Vec<u8>> = (b'a'..b'g').map(|byte| vec![byte; 300_000]).collect();
    for _ in 0..5 {
        let mut requests = Vec::new();
        for body in &bodies {
            requests.push(wire.signed(with_body(wire.request("PUT", "k"), body))?);
            requests.push(wire.signed(wire.request("DELETE", "k"))?);
        }
        let address = wire.server.address();
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let racers: Vec<_> = requests
                .into_iter()
                .map(|request| scope.spawn(move || exchange(address, request)))
                .collect();
            let ended = racers.into_iter().map(|racer| racer.join().unwrap());
            ended.map(|answer| answer.unwrap().status).collect()
        });
        assert!(
            statuses.iter().all(|status| matches!(status, 200 | 204)),
            "{statuses:?}"
        );
        let left = wire.get("k")?;
        match left.status {
            200 => assert!(bodies.contains(&left.body)),
            status => assert_eq!(status, 404),
        }
        let listed = wire.send(wire.signed(wire.request("GET", "?list-type=2"))?)?;
        let count = listed.element("KeyCount");
        assert_eq!(
            count.as_deref(),
            Some(if left.status == 200 { "1" } else { "0" })
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_write_races_a_delete() -> Result<(), HarnessError> {
    writes_against_deletes(ServerOptions::new()).await
}

#[tokio::test]
async fn a_write_races_a_delete_on_postgres() -> Result<(), HarnessError> {
    let url = postgres::create_database().await?;
    writes_against_deletes(ServerOptions::new().database_url(&url)).await
}

/// The files of blobs.
fn blobs(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), HarnessError> {
    for entry in std::fs::read_dir(folder).map_err(io("list"))? {
        let path = entry.map_err(io("list"))?.path();
        match path.is_dir() {
            true => blobs(&path, found)?,
            false => found.push(path),
        }
    }
    Ok(())
}

/// A bit that has changed on the disk, anywhere in a blob: an error, never other bytes.
#[tokio::test]
async fn changed_bits_are_never_read() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let body: Vec<u8> = (0..1_000_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    wire.put("k", &body)?;
    let mut found = Vec::new();
    blobs(
        &wire.server.data_dir().join("blobs").join("blobs"),
        &mut found,
    )?;
    let file = found.pop().ok_or(HarnessError::Incomplete("blob"))?;
    let sound = std::fs::read(&file).map_err(io("read"))?;
    assert!(sound.len() >= body.len(), "{}", sound.len());
    let mut damaged_reads = 0;
    for step in 0..16 {
        let at = step * (sound.len() - 1) / 15;
        let mut damaged = sound.clone();
        damaged[at] ^= 1 << (step % 8);
        std::fs::write(&file, &damaged).map_err(io("damage"))?;
        // An answer that has begun can only be cut.
        match wire.get("k") {
            Ok(answer) if answer.status == 200 => assert_eq!(answer.body, body, "byte {at}"),
            Ok(answer) => {
                assert_eq!(answer.status, 500, "byte {at}: {}", answer.text());
                damaged_reads += 1;
            }
            Err(_cut) => damaged_reads += 1,
        }
    }
    assert!(damaged_reads >= 15, "{damaged_reads} of 16 were noticed");
    std::fs::write(&file, &sound).map_err(io("mend"))?;
    assert_eq!(wire.get("k")?.body, body);
    Ok(())
}

/// The files of the catalog, with what they hold.
fn catalog(wire: &Wire) -> Result<Vec<(PathBuf, Vec<u8>)>, HarnessError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(wire.server.data_dir()).map_err(io("list"))? {
        let path = entry.map_err(io("list"))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("catalog") && path.is_file() {
            let content = std::fs::read(&path).map_err(io("read"))?;
            files.push((path.clone(), content));
        }
    }
    assert!(!files.is_empty(), "no catalog");
    Ok(files)
}

/// The catalog of an hour ago beside the blobs of now: every row of it still has its content, and what is written next
/// never takes the place of anything.
// Waiting for the stop blocks a thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_catalog_finds_its_content() -> Result<(), HarnessError> {
    let mut wire = Wire::start().await?;
    let body = |byte: u8| vec![byte; 300_000];
    for key in ["kept", "overwritten", "deleted"] {
        assert_eq!(wire.put(key, &body(b'1'))?.status, 200);
    }
    stopped(&mut wire.server)?;
    let backup = catalog(&wire)?;
    wire.server.restart()?;
    for number in 0..20 {
        assert_eq!(wire.put(&format!("new{number}"), &body(b'2'))?.status, 200);
    }
    wire.put("overwritten", &body(b'2'))?;
    let delete = wire.signed(wire.request("DELETE", "deleted"))?;
    assert_eq!(wire.send(delete)?.status, 204);
    stopped(&mut wire.server)?;

    for (path, _) in catalog(&wire)? {
        std::fs::remove_file(path).map_err(io("remove"))?;
    }
    for (path, content) in backup {
        std::fs::write(path, content).map_err(io("restore"))?;
    }
    wire.server.restart()?;
    for key in ["kept", "overwritten", "deleted"] {
        let got = wire.get(key)?;
        assert_eq!((got.status, got.body == body(b'1')), (200, true), "{key}");
    }
    assert_eq!(refusal(&wire.get("new0")?), refused(404, "NoSuchKey"));
    // The first name of a blob that the restored catalog gives out again is taken by what it does not know: such a
    // write is told to try again, and the names around it are left alone.
    let mut refusals = 0;
    for number in 0..40 {
        let key = format!("again{number}");
        let put = wire.put(&key, &body(b'3'))?;
        match put.status {
            200 => assert!(wire.get(&key)?.body == body(b'3'), "{key}"),
            _ => {
                assert_eq!(refusal(&put), refused(503, "ServiceUnavailable"), "{key}");
                assert_eq!(
                    refusal(&wire.get(&key)?),
                    refused(404, "NoSuchKey"),
                    "{key}"
                );
                refusals += 1;
            }
        }
    }
    assert!(refusals <= 1, "{refusals}");
    for key in ["kept", "overwritten", "deleted"] {
        assert!(wire.get(key)?.body == body(b'1'), "{key}");
    }
    Ok(())
}

const TOKENS: usize = 10_000;
const RULES: usize = 100;
const REQUESTS: usize = 200;

async fn many_tokens(root: &Clients) -> Result<Vec<Credentials>, HarnessError> {
    let addresses = |net: u8| (1..RULES / 2).map(move |host| format!("{net}.0.{host}.0/24"));
    let mut creators = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let mut root = root.clone();
        let request = CreateTokenRequest {
            bucket: BUCKET.to_owned(),
            name: "one of many".to_owned(),
            permission: Permission::ReadOnly.into(),
            allowed_ips: addresses(10).chain(["127.0.0.0/8".to_owned()]).collect(),
            disallowed_ips: addresses(11).chain(["12.0.0.0/8".to_owned()]).collect(),
            ..Default::default()
        };
        creators.spawn(async move {
            let mut made = Vec::new();
            for _ in 0..TOKENS / 20 {
                let answer = root.tokens.create_token(request.clone()).await?;
                made.extend(answer.into_inner().credentials);
            }
            Ok::<_, tonic::Status>(made)
        });
    }
    let mut all = Vec::new();
    while let Some(made) = creators.join_next().await {
        all.extend(made.unwrap()?);
    }
    assert_eq!(all.len(), TOKENS);
    Ok(all)
}

/// How many rows of access keys have been read since the database was made. What a connection has read is counted once
/// it is closed.
async fn rows_read(url: &str) -> Result<i64, HarnessError> {
    let mut database = PgConnection::connect(url).await?;
    let query = "SELECT seq_tup_read + COALESCE(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'access_keys'";
    let row = sqlx::query(query).fetch_one(&mut database).await?;
    Ok(row.try_get(0)?)
}

fn stopped(server: &mut Server) -> Result<(), HarnessError> {
    let status = server.stop()?;
    assert!(status.success(), "{status}");
    Ok(())
}

/// Ten thousand tokens of a hundred rules each: what one request reads does not grow with them.
// Waiting for the stop blocks a thread; the clients need another one to end their connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_request_reads_does_not_grow_with_the_tokens() -> Result<(), HarnessError> {
    let url = postgres::create_database().await?;
    let options = ServerOptions::new().database_url(&url);
    let mut wire = Wire::with(options.clone()).await?;
    let mut tokens = many_tokens(&Clients::root(&wire.server).await?).await?;
    tokens.truncate(REQUESTS);
    stopped(&mut wire.server)?;
    // As it would be done in time by the database itself.
    let mut database = PgConnection::connect(&url).await?;
    database.execute("ANALYZE").await?;
    database.close().await?;

    let before = rows_read(&url).await?;
    wire.server.restart()?;
    stopped(&mut wire.server)?;
    let idle = rows_read(&url).await? - before;

    wire.server.restart()?;
    for credentials in &tokens {
        let request = Request::new("GET", &format!("/{BUCKET}?list-type=2"))
            .header("host", &wire.server.address().to_string());
        let now = SystemTime::now();
        let answer = wire.send(signer(credentials).header(request, now, Payload::Signed)?)?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mut clients = Clients::connect(&wire.server, Bearer::token(credentials)?).await?;
        let request = HeadBucketRequest {
            bucket: BUCKET.to_owned(),
        };
        clients.objects.head_bucket(request).await?;
    }
    stopped(&mut wire.server)?;
    let read = rows_read(&url).await? - before - 2 * idle;
    let requests = i64::try_from(2 * REQUESTS).unwrap();
    assert!(read >= requests / 2, "{read} rows: nothing is counted");
    // What the server does in the background passes over all rows now and then; a request that did would be seen a
    // thousandfold.
    let scans = requests * i64::try_from(TOKENS).unwrap();
    assert!(read <= scans / 10, "{read} rows for {requests} requests");
    Ok(())
}

/// The labels of a page of metrics: names and values, `le` of histograms left out.
fn labels(page: &str) -> BTreeSet<(String, String)> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let sets = lines.filter_map(|line| line.split_once('{')?.1.split_once('}').map(|(set, _)| set));
    sets.flat_map(|set| set.split(','))
        .filter_map(|label| label.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
        .filter(|(name, _)| name != "le")
        .collect()
}

fn metrics_address(server: &Server) -> Result<SocketAddr, HarnessError> {
    let log = server.log();
    let events = log
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    events
        .filter(|event| event["message"] == "metrics")
        .find_map(|event| event["address"].as_str()?.parse().ok())
        .ok_or(HarnessError::Incomplete("address of the metrics"))
}

/// Every operation that there is a name for: of S3 and of gRPC.
fn operations() -> BTreeSet<String> {
    let path = repository().join("s3-adapter/generator/golden/s3-api.json");
    let golden: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let of_s3 = golden["operations"].as_array().unwrap().iter();
    let of_s3 = of_s3.filter_map(|operation| operation["operation"].as_str().map(str::to_owned));
    let of_grpc = methods().into_iter().map(|method| method.name().to_owned());
    let besides = ["Check", "ServerReflectionInfo", "unknown", "none", "other"];
    of_s3
        .chain(of_grpc)
        .chain(besides.map(str::to_owned))
        .collect()
}

/// Labels are of a bounded set, whatever clients send: no token, bucket, key, address or method of theirs is one.
#[tokio::test]
async fn metric_labels_are_bounded() -> Result<(), HarnessError> {
    let options = ServerOptions::new()
        .argument("--metrics-listen")
        .argument("127.0.0.1:0");
    let wire = Wire::with(options).await?;
    let mut root = Clients::root(&wire.server).await?;
    let channel = channel(&wire.server).await?;
    let mut series = Vec::new();
    for round in 0..3 {
        for number in 0..20 {
            let (_, credentials) = root.create_token(BUCKET, Permission::ReadWrite).await?;
            let signer = signer(&credentials);
            let invented = format!("invented{round}x{number}");
            for (method, target) in [
                ("PUT", format!("/{BUCKET}/{invented}")),
                ("GET", format!("/{BUCKET}/{invented}")),
                ("GET", format!("/{invented}")),
                ("GET", format!("/{BUCKET}?{invented}")),
                (invented.to_ascii_uppercase().as_str(), "/".to_owned()),
            ] {
                let request = Request::new(method, &target)
                    .header("host", &wire.server.address().to_string());
                let request = match method {
                    "PUT" => with_body(request, b"x"),
                    _ => request,
                };
                wire.send(signer.header(request, SystemTime::now(), Payload::Signed)?)?;
            }
            let path = format!("/bucketry.v1.ObjectService/{invented}");
            call(channel.clone(), None, &path, Bytes::new())
                .await
                .unwrap_err();
        }
        let page = exchange(
            metrics_address(&wire.server)?,
            Request::new("GET", "/metrics"),
        )?
        .text();
        assert!(!page.to_ascii_lowercase().contains("invented"), "{page}");
        for own in [BUCKET, &wire.credentials.access_key_id, "BKTY", "127.0.0.1"] {
            assert!(!page.contains(own), "{own}:\n{page}");
        }
        let labels = labels(&page);
        let names: BTreeSet<&str> = labels.iter().map(|(name, _)| name.as_str()).collect();
        let known = BTreeSet::from(["front", "operation", "outcome", "part", "reason", "version"]);
        assert!(
            names.is_subset(&known),
            "a new label is to be bounded, and named here: {names:?}"
        );
        let operations = operations();
        for (_, value) in labels.iter().filter(|(name, _)| name == "operation") {
            assert!(operations.contains(value), "{value}");
        }
        series.push(labels);
    }
    assert_eq!(series[1], series[2]);
    Ok(())
}

/// MinIO's extraction of uploaded archives (CVE-2026-40344) is not there: an archive is an object.
#[tokio::test]
async fn an_uploaded_archive_is_not_extracted() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let request = with_body(wire.request("PUT", "a.tar"), b"not even an archive");
    let request = wire.signed(request.header("x-amz-meta-snowball-auto-extract", "true"))?;
    assert_eq!(wire.send(request)?.status, 200);
    let got = wire.get("a.tar")?;
    assert_eq!(got.body, b"not even an archive");
    assert_eq!(got.find("x-amz-meta-snowball-auto-extract"), Some("true"));
    for header in [
        "x-amz-snowball-auto-extract",
        "x-minio-extract",
        "x-amz-auto-extract",
    ] {
        let request = with_body(wire.request("PUT", "b.tar"), b"x").header(header, "true");
        let answer = wire.send(wire.signed(request)?)?;
        assert_eq!(answer.status, 200, "{header}: {}", answer.text());
        assert_eq!(wire.get("b.tar")?.body, b"x", "{header}");
    }
    Ok(())
}
