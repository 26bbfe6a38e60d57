//! Where the bucket's name stands: in the path or in the host.

use std::time::{Duration, SystemTime};

use bucketry_contract::v1::Permission;
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::{Request, Response};
use bucketry_tests::server::ServerOptions;

use crate::wire::{BUCKET, Wire, refusal, refused, signer, with_body};

fn ask(wire: &Wire, method: &str, host: &str, target: &str) -> Result<Response, HarnessError> {
    let request = Request::new(method, target).header("host", host);
    let request = match method {
        "PUT" => with_body(request, b"content"),
        _ => request,
    };
    wire.send(wire.signed(request)?)
}

#[tokio::test]
async fn a_bucket_in_the_host_name() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let port = wire.server.address().port();
    let host = format!("{BUCKET}.localhost:{port}");
    assert_eq!(ask(&wire, "HEAD", &host, "/")?.status, 200);
    assert_eq!(ask(&wire, "PUT", &host, "/folder/k")?.status, 200);
    // Host names have no case.
    let shouted = format!("{BUCKET}.LOCALHOST:{port}");
    for (host, target) in [
        (host.clone(), "/folder/k".to_owned()),
        (shouted, "/folder/k".to_owned()),
        (format!("localhost:{port}"), format!("/{BUCKET}/folder/k")),
        (format!("127.0.0.1:{port}"), format!("/{BUCKET}/folder/k")),
    ] {
        let got = ask(&wire, "GET", &host, &target)?;
        assert_eq!(
            (got.status, got.text().as_str()),
            (200, "content"),
            "{host}"
        );
    }
    let listed = ask(&wire, "GET", &host, "/?list-type=2&prefix=folder%2F")?;
    assert_eq!(listed.element("Key").as_deref(), Some("folder/k"));
    assert_eq!(listed.element("Name").as_deref(), Some(BUCKET));
    assert_eq!(ask(&wire, "DELETE", &host, "/folder/k")?.status, 204);
    let missing = ask(&wire, "GET", &host, "/folder/k")?;
    assert_eq!(refusal(&missing), refused(404, "NoSuchKey"));
    let resource = format!("/{BUCKET}/folder/k");
    assert_eq!(missing.element("Resource"), Some(resource));
    Ok(())
}

#[tokio::test]
async fn domains_of_the_operator() -> Result<(), HarnessError> {
    let options = ServerOptions::new()
        .argument("--domain")
        .argument("s3.example.test")
        .argument("--domain")
        .argument("other.test");
    let mut wire = Wire::with(options).await?;
    for domain in ["s3.example.test", "s3.example.test:9000", "other.test"] {
        let host = format!("{BUCKET}.{domain}");
        assert_eq!(ask(&wire, "PUT", &host, "/k")?.status, 200, "{host}");
        let by_path = ask(&wire, "GET", domain, &format!("/{BUCKET}/k"))?;
        assert_eq!(by_path.text(), "content", "{domain}");
    }
    // A domain ends at a dot: this host is another one, and its bucket is in the path.
    let beside = format!("{BUCKET}s3.example.test");
    assert_eq!(
        ask(&wire, "GET", &beside, &format!("/{BUCKET}/k"))?.status,
        200
    );
    let dotted = "with.dots.in-it";
    let mut root = Clients::root(&wire.server).await?;
    root.create_bucket(dotted).await?;
    let (_, credentials) = root.create_token(dotted, Permission::ReadWrite).await?;
    wire.signer = signer(&credentials);
    assert_eq!(
        ask(&wire, "PUT", "with.dots.in-it.other.test", "/k")?.status,
        200
    );
    assert_eq!(
        ask(&wire, "GET", "other.test", "/with.dots.in-it/k")?.text(),
        "content"
    );
    Ok(())
}

#[tokio::test]
async fn a_presigned_url_holds_for_its_host() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    let host = format!("{BUCKET}.localhost:{}", wire.server.address().port());
    let request = Request::new("GET", "/k").header("host", &host);
    let url = wire
        .signer
        .presign(request, SystemTime::now(), Duration::from_secs(60))?;
    assert_eq!(wire.send(url.clone())?.text(), "content");
    let mut elsewhere = url;
    elsewhere.headers = vec![("host".to_owned(), "another.localhost".to_owned())];
    let refusal = refusal(&wire.send(elsewhere)?);
    assert_eq!(refusal, refused(403, "SignatureDoesNotMatch"));
    Ok(())
}
