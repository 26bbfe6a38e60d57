//! What answers without credentials, or with those of someone else.

use std::collections::BTreeSet;

use bucketry_contract::v1::{
    Bucket, CorsConfiguration, CorsRule, ListAccountsRequest, UpdateBucketRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients, call, channel};
use bucketry_tests::http1::Request;
use bucketry_tests::script::repository;
use bucketry_tests::sigv4::{Payload, Signer};
use bytes::Bytes;
use prost_types::FieldMask;
use tonic::Code;

use crate::adversarial::raw::{framed, post};
use crate::permissions::grpc::{PUBLIC, methods};
use crate::wire::{BUCKET, Wire, refusal, refused, with_body};

/// A message of reflection that asks for the services: `list_services`, field 7, empty.
const LIST_SERVICES: &[u8] = &[0x3a, 0];

/// All that answers without credentials, by name: this list and nothing else.
#[tokio::test]
async fn only_listed_calls_answer_without_credentials() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let channel = channel(&wire.server).await?;
    let mut answered = BTreeSet::new();
    for method in methods() {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        if call(channel.clone(), None, &path, Bytes::new())
            .await
            .is_ok()
        {
            answered.insert(method.name().to_owned());
        }
    }
    // The two of a sign-in answer as well, but not to a message without nonces.
    let to_nothing = PUBLIC
        .into_iter()
        .filter(|method| !method.ends_with("Challenge"));
    assert_eq!(answered, to_nothing.map(str::to_owned).collect());
    // They tell of the server and of the caller's own connection.
    for (path, message) in [
        ("/grpc.health.v1.Health/Check", &b""[..]),
        (
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            LIST_SERVICES,
        ),
        (
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            LIST_SERVICES,
        ),
    ] {
        call(channel.clone(), None, path, Bytes::from_static(message)).await?;
    }
    Ok(())
}

/// The same of S3: every route of the generated table, made by nobody.
#[tokio::test]
async fn no_s3_route_answers_without_credentials() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    let path = repository().join("s3-adapter/generator/golden/s3-api.json");
    let golden: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let operations = golden["operations"].as_array().unwrap();
    assert!(operations.len() > 30);
    for operation in operations {
        let method = operation["method"].as_str().unwrap();
        let target = operation["uri"].as_str().unwrap();
        let mut target = target.replace("{Bucket}", BUCKET).replace("{Key+}", "k");
        // What tells the operations on an upload from those on an object.
        for field in operation["request"].as_array().into_iter().flatten() {
            let name = field["name"].as_str().unwrap();
            if field["location"] == "querystring" && matches!(name, "uploadId" | "partNumber") {
                let joint = if target.contains('?') { '&' } else { '?' };
                target.push_str(&format!("{joint}{name}=1"));
            }
        }
        let host = wire.server.address().to_string();
        let mut request = Request::new(method, &target).header("host", &host);
        for name in operation["required_headers"]
            .as_array()
            .into_iter()
            .flatten()
        {
            request = request.header(name.as_str().unwrap(), &format!("/{BUCKET}/k"));
        }
        if matches!(method, "PUT" | "POST") {
            request = with_body(request, b"");
        }
        let answer = wire.send(request)?;
        let name = &operation["operation"];
        // A form's credentials stand in its body, which this one has not.
        let wanted: &[u16] = match name.as_str() {
            Some("PostObject") => &[400, 403, 412, 415],
            _ => &[403],
        };
        assert!(
            wanted.contains(&answer.status),
            "{name}: {} {}",
            answer.status,
            answer.text()
        );
    }
    let preflight = wire
        .request("OPTIONS", "k")
        .header("origin", "http://example.com")
        .header("access-control-request-method", "GET");
    assert_eq!(
        refusal(&wire.send(preflight)?),
        refused(403, "AccessForbidden")
    );
    Ok(())
}

/// Reflection shows what is published, and health tells of services by name; neither tells of data or of the edge.
#[tokio::test]
async fn reflection_and_health_show_no_data() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let channel = channel(&wire.server).await?;
    for version in ["v1", "v1alpha"] {
        let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        let shown = call(
            channel.clone(),
            None,
            &path,
            Bytes::from_static(LIST_SERVICES),
        )
        .await?;
        let text = shown
            .iter()
            .map(|one| String::from_utf8_lossy(one).into_owned());
        let text: String = text.collect();
        assert!(text.contains("bucketry.v1.ObjectService"), "{text}");
        for hidden in [
            "AdapterService",
            "bucketry.adapter",
            "bucketry.s3",
            "bucketry.access",
        ] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
        // `file_containing_symbol`, field 4: what is not published is not there, though it is served.
        let symbol = "bucketry.adapter.v1.AdapterService";
        let ask = [&[0x22, symbol.len() as u8][..], symbol.as_bytes()].concat();
        let answer = call(channel.clone(), None, &path, ask.into()).await;
        let text = answer.map(|shown| String::from_utf8_lossy(&shown.concat()).into_owned());
        assert!(!text.unwrap_or_default().contains("chunk_signing_key"));
    }
    let ask = [&[0x0a, 9][..], b"invented!"].concat();
    let unknown = call(channel, None, "/grpc.health.v1.Health/Check", ask.into()).await;
    assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
    Ok(())
}

/// gRPC-Web is not spoken on this port: no content type of it leads to a method's data.
#[tokio::test]
async fn grpc_web_is_not_served() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let address = wire.server.address();
    for (service, method) in [
        ("AdminService", "ListAdminKeys"),
        ("TokenService", "ListTokens"),
    ] {
        let path = format!("/bucketry.v1.{service}/{method}");
        for kind in [
            "application/grpc-web",
            "application/grpc-web+proto",
            "application/grpc-web-text",
        ] {
            let answer = post(address, &path, &[("content-type", kind)], framed(0, b"")).await?;
            let refused =
                answer.status >= 400 || answer.code().is_some_and(|code| code != Code::Ok);
            assert!(refused && answer.body.is_empty(), "{kind}: {answer:?}");
            let request = Request::new("POST", &path)
                .header("host", &address.to_string())
                .header("content-type", kind);
            let answer = wire.send(with_body(request, &framed(0, b"")))?;
            assert!(answer.status >= 400, "{kind}: {}", answer.status);
        }
    }
    Ok(())
}

/// Without rules no origin is let in; with `*` none is named, and none with credentials.
#[tokio::test]
async fn no_origin_is_allowed_by_default_and_none_with_credentials() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    let origin = "http://evil.example";
    let asked = || wire.signed(wire.request("GET", "k").header("origin", origin));
    let silent = wire.send(asked()?)?;
    assert_eq!(silent.status, 200);
    assert!(
        !silent
            .headers
            .iter()
            .any(|(name, _)| name.starts_with("access-control-"))
    );
    let mut root = Clients::root(&wire.server).await?;
    let rule = CorsRule {
        allowed_origins: vec!["*".to_owned()],
        allowed_methods: vec!["GET".to_owned()],
        ..Default::default()
    };
    let cors = CorsConfiguration { rules: vec![rule] };
    let bucket = Bucket {
        name: BUCKET.to_owned(),
        cors: Some(cors),
        ..Default::default()
    };
    let mask = FieldMask {
        paths: vec!["cors".to_owned()],
    };
    let update = UpdateBucketRequest {
        bucket: Some(bucket),
        update_mask: Some(mask),
    };
    root.objects.update_bucket(update).await?;
    let open = wire.send(asked()?)?;
    assert_eq!(open.find("access-control-allow-origin"), Some("*"));
    assert_eq!(open.find("access-control-allow-credentials"), None);
    Ok(())
}

/// The credentials that other servers start with, and those of examples.
#[tokio::test]
async fn default_and_example_credentials_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    for (id, secret) in [
        ("minioadmin", "minioadmin"),
        ("rustfsadmin", "rustfsadmin"),
        ("admin", "admin"),
        ("root", "root"),
        ("test", "test"),
        (
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ),
        ("accessKey1", "verySecretKey1"),
        ("0", "0"),
    ] {
        let request = Request::new("GET", "/").header("host", &wire.server.address().to_string());
        let signed = Signer::new(id, secret).header(
            request,
            std::time::SystemTime::now(),
            Payload::Signed,
        )?;
        assert_eq!(
            refusal(&wire.send(signed)?),
            refused(403, "InvalidAccessKeyId"),
            "{id}"
        );
        let mut clients = Clients::connect(&wire.server, Bearer::key(id, secret)?).await?;
        let answer = clients
            .admin
            .list_accounts(ListAccountsRequest::default())
            .await;
        assert_eq!(answer.unwrap_err().code(), Code::Unauthenticated, "{id}");
    }
    Ok(())
}

/// A stranger who guesses at a key's secret does not lock its owner out. (How often somebody may guess is not limited:
/// a secret has 238 bits.)
#[tokio::test]
async fn wrong_secrets_do_not_lock_out_the_owner() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    let mut stranger = wire.signer.clone();
    stranger.secret_access_key = "guessed".to_owned();
    for _ in 0..300 {
        let request = wire.request("GET", "k");
        let guess = stranger.header(request, std::time::SystemTime::now(), Payload::Signed)?;
        assert_eq!(
            refusal(&wire.send(guess)?),
            refused(403, "SignatureDoesNotMatch")
        );
    }
    assert_eq!(wire.get("k")?.body, b"content");
    Ok(())
}
