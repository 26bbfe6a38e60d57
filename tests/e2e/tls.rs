//! TLS: the same port, S3 over HTTP/1.1 and HTTP/2, gRPC, the command line.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use bucketry_tests::error::HarnessError;
use bucketry_tests::script::{Interpreter, Script};
use bucketry_tests::server::{Server, ServerOptions};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::separate_adapter::Adapter;

/// Handshakes until a new certificate must be in use.
const MOST_TRIES: usize = 500;

struct Certificate {
    _folder: TempDir,
    certificate: PathBuf,
    key: PathBuf,
}

impl Certificate {
    /// A certificate of this machine that nobody has signed but itself.
    fn make() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let (certificate, key) = (
            folder.path().join("cert.pem"),
            folder.path().join("key.pem"),
        );
        fs::write(&certificate, made.cert.pem()).expect("to be written");
        fs::write(&key, made.signing_key.serialize_pem()).expect("to be written");
        Self {
            _folder: folder,
            certificate,
            key,
        }
    }

    fn options(&self) -> ServerOptions {
        ServerOptions::new()
            .argument("--tls-cert")
            .argument(&self.certificate)
            .argument("--tls-key")
            .argument(&self.key)
    }
}

#[tokio::test]
async fn both_protocols_over_tls() -> Result<(), HarnessError> {
    let files = Certificate::make();
    let server = Server::start(files.options())?;
    assert!(server.endpoint_url().starts_with("https://"));
    Script::new(Interpreter::Bash, "tests/clients/tls.sh")
        .operator(&server)
        .environment("CA_FILE", &files.certificate)
        .run()
        .await
        .map(drop)
}

/// Whether a new connection is given a certificate that `authority` vouches for.
fn is_vouched_for(address: SocketAddr, authority: &Path) -> bool {
    let url = format!("https://localhost:{}/", address.port());
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--output", "/dev/null", "--cacert"]);
    let status = curl.arg(authority).arg(url).status();
    status.expect("curl to run").success()
}

fn hang_up(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process"), Signal::HUP).expect("to be sent");
}

async fn logged(server: &Server, text: &str) {
    while !server.log().contains(text) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_hangup_reloads_the_certificate() -> Result<(), HarnessError> {
    let (files, next) = (Certificate::make(), Certificate::make());
    let server = Server::start(files.options())?;
    let former = files.certificate.with_file_name("former.pem");
    fs::copy(&files.certificate, &former).expect("to be copied");
    assert!(is_vouched_for(server.address(), &former));
    assert!(!is_vouched_for(server.address(), &next.certificate));

    fs::copy(&next.certificate, &files.certificate).expect("to be copied");
    // Certificate and key do not fit together now.
    hang_up(server.pid());
    logged(&server, "cannot reload the TLS certificate").await;
    assert!(is_vouched_for(server.address(), &former));

    fs::copy(&next.key, &files.key).expect("to be copied");
    hang_up(server.pid());
    logged(&server, "reloaded the TLS certificate").await;
    assert!(is_vouched_for(server.address(), &next.certificate));
    assert!(!is_vouched_for(server.address(), &former));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_reloads_the_certificate_of_the_separate_adapter() -> Result<(), HarnessError> {
    let (files, next) = (Certificate::make(), Certificate::make());
    let server = Server::start(ServerOptions::new())?;
    let (certificate, key) = (files.certificate.display(), files.key.display());
    let arguments = [
        format!("--tls-cert={certificate}"),
        format!("--tls-key={key}"),
    ];
    let adapter = Adapter::start(&server, &arguments.each_ref().map(String::as_str)).await?;
    let former = files.certificate.with_file_name("former.pem");
    fs::copy(&files.certificate, &former).expect("to be copied");
    assert!(is_vouched_for(adapter.address, &former));

    fs::copy(&next.certificate, &files.certificate).expect("to be copied");
    fs::copy(&next.key, &files.key).expect("to be copied");
    hang_up(adapter.pid());
    let replaced = (0..MOST_TRIES).any(|_| is_vouched_for(adapter.address, &next.certificate));
    assert!(replaced);
    assert!(!is_vouched_for(adapter.address, &former));
    Ok(())
}

/// A FIFO stands for a disk that does not answer. The server has one worker, which the reading must not take.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_cannot_be_read_holds_nothing_up() -> Result<(), HarnessError> {
    let files = Certificate::make();
    let options = files.options().environment("TOKIO_WORKER_THREADS", "1");
    let mut server = Server::start(options)?;
    let former = files.certificate.with_file_name("former.pem");
    fs::rename(&files.certificate, &former).expect("to be renamed");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, &files.certificate, mode).expect("a FIFO");
    hang_up(server.pid());
    logged(&server, "were not read within").await;
    assert!(is_vouched_for(server.address(), &former));
    assert!(server.stop()?.success());
    Ok(())
}
