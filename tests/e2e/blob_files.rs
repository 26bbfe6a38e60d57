//! Blob files that are pipes, links or damaged, and unavailable stores, as clients and `fsck` see them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant, SystemTime};

use bucketry_contract::v1::{GetObjectRequest, Permission};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::{Request, Response, exchange};
use bucketry_tests::server::{Server, ServerOptions, binary};
use bucketry_tests::sigv4::{Payload, Signer};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;

use crate::health::{ask, serving};

const BUCKET: &str = "blob-files-bucket";
/// Large enough for a blob of its own, small enough for one block.
const LENGTH: usize = 20_000;
const PROMISED: Duration = Duration::from_secs(2);
/// Additional time for a busy test machine.
const SLACK: Duration = Duration::from_secs(8);

struct Bench {
    server: Server,
    root: Clients,
    signer: Signer,
}

impl Bench {
    async fn start(options: ServerOptions) -> Result<Self, HarnessError> {
        let server = Server::start(options)?;
        let mut root = Clients::root(&server).await?;
        root.create_bucket(BUCKET).await?;
        let (_, credentials) = root.create_token(BUCKET, Permission::ReadWrite).await?;
        let signer = Signer::new(&credentials.access_key_id, &credentials.secret_access_key);
        Ok(Self {
            server,
            root,
            signer,
        })
    }

    fn send(&self, method: &str, key: &str, body: Vec<u8>) -> Result<Response, HarnessError> {
        let request = Request::new(method, &format!("/{BUCKET}/{key}"))
            .header("host", &self.server.address().to_string())
            .header("content-length", &body.len().to_string())
            .body(body);
        let signed = self
            .signer
            .header(request, SystemTime::now(), Payload::Unsigned)?;
        exchange(self.server.address(), signed)
    }

    /// Puts an object and answers the file of its blob.
    fn put(&self, key: &str) -> Result<PathBuf, HarnessError> {
        let before = blobs(&self.server.data_dir());
        let put = self.send("PUT", key, vec![b'x'; LENGTH])?;
        assert_eq!(put.status, 200, "{}", put.text());
        let mut after = blobs(&self.server.data_dir());
        after.retain(|file| !before.contains(file));
        assert_eq!(after.len(), 1, "{after:?}");
        Ok(after.remove(0))
    }

    async fn read_by_grpc(&mut self, key: &str) -> Code {
        let request = GetObjectRequest {
            bucket: BUCKET.to_owned(),
            key: key.to_owned(),
            ..GetObjectRequest::default()
        };
        match self.root.objects.get_object(request).await {
            // Not even the header.
            Err(status) => status.code(),
            Ok(_) => Code::Ok,
        }
    }
}

/// The files of all blobs of a data directory.
fn blobs(data: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| {
        let entries = std::fs::read_dir(folder).expect("a directory of the store");
        entries.map(|entry| entry.expect("an entry").path())
    };
    entries(&data.join("blobs/blobs"))
        .flat_map(|fan| entries(&fan).collect::<Vec<_>>())
        .collect()
}

fn fsck(data: &Path, arguments: &[&str]) -> Output {
    Command::new(binary().expect("the binary"))
        .args(["fsck", "--data-dir"])
        .arg(data)
        .args(arguments)
        .output()
        .expect("fsck to run")
}

fn pipe(file: &Path) {
    std::fs::remove_file(file).expect("the blob");
    mknodat(CWD, file, FileType::Fifo, Mode::from_raw_mode(0o600), 0).expect("a pipe");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_block_that_is_damaged_or_missing_is_a_whole_answer() -> Result<(), HarnessError> {
    let mut bench = Bench::start(ServerOptions::new()).await?;
    type Spoil = fn(&Path);
    let spoil: [(&str, Spoil); 5] = [
        ("damaged", |file| {
            let mut bytes = std::fs::read(file).expect("the blob");
            bytes[10] ^= 1;
            std::fs::write(file, bytes).expect("to be written");
        }),
        ("empty", |file| {
            std::fs::write(file, "").expect("to be written")
        }),
        ("missing", |file| {
            std::fs::remove_file(file).expect("the blob")
        }),
        ("pipe", pipe),
        ("link", |file| {
            let elsewhere = file.with_file_name("elsewhere");
            std::fs::rename(file, &elsewhere).expect("the blob");
            std::os::unix::fs::symlink(elsewhere, file).expect("a link");
        }),
    ];
    for (key, spoil) in spoil {
        let sound = format!("{key}-sound");
        bench.put(&sound)?;
        spoil(&bench.put(key)?);
        for range in [None, Some("bytes=5-10")] {
            let mut request = Request::new("GET", &format!("/{BUCKET}/{key}"))
                .header("host", &bench.server.address().to_string());
            if let Some(range) = range {
                request = request.header("range", range);
            }
            let signed = bench
                .signer
                .header(request, SystemTime::now(), Payload::Unsigned)?;
            let answer = exchange(bench.server.address(), signed)?;
            assert_eq!(answer.status, 500, "{key}: {}", answer.text());
            assert_eq!(answer.element("Code").as_deref(), Some("InternalError"));
        }
        assert_eq!(bench.send("HEAD", key, Vec::new())?.status, 200, "{key}");
        assert_eq!(bench.read_by_grpc(key).await, Code::DataLoss, "{key}");
        let next = bench.send("GET", &sound, Vec::new())?;
        assert_eq!((next.status, next.body.len()), (200, LENGTH), "{key}");
    }
    bench.server.stop()?;
    let checked = fsck(&bench.server.data_dir(), &["--verify"]);
    assert_eq!(checked.status.code(), Some(1));
    let report = String::from_utf8_lossy(&checked.stdout).into_owned();
    for key in ["damaged", "empty", "missing", "pipe", "link"] {
        assert!(report.contains(key), "{key} is not in {report}");
    }
    let foreign = report.matches("its file is not a regular file");
    assert_eq!(foreign.count(), 2, "{report}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn collecting_never_leaves_the_store() -> Result<(), HarnessError> {
    let bench = Bench::start(ServerOptions::new()).await?;
    let blob = bench.put("kept")?;
    let mut server = bench.server;
    server.stop()?;
    let fan = blob.parent().expect("its directory");
    let outside = tempfile::tempdir().expect("a folder");
    let moved = outside.path().join("fan");
    std::fs::rename(fan, &moved).expect("to be moved");
    std::os::unix::fs::symlink(&moved, fan).expect("a link");
    // A blob that nothing refers to, and what a crash leaves of an upload.
    let name = blob.file_name().expect("a name").to_string_lossy();
    let orphan = format!("{}-ffff", name.split_once('-').expect("a blob").0);
    for name in [orphan.clone(), format!("{orphan}#1")] {
        std::fs::write(moved.join(name), "x").expect("to be written");
    }
    let before = std::fs::read_dir(&moved).expect("the directory").count();
    let refused = fsck(&server.data_dir(), &["--collect"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("links are not followed"), "{said}");
    let started = server.start_second().map(drop);
    let started = started
        .expect_err("no start on a linked directory")
        .to_string();
    assert!(started.contains("links are not followed"), "{started}");
    assert_eq!(
        std::fs::read_dir(&moved).expect("the directory").count(),
        before
    );
    Ok(())
}

#[tokio::test]
async fn a_store_that_is_missing_makes_the_node_unavailable_until_it_is_back()
-> Result<(), HarnessError> {
    let options = ServerOptions::new().argument("--metrics-listen=127.0.0.1:0");
    let bench = Bench::start(options).await?;
    bench.put("k")?;
    let store = bench.server.data_dir().join("blobs");
    let away = bench.server.data_dir().join("away");
    assert_eq!(ask(&bench.server, "/readyz")?.0, 200);
    std::fs::rename(&store, &away).expect("to be moved");
    let limit = Instant::now() + PROMISED * 2 + SLACK;
    loop {
        let (status, text) = ask(&bench.server, "/readyz")?;
        if status == 503 {
            assert_eq!(text, "store has no marker\n");
            break;
        }
        assert!(Instant::now() < limit, "still ready");
    }
    assert_eq!(ask(&bench.server, "/livez")?.0, 200);
    while serving(&bench.server).await? != ServingStatus::NotServing {
        assert!(Instant::now() < limit, "still serving by gRPC health");
    }
    std::fs::rename(&away, &store).expect("to be moved");
    let back = Instant::now();
    while ask(&bench.server, "/readyz")?.0 != 200 {
        assert!(back.elapsed() < PROMISED + SLACK, "still not ready");
    }
    assert_eq!(bench.send("GET", "k", Vec::new())?.status, 200);
    Ok(())
}
