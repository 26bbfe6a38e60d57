//! What errors reveal and repeat.

use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::{Request, Response};
use bucketry_tests::postgres;
use bucketry_tests::server::ServerOptions;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::wire::{BUCKET, Wire, with_body};

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
