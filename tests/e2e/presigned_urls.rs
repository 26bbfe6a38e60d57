//! URLs that the server signs for the caller's key, used by plain HTTP. On SQLite and on PostgreSQL.

mod console;
mod limits;
mod permissions;
mod requests;

use bucketry_contract::errors::explain;
use bucketry_contract::v1::{
    CreatePresignedUrlsRequest, PresignedMethod, PresignedUrl, PresignedUrlSpec,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::{Request, Response, exchange};
use bucketry_tests::server::{Server, ServerOptions};
use tonic::Status;

use crate::wire::with_body;

const BUCKET: &str = "presigned-urls";

/// Makes of each case a test per engine.
macro_rules! on_both_engines {
    ($($case:ident),* $(,)?) => {
        mod on_sqlite {
            use bucketry_tests::error::HarnessError;
            use bucketry_tests::server::ServerOptions;

            use crate::presigned_urls::Store;

            $(#[tokio::test]
            async fn $case() -> Result<(), HarnessError> {
                super::$case(&mut Store::start(ServerOptions::new()).await?).await
            })*
        }

        mod on_postgres {
            use bucketry_tests::error::HarnessError;
            use bucketry_tests::server::ServerOptions;

            use crate::presigned_urls::Store;

            $(#[tokio::test]
            async fn $case() -> Result<(), HarnessError> {
                let url = bucketry_tests::postgres::create_database().await?;
                super::$case(&mut Store::start(ServerOptions::new().database_url(&url)).await?).await
            })*
        }
    };
}

use on_both_engines;

/// A server with a bucket.
struct Store {
    server: Server,
    root: Clients,
}

impl Store {
    async fn start(options: ServerOptions) -> Result<Self, HarnessError> {
        let server = Server::start(options)?;
        let mut root = Clients::root(&server).await?;
        root.create_bucket(BUCKET).await?;
        Ok(Self { server, root })
    }

    /// What a client sends that was given a URL and its headers.
    fn request(&self, method: &str, made: &PresignedUrl) -> Request {
        let origin = self.server.localhost_url();
        let target = made.url.strip_prefix(&origin);
        let target = target.unwrap_or_else(|| panic!("{} is not of {origin}", made.url));
        let host = format!("localhost:{}", self.server.address().port());
        let mut headers: Vec<_> = made.headers.iter().collect();
        // HTTP clients send the length by themselves.
        headers.retain(|(name, _)| *name != "content-length");
        let request = Request::new(method, target).header("host", &host);
        headers.into_iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        })
    }

    fn send(&self, request: Request) -> Result<Response, HarnessError> {
        exchange(self.server.address(), request)
    }

    fn get(&self, made: &PresignedUrl) -> Result<Response, HarnessError> {
        self.send(self.request("GET", made))
    }

    fn put(&self, made: &PresignedUrl, body: &[u8]) -> Result<Response, HarnessError> {
        self.send(with_body(self.request("PUT", made), body))
    }

    /// Writes an object with the root key.
    async fn store(&mut self, key: &str, body: &[u8]) -> Result<(), HarnessError> {
        let made = presigned(&mut self.root, put(key)).await?;
        assert_eq!(self.put(&made, body)?.status, 200);
        Ok(())
    }
}

fn spec(method: PresignedMethod, key: &str) -> PresignedUrlSpec {
    PresignedUrlSpec {
        method: method.into(),
        key: key.to_owned(),
        ..PresignedUrlSpec::default()
    }
}

fn get(key: &str) -> PresignedUrlSpec {
    spec(PresignedMethod::Get, key)
}

fn put(key: &str) -> PresignedUrlSpec {
    spec(PresignedMethod::Put, key)
}

async fn presigned_in(
    clients: &mut Clients,
    bucket: &str,
    urls: Vec<PresignedUrlSpec>,
) -> Result<Vec<PresignedUrl>, Status> {
    let request = CreatePresignedUrlsRequest {
        bucket: bucket.to_owned(),
        urls,
    };
    let answer = clients.objects.create_presigned_urls(request).await?;
    Ok(answer.into_inner().urls)
}

/// The URL of one entry.
async fn presigned(clients: &mut Clients, url: PresignedUrlSpec) -> Result<PresignedUrl, Status> {
    let mut urls = presigned_in(clients, BUCKET, vec![url]).await?;
    assert_eq!(urls.len(), 1);
    Ok(urls.remove(0))
}

/// The reason of a refusal, and the field that it names.
fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> (String, String) {
    let status = answer.expect_err("a refusal");
    let explained = explain(&status).unwrap_or_else(|| panic!("no reason: {status:?}"));
    let field = explained.metadata.get("field").cloned();
    (
        explained
            .reason
            .as_str_name()
            .trim_start_matches("ERROR_REASON_")
            .to_owned(),
        field.unwrap_or_default(),
    )
}
