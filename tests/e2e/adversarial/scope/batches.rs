//! Batches of keys, and headers that would change the request.

use std::time::SystemTime;

use bucketry_contract::v1::Permission;
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::sigv4::Payload;

use super::{OTHER, delete, is_there, put};
use crate::wire::{BUCKET, Wire, refusal, refused, signer};

/// A batch of a thousand keys, one of them written as if it were in another bucket: it is a key of the own one.
#[tokio::test]
async fn a_batch_of_a_thousand_stays_in_its_bucket() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    root.create_bucket(OTHER).await?;
    let foreign = format!("{OTHER}/k");
    put(&mut root, OTHER, "k").await?;
    put(&mut root, BUCKET, &foreign).await?;
    put(&mut root, BUCKET, "k1").await?;
    let mut keys: Vec<String> = (1..1000).map(|number| format!("k{number}")).collect();
    keys.push(foreign.clone());
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let answer = wire.send(delete(&wire, &keys)?)?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.text().matches("<Deleted>").count(), 1000);
    assert!(is_there(&mut root, OTHER, "k").await);
    assert!(!is_there(&mut root, BUCKET, "k1").await);
    assert!(!is_there(&mut root, BUCKET, &foreign).await);
    Ok(())
}

/// CVE-2026-58372 of SeaweedFS: keys of a batch that climb out of the bucket. Each is the key that it says, or is
/// refused.
#[tokio::test]
async fn keys_of_a_batch_are_literal() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    root.create_bucket(OTHER).await?;
    let climbing = [
        format!("../{OTHER}/k"),
        format!("/{OTHER}/k"),
        format!("//{OTHER}/k"),
        format!("..\\{OTHER}\\k"),
        format!("a/../../{OTHER}/k"),
        format!("%2e%2e/{OTHER}/k"),
        format!("./../{OTHER}/k"),
    ];
    put(&mut root, OTHER, "k").await?;
    for key in &climbing {
        put(&mut root, BUCKET, key).await?;
        let answer = wire.send(delete(&wire, &[key])?)?;
        assert_eq!(answer.status, 200, "{key}: {}", answer.text());
        assert_eq!(
            answer.element("Key").as_ref(),
            Some(key),
            "{}",
            answer.text()
        );
        assert!(!is_there(&mut root, BUCKET, key).await, "{key}");
        assert!(is_there(&mut root, OTHER, "k").await, "{key}");
    }
    let answer = wire.send(delete(&wire, &["a\0b"])?)?;
    assert_eq!(refusal(&answer), refused(400, "MalformedXML"));
    let empty = wire.send(delete(&wire, &[""])?)?;
    assert!(
        empty.status == 400 || empty.text().contains("<Error>"),
        "{}",
        empty.text()
    );
    assert!(is_there(&mut root, OTHER, "k").await);
    Ok(())
}

/// Headers by which some servers let a request be another one: here they are not looked at.
#[tokio::test]
async fn override_headers_are_ignored() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    wire.put("k", b"content")?;
    let (_, credentials) = root.create_token(BUCKET, Permission::ReadOnly).await?;
    let target = format!("/{BUCKET}/other");
    for (name, value) in [
        ("x-http-method-override", "DELETE"),
        ("x-http-method", "DELETE"),
        ("x-method-override", "PUT"),
        ("x-original-url", &target),
        ("x-rewrite-url", &target),
        ("x-forwarded-host", "other-bucket.localhost"),
        ("x-forwarded-prefix", "/other"),
        ("x-host", "other-bucket.localhost"),
        ("forwarded", "host=other-bucket.localhost"),
    ] {
        let request = wire.request("GET", "k").header(name, value);
        let request = signer(&credentials).header(request, SystemTime::now(), Payload::Signed)?;
        let answer = wire.send(request)?;
        assert_eq!(
            (answer.status, &answer.body[..]),
            (200, &b"content"[..]),
            "{name}"
        );
    }
    assert_eq!(wire.get("k")?.body, b"content");
    Ok(())
}
