//! Sign-in by challenge: the secret does not travel, the server proves itself, and a session is worth what its key is.

mod adapter;
mod challenge;
mod impostor;
mod mutual_tls;
mod relay;
mod strangers;

use std::net::SocketAddr;
use std::process::{Command, Output};
use std::time::SystemTime;

use bucketry_contract::errors::explain;
use bucketry_contract::v1::ErrorReason;
use bucketry_sign_in::{Purpose, Session, SignIn, SignInCredentials, SignInError};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::channel;
use bucketry_tests::http1::{Request, exchange};
use bucketry_tests::server::{ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY, Server, binary};
use bucketry_tests::sigv4::{Payload, Signer};
use tonic::Status;

use crate::separate_adapter::Key;

const BUCKET: &str = "sign-in-test-bucket";

fn root() -> Key {
    Key {
        key_id: String::new(),
        access_key_id: ROOT_ACCESS_KEY_ID.to_owned(),
        secret_access_key: ROOT_SECRET_ACCESS_KEY.to_owned(),
    }
}

/// Signs in to a server by the address that it listens on.
pub(crate) async fn sign_in(
    server: &Server,
    key: &Key,
    purpose: Purpose,
) -> Result<Session, SignInError> {
    let sign_in = SignIn {
        channel: channel(server).await.expect("a connection"),
        credentials: SignInCredentials::new(&key.access_key_id, &key.secret_access_key),
        endpoint: server.endpoint_url(),
        purpose,
    };
    sign_in.session().await
}

/// The command line with the root key, before an endpoint. Off the runtime, for the servers that it talks to may live
/// on that.
async fn command_line(endpoint: &str, arguments: &[&str]) -> Result<Output, HarnessError> {
    let mut command = Command::new(binary()?);
    command
        .args(arguments)
        .env("BUCKETRY_ENDPOINT", endpoint)
        .env("BUCKETRY_ACCESS_KEY_ID", ROOT_ACCESS_KEY_ID)
        .env("BUCKETRY_SECRET_ACCESS_KEY", ROOT_SECRET_ACCESS_KEY);
    let run = tokio::task::spawn_blocking(move || command.output());
    Ok(run.await.expect("the task").expect("the command to run"))
}

fn errors_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A signed request of S3.
async fn s3(address: SocketAddr, target: &str, key: (&str, &str)) -> Result<u16, HarnessError> {
    let request = Request::new("GET", target).header("host", &address.to_string());
    let request = Signer::new(key.0, key.1).header(request, SystemTime::now(), Payload::Signed)?;
    let sent = tokio::task::spawn_blocking(move || exchange(address, request));
    Ok(sent.await.expect("the task")?.status)
}

fn reason(status: &Status) -> Option<ErrorReason> {
    explain(status).map(|explained| explained.reason)
}
