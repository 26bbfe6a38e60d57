//! Messages to operators about wrong settings and foreign data: they name cause and remedy.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, Output, Stdio};

use bucketry_contract::v1::Permission;
use bucketry_tests::cluster::PostgresServer;
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::{Connection as HttpConnection, Request};
use bucketry_tests::postgres;
use bucketry_tests::server::{
    ALLOW_UNSAFE_DATABASE, KEYRING, ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY, Server,
    ServerOptions, binary,
};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

const BUCKET: &str = "operating-test-bucket";
/// Leaves the schema as it is and says that a later program made it.
const FROM_THE_FUTURE: &str = "INSERT INTO _sqlx_migrations
    (version, description, success, checksum, execution_time) VALUES (9998, 'a', TRUE, '', 0), (9999, 'b', TRUE, '', 0)";

/// Starts a server that is expected to refuse.
fn refused_start(arguments: &[&str]) -> Result<String, HarnessError> {
    let output = Command::new(binary()?)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(arguments)
        .output()
        .expect("to run");
    assert!(!output.status.success());
    Ok(text(&output))
}

fn text(output: &Output) -> String {
    let both = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

#[test]
fn misspelled_settings_are_named() -> Result<(), HarnessError> {
    let options = ServerOptions::new()
        .environment("BUCKETRY_LISTN", "127.0.0.1:1")
        .environment("BUCKETRY_LOG_LEVEL", "warn");
    let server = Server::start(options)?;
    let log = server.log();
    assert!(
        log.contains("unknown variable BUCKETRY_LISTN is ignored; did you mean BUCKETRY_LISTEN?"),
        "{log}"
    );
    assert_eq!(log.matches("unknown variable").count(), 1, "{log}");
    Ok(())
}

#[test]
fn a_mistake_in_the_file_has_line_and_column() -> Result<(), HarnessError> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bucketry.toml");
    fs::write(&file, "region = \"eu\"\nnode-laese = \"1m\"\n").expect("to be written");
    let refused = refused_start(&["--config", &file.to_string_lossy()])?;
    assert!(
        refused.contains("bucketry.toml, line 2, column 1: unknown setting `node-laese`, did you mean `node-lease`?"),
        "{refused}"
    );
    Ok(())
}

#[test]
fn a_listener_for_others_asks_for_the_public_url() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new().listen("0.0.0.0:0"))?;
    let log = server.log();
    assert!(log.contains("tokens name http://localhost:"), "{log}");
    assert!(log.contains("set --public-url"), "{log}");
    Ok(())
}

/// Each refused request of a stranger would be a line of the log; most are counted instead.
#[test]
fn strangers_do_not_fill_the_log() -> Result<(), HarnessError> {
    const REQUESTS: usize = 1_000;
    let server = Server::start(ServerOptions::new())?;
    let mut connection = HttpConnection::open(server.address())?;
    let host = server.address().to_string();
    let request = Request::new("GET", "/photos/x").header("host", &host);
    for _ in 0..REQUESTS {
        connection.send(&request.head())?;
        let answer = connection.receive("GET")?;
        assert_eq!(answer.status, 403, "{}", answer.text());
    }
    let lines = server.log().matches("\"denied\"").count();
    assert!((100..REQUESTS / 2).contains(&lines), "{lines} lines");
    Ok(())
}

const NEWER: &str =
    "the catalog was written by a newer version of bucketry (schema 9999; this version supports ";

#[test]
fn newer_data_is_left_alone() -> Result<(), HarnessError> {
    let mut server = Server::start(ServerOptions::new())?;
    server.stop()?;
    let directory = server.data_dir();
    let file = directory.join("catalog.sqlite");
    let database = rusqlite::Connection::open(&file)?;
    database.execute(FROM_THE_FUTURE, [])?;
    drop(database);
    let refused = refused_start(&["--data-dir", &directory.to_string_lossy()])?;
    assert!(refused.contains(NEWER), "{refused}");
    Ok(())
}

#[tokio::test]
async fn newer_data_is_left_alone_on_postgres() -> Result<(), HarnessError> {
    let url = postgres::create_database().await?;
    let mut server = Server::start(ServerOptions::new().database_url(&url))?;
    server.stop()?;
    let options: PgConnectOptions = url.parse()?;
    let mut database = options.connect().await?;
    sqlx::query(FROM_THE_FUTURE).execute(&mut database).await?;
    let keyring = server.data_dir().join("keyring");
    fs::write(
        &keyring,
        "active = 1\n[keys]\n1 = \"".to_owned() + &"0".repeat(64) + "\"\n",
    )
    .expect("to be written");
    let arguments = [
        "--database-url",
        &url,
        ALLOW_UNSAFE_DATABASE,
        "--keyring-file",
        &keyring.to_string_lossy(),
    ];
    let refused = refused_start(&arguments)?;
    assert!(refused.contains(NEWER), "{refused}");
    Ok(())
}

/// What was acknowledged is on the disk, unless the operator says that it need not be.
#[test]
fn a_database_that_loses_commits_is_refused() -> Result<(), HarnessError> {
    // Started with fsync=off.
    let database = PostgresServer::start(IpAddr::V4(Ipv4Addr::LOCALHOST))?;
    let options = ServerOptions::new().database_url(&database.url());
    let server = Server::start(options)?;
    let warning = server.log().contains("the database server has fsync=off");
    assert!(warning, "{}", server.log());
    let refused = Command::new(binary()?)
        .args(["serve", "--listen", "127.0.0.1:0", "--database-url"])
        .arg(database.url())
        .env("BUCKETRY_KEYRING", KEYRING)
        .output()
        .expect("to run");
    assert!(!refused.status.success());
    let refused = text(&refused);
    for part in ["fsync=off", "set fsync=on", "--allow-unsafe-database"] {
        assert!(refused.contains(part), "{refused}");
    }
    Ok(())
}

/// `bucketry token list | head -1`.
#[tokio::test]
async fn a_closed_pipe_is_not_an_error() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    // More than a pipe holds, so that the command is still writing when its reader leaves.
    for _ in 0..600 {
        root.create_token(BUCKET, Permission::ReadOnly).await?;
    }
    let mut listing = Command::new(binary()?)
        .args(["token", "list", "--bucket", BUCKET, "--output", "json"])
        .env("BUCKETRY_ENDPOINT", server.endpoint_url())
        .env("BUCKETRY_ACCESS_KEY_ID", ROOT_ACCESS_KEY_ID)
        .env("BUCKETRY_SECRET_ACCESS_KEY", ROOT_SECRET_ACCESS_KEY)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("to run");
    let mut line = String::new();
    let mut output = BufReader::new(listing.stdout.take().expect("a pipe"));
    output.read_line(&mut line).expect("a line");
    assert!(!line.is_empty());
    drop(output);
    let mut told = String::new();
    let errors = listing.stderr.as_mut().expect("a pipe");
    errors.read_to_string(&mut told).expect("text");
    let status = listing.wait().expect("to run");
    assert_eq!((told.as_str(), status.success()), ("", true));
    Ok(())
}
