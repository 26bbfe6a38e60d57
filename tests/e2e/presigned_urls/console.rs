//! CORS answers to presigned requests from pages of a console.

use std::net::SocketAddr;

use bucketry_contract::v1::{
    Bucket, CorsConfiguration, CorsRule, PresignedUrl, UpdateBucketRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::{Request, Response, exchange};
use bucketry_tests::server::ServerOptions;
use prost_types::FieldMask;

use super::{BUCKET, Store, get, presigned, put};
use crate::separate_adapter::Adapter;
use crate::wire::{self, with_body};

const CONSOLE: &str = "https://console.example.com:9001";
const APP: &str = "https://app.example.com";

fn preflight(request: Request, origin: &str) -> Request {
    Request {
        method: "OPTIONS".to_owned(),
        ..request
    }
    .header("origin", origin)
    .header("access-control-request-method", "PUT")
    .header("access-control-request-headers", "content-type")
}

fn allowed(answer: &Response) -> Option<&str> {
    answer.find("access-control-allow-origin")
}

/// The rules of the bucket allow the app, and nothing to the console.
async fn allow_app(store: &mut Store) -> Result<(), HarnessError> {
    let rule = CorsRule {
        allowed_origins: vec![APP.to_owned()],
        allowed_methods: vec!["PUT".to_owned(), "GET".to_owned()],
        allowed_headers: vec!["*".to_owned()],
        ..CorsRule::default()
    };
    let request = UpdateBucketRequest {
        bucket: Some(Bucket {
            name: BUCKET.to_owned(),
            cors: Some(CorsConfiguration { rules: vec![rule] }),
            ..Bucket::default()
        }),
        update_mask: Some(FieldMask {
            paths: vec!["cors".to_owned()],
        }),
    };
    store.root.objects.update_bucket(request).await?;
    Ok(())
}

async fn made(store: &mut Store) -> Result<[PresignedUrl; 2], HarnessError> {
    let written = presigned(&mut store.root, put("k")).await?;
    Ok([written, presigned(&mut store.root, get("k")).await?])
}

/// A server or a separate adapter at `address`.
fn check(
    store: &Store,
    address: SocketAddr,
    [write, read]: &[PresignedUrl; 2],
) -> Result<(), HarnessError> {
    let asked = preflight(store.request("PUT", write), CONSOLE);
    let answer = exchange(address, asked)?;
    assert_eq!((answer.status, allowed(&answer)), (200, Some(CONSOLE)));
    assert_eq!(
        answer.find("access-control-allow-headers"),
        Some("content-type")
    );
    assert_eq!(
        answer.find("access-control-allow-methods"),
        Some("GET, HEAD, PUT")
    );
    let request = with_body(store.request("PUT", write), b"content").header("origin", CONSOLE);
    let answer = exchange(address, request)?;
    assert_eq!((answer.status, allowed(&answer)), (200, Some(CONSOLE)));
    let exposed = answer
        .find("access-control-expose-headers")
        .unwrap_or_default();
    assert!(exposed.contains("etag") && exposed.contains("x-amz-checksum-crc64nvme"));
    let request = store.request("GET", read).header("origin", CONSOLE);
    let answer = exchange(address, request.header("range", "bytes=0-3"))?;
    assert_eq!((answer.status, allowed(&answer)), (206, Some(CONSOLE)));
    assert_eq!(answer.find("vary"), Some("Origin"));
    // The page sees why a request is refused.
    let mut forged = read.clone();
    let last = if forged.url.ends_with('0') { '1' } else { '0' };
    forged.url.pop();
    forged.url.push(last);
    let mut malformed = read.clone();
    malformed.url = read.url.replace("X-Amz-Expires=900", "X-Amz-Expires=0");
    for (url, status, code) in [
        (&forged, 403, "SignatureDoesNotMatch"),
        (write, 403, "SignatureDoesNotMatch"),
        (&malformed, 400, "AuthorizationQueryParametersError"),
    ] {
        let request = store.request("GET", url).header("origin", CONSOLE);
        let answer = exchange(address, request)?;
        assert_eq!(wire::refusal(&answer), wire::refused(status, code));
        assert_eq!(allowed(&answer), Some(CONSOLE), "{code}");
    }
    // Everything else is as the bucket's rules say.
    let unsigned = Request::new("PUT", &format!("/{BUCKET}/k"));
    for (request, origin, is_allowed) in [
        (store.request("PUT", write), APP, true),
        (unsigned.clone(), APP, true),
        (unsigned, CONSOLE, false),
        (
            store.request("PUT", write),
            "https://elsewhere.example.com",
            false,
        ),
        (
            store.request("PUT", write),
            "http://console.example.com:9001",
            false,
        ),
    ] {
        let answer = exchange(address, preflight(request, origin))?;
        let expected = is_allowed.then_some(origin);
        assert_eq!(allowed(&answer), expected, "{origin}");
        let status = if is_allowed { 200 } else { 403 };
        assert_eq!(answer.status, status, "{origin}: {}", answer.text());
    }
    let request = store.request("GET", read).header("origin", APP);
    assert_eq!(allowed(&exchange(address, request)?), Some(APP));
    Ok(())
}

#[tokio::test]
async fn pages_of_a_console_use_presigned_urls_of_any_bucket() -> Result<(), HarnessError> {
    let options = ServerOptions::new().argument(format!("--grpc-web-origin={CONSOLE}"));
    let mut store = Store::start(options).await?;
    allow_app(&mut store).await?;
    let urls = made(&mut store).await?;
    check(&store, store.server.address(), &urls)
}

#[tokio::test]
async fn the_separate_adapter_answers_pages_of_a_console() -> Result<(), HarnessError> {
    let mut store = Store::start(ServerOptions::new()).await?;
    allow_app(&mut store).await?;
    let public = format!("--public-url={}", store.server.localhost_url());
    let origin = format!("--grpc-web-origin={CONSOLE}");
    let adapter = Adapter::start(&store.server, &[&public, &origin]).await?;
    let urls = made(&mut store).await?;
    check(&store, adapter.address, &urls)
}

#[tokio::test]
async fn without_the_setting_there_is_no_console() -> Result<(), HarnessError> {
    let mut store = Store::start(ServerOptions::new()).await?;
    let [write, read] = made(&mut store).await?;
    let answer = store.send(preflight(store.request("PUT", &write), CONSOLE))?;
    assert_eq!(
        wire::refusal(&answer),
        wire::refused(403, "AccessForbidden")
    );
    let answer = store.send(store.request("GET", &read).header("origin", CONSOLE))?;
    assert_eq!((answer.status, allowed(&answer)), (404, None));
    Ok(())
}

#[test]
fn what_is_no_origin_is_refused_at_the_start() {
    for origin in [
        "*",
        "null",
        "console.example.com",
        "https://console.example.com/",
    ] {
        let options = ServerOptions::new().argument(format!("--grpc-web-origin={origin}"));
        let refused = bucketry_tests::server::Server::start(options);
        assert!(refused.is_err(), "{origin}");
    }
}
