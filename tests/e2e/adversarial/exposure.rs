//! Secrets, what is shown to whom, and what answers without credentials.
//!
//! Tested elsewhere:
//!
//! - secrets in logs and dumps, keyrings, rotation: `secrets::{logs, at_rest, tampering, rotation}`
//! - use after revocation: `two_nodes::revocation`, `revocation::every_door_closes`
//! - no default credentials: `lifecycle::the_first_start_shows_a_key_once`; here, that those of others are refused
//!
//! Not applicable, since there is no console: step-up authentication, CSRF, cached pages, preview of objects.

use std::collections::BTreeSet;

use bucketry_contract::v1::{
    Bucket, CorsConfiguration, CorsRule, CreateTokenRequest, ListAccountsRequest,
    ListTokenAuditEventsRequest, ListTokensRequest, Permission, ShowTokenSecretRequest,
    UpdateBucketRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients, call, channel};
use bucketry_tests::http1::{Request, Response};
use bucketry_tests::postgres;
use bucketry_tests::script::repository;
use bucketry_tests::server::ServerOptions;
use bucketry_tests::sigv4::{Payload, Signer};
use bytes::Bytes;
use prost_types::FieldMask;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tonic::Code;

use super::raw::{framed, post};
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

/// Who shows a secret again is told by the audit; who may not, by the walk (`ShowTokenSecret`, for every token, another
/// account and nobody).
#[tokio::test]
async fn each_show_of_a_secret_is_audited() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    let (token, _) = root.create_token(BUCKET, Permission::ReadOnly).await?;
    for showings in 1..=3 {
        let show = ShowTokenSecretRequest {
            bucket: BUCKET.to_owned(),
            token_id: token.token_id.clone(),
        };
        root.tokens.show_token_secret(show).await?;
        let list = ListTokenAuditEventsRequest {
            bucket: BUCKET.to_owned(),
            token_id: token.token_id.clone(),
            ..Default::default()
        };
        let events = root
            .tokens
            .list_token_audit_events(list)
            .await?
            .into_inner()
            .events;
        let shown = events.iter().filter(|event| event.action.contains("show"));
        assert_eq!(shown.count(), showings, "{events:?}");
        assert!(
            events.iter().all(|event| !event.actor.is_empty()),
            "{events:?}"
        );
    }
    Ok(())
}

fn named(name: &str) -> CreateTokenRequest {
    CreateTokenRequest {
        bucket: BUCKET.to_owned(),
        name: name.to_owned(),
        permission: Permission::ReadOnly.into(),
        ..Default::default()
    }
}

/// Names are text: markup is kept as it is (it is for whoever shows it to escape), what would steer a terminal or end a
/// string is refused.
#[tokio::test]
async fn token_names_keep_markup_and_refuse_control_characters() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    let (long, longest) = ("é".repeat(129), "é".repeat(128));
    let much = "x".repeat(10_000);
    for name in [
        "",
        " ",
        "a\0b",
        "a\nb",
        "a\r\nb",
        "\u{1b}[2J",
        "\u{85}",
        &long,
        &much,
    ] {
        let refused = root.tokens.create_token(named(name)).await.unwrap_err();
        assert_eq!(
            refused.code(),
            Code::InvalidArgument,
            "{name:?}: {refused:?}"
        );
        assert!(refused.message().len() < 500, "{}", refused.message().len());
    }
    let kept = [
        "<img src=x onerror=alert(1)>",
        "'; DROP TABLE access_keys; --",
        "=1+1",
        "a,\"b\"",
        &longest,
    ];
    for name in kept {
        let made = root.tokens.create_token(named(name)).await?.into_inner();
        assert_eq!(made.token.map(|token| token.name).as_deref(), Some(name));
    }
    let list = ListTokensRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    };
    let listed = root.tokens.list_tokens(list).await?.into_inner().tokens;
    for name in kept {
        assert!(listed.iter().any(|token| token.name == name), "{name}");
    }
    Ok(())
}

/// A thousand tokens at once, all of one name: each has its own id and key, and the list has them all.
#[tokio::test]
async fn a_thousand_tokens_of_one_name_differ() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let root = Clients::root(&wire.server).await?;
    let mut creators = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let mut root = root.clone();
        creators.spawn(async move {
            let mut made = Vec::new();
            for _ in 0..50 {
                let answer = root.tokens.create_token(named("the same")).await?;
                let token = answer.into_inner().token;
                made.extend(token.map(|token| (token.token_id, token.access_key_id)));
            }
            Ok::<_, tonic::Status>(made)
        });
    }
    let mut ids = BTreeSet::new();
    let mut keys = BTreeSet::new();
    while let Some(made) = creators.join_next().await {
        for (id, key) in made.unwrap()? {
            ids.insert(id);
            keys.insert(key);
        }
    }
    assert_eq!((ids.len(), keys.len()), (1000, 1000));
    let mut listed = BTreeSet::new();
    let mut root = root;
    let mut page_token = String::new();
    loop {
        let list = ListTokensRequest {
            bucket: BUCKET.to_owned(),
            page_size: 300,
            page_token,
        };
        let page = root.tokens.list_tokens(list).await?.into_inner();
        listed.extend(page.tokens.into_iter().map(|token| token.token_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert!(ids.is_subset(&listed));
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

/// What no client may read: places of this machine and of the source, the database and its language, versions, panics.
fn tells_too_much(wire: &Wire, text: &str) -> Option<String> {
    let data = wire.server.data_dir().display().to_string();
    let telling = [
        data.as_str(),
        "/rustc/",
        "/src/",
        ".rs:",
        "panicked",
        "stack backtrace",
        "RUST_BACKTRACE",
        "SELECT ",
        "INSERT ",
        "UPDATE ",
        "sqlx",
        "sqlite",
        "SQLite",
        "postgres",
        "Postgres",
        "PgDatabase",
        "relation \"",
        "database",
        "object_store",
        "hyper",
        "tokio",
        "tonic",
        "h2::",
        "quick-xml",
        "prost",
        env!("CARGO_PKG_VERSION"),
        "Os {",
        "os error",
        "No such file",
    ];
    telling
        .into_iter()
        .find(|word| text.contains(word))
        .map(str::to_owned)
}

fn all_of(response: &Response) -> String {
    format!("{:?} {}", response.headers, response.text())
}

/// Errors of the client's making, and the worst of the server's: a database whose tables are gone.
#[tokio::test]
async fn errors_reveal_no_internals() -> Result<(), HarnessError> {
    let url = postgres::create_database().await?;
    let wire = Wire::with(ServerOptions::new().database_url(&url)).await?;
    wire.put("k", b"content")?;
    let mut texts = Vec::new();
    let mut ask = |method: &str, target: &str, body: &[u8]| {
        let request =
            Request::new(method, target).header("host", &wire.server.address().to_string());
        let request = match method {
            "PUT" | "POST" => with_body(request, body),
            _ => request,
        };
        let answer = wire.send(wire.signed(request)?)?;
        assert!(answer.status >= 300, "{method} {target}: {}", answer.status);
        texts.push(all_of(&answer));
        Ok::<u16, HarnessError>(answer.status)
    };
    let long = format!("/{BUCKET}/{}", "x".repeat(1100));
    for (method, target, body) in [
        ("GET", format!("/{BUCKET}/missing"), &b""[..]),
        ("GET", "/another-bucket/k".to_owned(), b""),
        ("GET", format!("/{BUCKET}?policy"), b""),
        ("GET", format!("/{BUCKET}/%ff"), b""),
        ("GET", format!("/{BUCKET}/k?partNumber=x"), b""),
        (
            "GET",
            format!("/{BUCKET}?list-type=2&continuation-token=x"),
            b"",
        ),
        ("PUT", long, b""),
        ("PATCH", format!("/{BUCKET}/k"), b""),
        ("POST", format!("/{BUCKET}?delete"), b"<Delete><Object>"),
        (
            "POST",
            format!("/{BUCKET}/k?uploadId=x"),
            b"<CompleteMultipartUpload/>",
        ),
        ("PUT", format!("/{BUCKET}/k?partNumber=1&uploadId=x"), b"x"),
        ("DELETE", format!("/{BUCKET}"), b""),
    ] {
        ask(method, &target, body)?;
    }
    let mut database = PgConnection::connect(&url).await?;
    for table in ["objects", "object_versions", "uploads", "parts"] {
        let rename = format!("ALTER TABLE {table} RENAME TO {table}_away");
        database.execute(AssertSqlSafe(rename)).await?;
    }
    for (method, target) in [
        ("GET", format!("/{BUCKET}/k")),
        ("GET", format!("/{BUCKET}?list-type=2")),
        ("PUT", format!("/{BUCKET}/k")),
        ("DELETE", format!("/{BUCKET}/k")),
        ("POST", format!("/{BUCKET}/k?uploads")),
    ] {
        let status = ask(method, &target, b"")?;
        assert!(status >= 500, "{method} {target}: {status}");
    }
    let mut clients = Clients::connect(&wire.server, Bearer::token(&wire.credentials)?).await?;
    let list = bucketry_contract::v1::ListObjectsRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    };
    let status = clients.objects.list_objects(list).await.unwrap_err();
    let details = String::from_utf8_lossy(status.details()).into_owned();
    texts.push(format!(
        "{:?} {} {details}",
        status.code(),
        status.message()
    ));
    for text in texts {
        assert_eq!(tells_too_much(&wire, &text), None, "{text}");
    }
    Ok(())
}

/// What an error repeats of the request is escaped: markup of a stranger's making is never markup of ours.
#[tokio::test]
async fn errors_escape_what_they_repeat() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let markup = "%3Cscript%3E%22'%26]]%3E";
    for target in [
        format!("/{BUCKET}/{markup}"),
        format!("/{markup}/k"),
        format!("/{BUCKET}/k?partNumber={markup}"),
        format!("/{BUCKET}?list-type=2&continuation-token={markup}"),
        format!("/{BUCKET}?encoding-type={markup}"),
        format!("/{BUCKET}/k?uploadId={markup}"),
        format!("/{BUCKET}/k?versionId={markup}"),
        format!("/{BUCKET}/k?X-Amz-Algorithm={markup}"),
        format!("/{BUCKET}/k?AWSAccessKeyId={markup}&Expires=1&Signature={markup}"),
    ] {
        for signed in [true, false] {
            let host = wire.server.address().to_string();
            let request = Request::new("GET", &target).header("host", &host);
            let request = match signed {
                true => wire.signed(request)?,
                false => request,
            };
            let answer = wire.send(request)?;
            let text = answer.text();
            assert!(answer.status >= 400, "{target}: {}", answer.status);
            assert_eq!(
                answer.find("content-type"),
                Some("application/xml"),
                "{target}"
            );
            assert!(!text.contains("<script"), "{target}: {text}");
            assert!(!text.contains("]]>"), "{target}: {text}");
        }
    }
    for (name, value) in [
        ("authorization", "<script>"),
        ("x-amz-date", "<script>"),
        ("x-amz-content-sha256", "<script>"),
        ("x-amz-<script>", "1"),
        ("host", "<script>"),
    ] {
        let host = wire.server.address().to_string();
        let mut request = Request::new("GET", &format!("/{BUCKET}/k"));
        if name != "host" {
            request = request.header("host", &host);
        }
        let answer = wire.send(request.header(name, value))?;
        assert!(
            !answer.text().contains("<script"),
            "{name}: {}",
            answer.text()
        );
    }
    Ok(())
}
