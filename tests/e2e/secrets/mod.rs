//! Secrets: they show nowhere, neither in what the server says nor in what it keeps; they open only in their own row;
//! and the keys that seal them can be changed while the server is in use.

mod at_rest;
mod logs;
mod needles;
mod rotation;
mod tampering;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use bucketry_contract::v1::{
    Credentials, GetKeyringRequest, ListObjectsRequest, Permission, ReloadKeyringRequest,
    SealingKey,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::{Request, Response, exchange};
use bucketry_tests::server::{Server, binary};
use bucketry_tests::sigv4::{Payload, Signer};
use tonic::{Code, Status};

const BUCKET: &str = "secrets-test-bucket";

/// A token and a server to use it on.
#[derive(Debug, Clone)]
struct User {
    address: SocketAddr,
    credentials: Credentials,
    signer: Signer,
}

impl User {
    async fn new(
        root: &mut Clients,
        server: &Server,
        permission: Permission,
    ) -> Result<Self, HarnessError> {
        let (_, credentials) = root.create_token(BUCKET, permission).await?;
        Ok(Self::with(server, credentials))
    }

    fn with(server: &Server, credentials: Credentials) -> Self {
        Self {
            address: server.address(),
            signer: Signer::new(&credentials.access_key_id, &credentials.secret_access_key),
            credentials,
        }
    }

    /// The same token on another server, or on the same after a restart.
    fn at(&self, server: &Server) -> Self {
        Self::with(server, self.credentials.clone())
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

    fn presigned(&self, path: &str) -> Result<Request, HarnessError> {
        let request = Request::new("GET", &format!("/{BUCKET}{path}"))
            .header("host", &self.address.to_string());
        self.signer
            .presign(request, SystemTime::now(), Duration::from_secs(600))
    }

    fn bearer(&self) -> Result<Bearer, HarnessError> {
        Bearer::token(&self.credentials)
    }

    /// What a listing answers by header, by presigned URL and by gRPC.
    async fn at_all_doors(&self, server: &Server) -> Result<(u16, u16, Code), HarnessError> {
        let by_header = self.send("GET", "?list-type=2", b"")?.status;
        let by_url = exchange(self.address, self.presigned("?list-type=2")?)?.status;
        let mut clients = Clients::connect(server, self.bearer()?).await?;
        let by_grpc = clients.objects.list_objects(listing()).await;
        Ok((by_header, by_url, code(by_grpc)))
    }
}

/// What all doors answer when a secret cannot be opened, and when all is well.
const UNAVAILABLE: (u16, u16, Code) = (503, 503, Code::Unavailable);
const ALLOWED: (u16, u16, Code) = (200, 200, Code::Ok);

fn code<T>(answer: Result<T, Status>) -> Code {
    answer.map_or_else(|status| status.code(), |_| Code::Ok)
}

fn listing() -> ListObjectsRequest {
    ListObjectsRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    }
}

/// Runs `bucketry keyring` on a file; gives what it printed.
fn keyring_command(arguments: &[&str], file: &Path) -> Result<String, HarnessError> {
    let output = output(
        Command::new(binary()?)
            .arg("keyring")
            .args(arguments)
            .arg("--keyring-file")
            .arg(file),
    )?;
    let text =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    let text = text.concat();
    assert!(output.status.success(), "keyring {arguments:?}: {text}");
    Ok(text)
}

fn output(command: &mut Command) -> Result<std::process::Output, HarnessError> {
    command.output().map_err(|source| HarnessError::Io {
        what: "run bucketry",
        source,
    })
}

fn keyring_file(server: &Server) -> PathBuf {
    server.data_dir().join("keyring")
}

async fn reload(root: &mut Clients) -> Result<Vec<SealingKey>, Status> {
    let answer = root.admin.reload_keyring(ReloadKeyringRequest {}).await?;
    Ok(answer.into_inner().keys)
}

async fn keys(root: &mut Clients) -> Result<Vec<SealingKey>, HarnessError> {
    let answer = root.admin.get_keyring(GetKeyringRequest {}).await?;
    Ok(answer.into_inner().keys)
}

/// How many secrets a key seals.
fn sealed_by(keys: &[SealingKey], number: &str) -> i64 {
    keys.iter()
        .find(|key| key.key_id == number)
        .map_or(0, |key| key.sealed_secrets)
}
