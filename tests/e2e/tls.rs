//! TLS: the same port, S3 over HTTP/1.1 and HTTP/2, gRPC, the command line.

use std::fs;
use std::path::PathBuf;

use bucketry_tests::error::HarnessError;
use bucketry_tests::script::{Interpreter, Script};
use bucketry_tests::server::{Server, ServerOptions};
use tempfile::TempDir;

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
}

#[tokio::test]
async fn both_protocols_over_tls() -> Result<(), HarnessError> {
    let files = Certificate::make();
    let options = ServerOptions::new()
        .argument("--tls-cert")
        .argument(&files.certificate)
        .argument("--tls-key")
        .argument(&files.key);
    let server = Server::start(options)?;
    assert!(server.endpoint_url().starts_with("https://"));
    Script::new(Interpreter::Bash, "tests/clients/tls.sh")
        .operator(&server)
        .environment("CA_FILE", &files.certificate)
        .run()
        .await
        .map(drop)
}
