//! Settings of buckets, and the administrative paths of other servers.

use std::collections::BTreeSet;
use std::time::SystemTime;

use bucketry_contract::v1::Permission;
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::Request;
use bucketry_tests::script::repository;
use bucketry_tests::sigv4::Payload;

use crate::wire::{BUCKET, Wire, signer, with_body};

/// What other servers have at such places is nothing here: to S3 they are names of buckets that are not the token's.
#[tokio::test]
async fn there_are_no_back_doors() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    for path in [
        "/metrics",
        "/debug/pprof/",
        "/debug/vars",
        "/healthz",
        "/health",
        "/status",
        "/admin/",
        "/admin/v1/keys",
        "/minio/admin/v3/info",
        "/minio/health/live",
        "/_cluster/health",
        "/.well-known/openid-configuration",
        "/server-status",
        "/console",
        "/api/v1/tokens",
        "/bucketry.v1.AdminService/ListAdminKeys",
        "/bucketry.v1.TokenService/ShowTokenSecret",
        "/grpc.health.v1.Health/Check",
    ] {
        for method in [
            "GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "TRACE", "PATCH",
        ] {
            let request =
                Request::new(method, path).header("host", &wire.server.address().to_string());
            let request = match method {
                "PUT" | "POST" => with_body(request, b""),
                _ => request,
            };
            for request in [request.clone(), wire.signed(request)?] {
                let answer = wire.send(request)?;
                let refused = matches!(answer.status, 400 | 403 | 404 | 405 | 412 | 501);
                assert!(
                    refused,
                    "{method} {path}: {} {}",
                    answer.status,
                    answer.text()
                );
            }
        }
    }
    Ok(())
}

/// What the operations of tokens are asked for by: all other sub-resources are refused to all of them.
const OF_TOKENS: [(&str, &str); 7] = [
    ("GET", "location"),
    ("GET", "list-type"),
    ("GET", "uploads"),
    ("GET", "versioning"),
    ("PUT", "versionId"),
    ("POST", "delete"),
    ("GET", "bucket-region"),
];

/// What else a token that may read sees of its bucket: an allow-list.
const OF_READERS: [&str; 8] = [
    "acl",
    "cors",
    "encryption",
    "lifecycle",
    "object-lock",
    "ownershipControls",
    "tagging",
    "versions",
];

/// Policies, notifications, websites and all other bucket settings of S3: tokens can neither read nor set them, whether
/// they exist or not, except that tokens that may read can read what is on the allow-list.
#[tokio::test]
async fn settings_of_the_bucket_are_not_for_tokens() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    let path = repository().join("s3-adapter/generator/golden/s3-api.json");
    let golden: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let names: BTreeSet<&str> = golden["sub_resources"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(serde_json::Value::as_str)
        .collect();
    let wanted = [
        "acl",
        "policy",
        "cors",
        "lifecycle",
        "encryption",
        "notification",
        "tagging",
    ];
    assert!(wanted.iter().all(|name| names.contains(name)), "{names:?}");
    let mut tried = 0;
    for permission in [
        Permission::ReadOnly,
        Permission::WriteOnly,
        Permission::ReadWrite,
    ] {
        let (_, credentials) = root.create_token(BUCKET, permission).await?;
        let signer = signer(&credentials);
        for name in &names {
            for method in ["GET", "PUT", "DELETE"] {
                let shown = method == "GET"
                    && permission != Permission::WriteOnly
                    && OF_READERS.contains(name);
                if OF_TOKENS.contains(&(method, name)) || shown {
                    continue;
                }
                let request = Request::new(method, &format!("/{BUCKET}?{name}"))
                    .header("host", &wire.server.address().to_string());
                let request = match method {
                    "PUT" => with_body(request, b"<x/>"),
                    _ => request,
                };
                let now = SystemTime::now();
                let request = signer.header(request, now, Payload::Signed)?;
                let answer = wire.send(request)?;
                let refused = matches!(answer.status, 400 | 403 | 405 | 501);
                assert!(
                    refused,
                    "{permission:?} {method} ?{name}: {} {}",
                    answer.status,
                    answer.text()
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "{tried}");
    Ok(())
}
