//! HTTP clients of cloud stores: time limits, retries, and the answer of a full store.

use std::time::Duration;

use async_trait::async_trait;
use http::StatusCode;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

/// The store is full: status 507.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store answers 507 Insufficient Storage")]
pub(super) struct CloudFull;

/// Connects are bounded here; everything else, which knows how many bytes it moves, by [`super::bounded`].
pub(super) fn client_options(timeout: Duration) -> ClientOptions {
    ClientOptions::new()
        .with_connect_timeout(timeout)
        .with_timeout_disabled()
}

/// A few quick retries within the time limit. If the store is unavailable for longer, the caller retries.
pub(super) fn retries(timeout: Duration) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_millis(400),
            base: 2.0,
        },
        max_retries: 3,
        retry_timeout: timeout,
    }
}

/// Makes clients that do not retry after 507, as object_store does after every status from 500.
#[derive(Clone, Copy, Debug)]
pub(super) struct FullAware;

impl HttpConnector for FullAware {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(FullAwareClient(client)))
    }
}

#[derive(Debug)]
struct FullAwareClient(HttpClient);

#[async_trait]
impl HttpService for FullAwareClient {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = self.0.execute(request).await?;
        if response.status() == StatusCode::INSUFFICIENT_STORAGE {
            // An error of an unknown kind is not retried.
            return Err(HttpError::new(HttpErrorKind::Unknown, CloudFull));
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use http_body_util::Full;
    use hyper::body::Incoming;
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::net::TcpListener;
    use tokio::task::JoinSet;
    use tokio::time::Instant;

    use super::super::samples::{data, read, whole, write};
    use super::super::{BlobError, BlobStore, BlobStoreOptions};
    use super::*;
    use bucketry_domain::BlobId;

    const ID: BlobId = BlobId::new(1, 1);

    /// An S3 store with one answer for all requests. Dropping the set ends it.
    async fn fake(status: u16, body: &'static str) -> (BlobStore, Arc<AtomicUsize>, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&requests);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let seen = Arc::clone(&seen);
                let answer = service_fn(move |_: http::Request<Incoming>| {
                    seen.fetch_add(1, Ordering::SeqCst);
                    let mut response =
                        http::Response::new(Full::new(Bytes::from_static(body.as_bytes())));
                    *response.status_mut() = StatusCode::from_u16(status).unwrap();
                    async move { Ok::<_, std::convert::Infallible>(response) }
                });
                connections
                    .spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), answer));
            }
        });
        (store(&address.to_string(), &[]), requests, tasks)
    }

    fn store(endpoint: &str, more: &[(&str, &str)]) -> BlobStore {
        let endpoint = format!("http://{endpoint}");
        let environment = [
            ("AWS_ENDPOINT", endpoint.as_str()),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ];
        let options = BlobStoreOptions {
            environment: (environment.iter().chain(more))
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..BlobStoreOptions::default()
        };
        BlobStore::open(&"s3://bucket".parse().unwrap(), &options).unwrap()
    }

    #[tokio::test]
    async fn a_full_store_is_told_at_once() {
        for (status, body) in [
            (507, "<Error><Code>XMinioStorageFull</Code></Error>"),
            (507, ""),
            (
                400,
                "<Error><Code>XMinioAdminBucketQuotaExceeded</Code></Error>",
            ),
            (403, "<Error><Code>QuotaExceeded</Code></Error>"),
        ] {
            let (store, requests, _server) = fake(status, body).await;
            // In one request, and in parts.
            for (index, length) in [(0, 20_000), (1, 9 << 20)] {
                let refused = write(&store, BlobId::new(1, index), &data(length), 1 << 20).await;
                assert!(
                    matches!(refused, Err(BlobError::NoSpace { .. })),
                    "{refused:?}"
                );
            }
            assert_eq!(requests.load(Ordering::SeqCst), 2, "{status}: repeated");
        }
    }

    #[tokio::test]
    async fn other_refusals_are_no_lack_of_room() {
        let (store, _, _server) = fake(403, "<Error><Code>AccessDenied</Code></Error>").await;
        let refused = write(&store, ID, &data(20_000), 1 << 20).await;
        assert!(
            matches!(refused, Err(BlobError::Store { .. })),
            "{refused:?}"
        );
    }

    #[tokio::test]
    async fn an_outage_is_told_in_time() {
        let closed = {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap().to_string()
        };
        // Accepts into its queue and never answers.
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let silent = (silent.local_addr().unwrap().to_string(), silent);
        let (failing, _, _server) = fake(503, "").await;
        for store in [store(&closed, &[]), store(&silent.0, &[]), failing] {
            let begun = Instant::now();
            let (bytes, error) = read(&store, &[whole(ID, 20_000)], 0..20_000).await;
            assert!(bytes.is_empty());
            assert!(
                matches!(
                    error,
                    Some(BlobError::Overdue { .. } | BlobError::Store { .. })
                ),
                "{error:?}"
            );
            let refused = write(&store, ID, &data(20_000), 1 << 20).await;
            assert!(
                matches!(
                    refused,
                    Err(BlobError::Overdue { .. } | BlobError::Store { .. })
                ),
                "{refused:?}"
            );
            assert!(
                begun.elapsed() < Duration::from_secs(4),
                "{:?}",
                begun.elapsed()
            );
        }
    }
}
