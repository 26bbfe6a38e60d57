//! The contents of the database and the store give no access without the keyring.

use std::fs;
use std::path::Path;

use bucketry_contract::v1::{CreateSessionRequest, Permission};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::postgres;
use bucketry_tests::server::{ROOT_SECRET_ACCESS_KEY, Server, ServerOptions};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::needles::Needles;
use super::{BUCKET, User, keyring_file};

/// Tokens are made and used; what must not be found of them.
async fn use_it(server: &Server) -> Result<Needles, HarnessError> {
    let mut needles = Needles::new();
    needles.text("the root secret", ROOT_SECRET_ACCESS_KEY);
    let mut root = Clients::root(server).await?;
    root.create_bucket(BUCKET).await?;
    for _ in 0..20 {
        let user = User::new(&mut root, server, Permission::ReadWrite).await?;
        needles.text("a token's secret", &user.credentials.secret_access_key);
        // Small content lies in the database, beside the keys.
        assert_eq!(user.send("PUT", "/k", b"content")?.status, 200);
        let mut clients = Clients::connect(server, user.bearer()?).await?;
        let session = clients
            .tokens
            .create_session(CreateSessionRequest {})
            .await?;
        needles.text("a session", &session.into_inner().session_token);
    }
    Ok(needles)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sqlite_files_hold_no_secret() -> Result<(), HarnessError> {
    let mut server = Server::start(ServerOptions::new())?;
    let mut needles = use_it(&server).await?;
    let keyring = keyring_file(&server);
    let text = fs::read_to_string(&keyring).expect("the keyring of the first start");
    needles.keyring(&text);
    // As a thief finds it while it runs, the write-ahead log included, and after it has ended.
    for _ in 0..2 {
        let mut files = 0;
        let mut seen = Vec::new();
        search(&server.data_dir(), &keyring, &mut |path, content| {
            files += 1;
            if content.windows(7).any(|window| window == b"content") {
                seen.push(path.display().to_string());
            }
            let found = needles.found_in(content);
            assert_eq!(found, [] as [&str; 0], "in {}", path.display());
        });
        assert!(
            files >= 1 && !seen.is_empty(),
            "the content is found, so that a secret would be"
        );
        server.stop()?;
    }
    Ok(())
}

fn search(folder: &Path, except: &Path, look: &mut impl FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            search(&path, except, look);
        } else if path != except {
            look(&path, &fs::read(&path).expect("a file"));
        }
    }
}

#[tokio::test]
async fn a_dump_of_postgres_holds_no_secret() -> Result<(), HarnessError> {
    let url = postgres::create_database().await?;
    let server = Server::start(ServerOptions::new().database_url(&url))?;
    let needles = use_it(&server).await?;
    let options: PgConnectOptions = url.parse()?;
    let mut connection = options.connect().await?;
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
            .fetch_all(&mut connection)
            .await?;
    let mut rows = 0;
    let mut content_seen = false;
    for table in &tables {
        let every = format!("SELECT t::text FROM \"{table}\" t");
        let texts: Vec<String> = sqlx::query_scalar(AssertSqlSafe(every))
            .fetch_all(&mut connection)
            .await?;
        rows += texts.len();
        let text = texts.join("\n");
        content_seen |= text.contains(&hex::encode("content"));
        assert_eq!(
            needles.found_in(text.as_bytes()),
            [] as [&str; 0],
            "in {table}"
        );
    }
    connection.close().await?;
    assert!(tables.iter().any(|table| table == "access_keys"));
    assert!(
        rows > 40 && content_seen,
        "the dump is one of what was written"
    );
    Ok(())
}
