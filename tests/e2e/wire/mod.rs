//! S3 on the wire: requests made by hand, signed by AWS's own library.

mod bodies;
mod connections;
mod requests;

use std::time::SystemTime;

use bucketry_contract::v1::{Credentials, Permission};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::{Request, Response, exchange};
use bucketry_tests::server::{Server, ServerOptions};
use bucketry_tests::sigv4::{Chunked, Payload, Signer};
use bytes::Bytes;

pub(crate) const BUCKET: &str = "wire-test-bucket";
/// The body of the CRC catalogue and its CRC-32C in base64.
const CHECKED: &[u8] = b"123456789";
const CHECKED_CRC32C: &str = "4waSgw==";
const CHECKED_CRC64NVME: &str = "rosUhgp5mIg=";

/// A server with one bucket and a token on it.
pub(crate) struct Wire {
    pub(crate) server: Server,
    pub(crate) signer: Signer,
    pub(crate) credentials: Credentials,
}

impl Wire {
    pub(crate) async fn start() -> Result<Self, HarnessError> {
        Self::with(ServerOptions::new()).await
    }

    pub(crate) async fn with(options: ServerOptions) -> Result<Self, HarnessError> {
        let server = Server::start(options)?;
        let mut root = Clients::root(&server).await?;
        root.create_bucket(BUCKET).await?;
        let (_, credentials) = root.create_token(BUCKET, Permission::ReadWrite).await?;
        let signer = signer(&credentials);
        Ok(Self {
            server,
            signer,
            credentials,
        })
    }

    pub(crate) fn request(&self, method: &str, key: &str) -> Request {
        Request::new(method, &format!("/{BUCKET}/{key}"))
            .header("host", &self.server.address().to_string())
    }

    pub(crate) fn signed(&self, request: Request) -> Result<Request, HarnessError> {
        self.signer
            .header(request, SystemTime::now(), Payload::Signed)
    }

    pub(crate) fn send(&self, request: Request) -> Result<Response, HarnessError> {
        exchange(self.server.address(), request)
    }

    pub(crate) fn put(&self, key: &str, body: &[u8]) -> Result<Response, HarnessError> {
        self.send(self.signed(with_body(self.request("PUT", key), body))?)
    }

    pub(crate) fn get(&self, key: &str) -> Result<Response, HarnessError> {
        self.send(self.signed(self.request("GET", key))?)
    }

    pub(crate) fn chunked(
        &self,
        key: &str,
        chunks: &[Bytes],
        mode: &Chunked,
    ) -> Result<Request, HarnessError> {
        self.signer
            .chunked(self.request("PUT", key), SystemTime::now(), chunks, mode)
    }
}

pub(crate) fn signer(credentials: &Credentials) -> Signer {
    Signer::new(&credentials.access_key_id, &credentials.secret_access_key)
}

pub(crate) fn with_body(request: Request, body: &[u8]) -> Request {
    request
        .header("content-length", &body.len().to_string())
        .body(body)
}

pub(crate) fn refusal(response: &Response) -> (u16, String) {
    (
        response.status,
        response.element("Code").unwrap_or_default(),
    )
}

pub(crate) fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
