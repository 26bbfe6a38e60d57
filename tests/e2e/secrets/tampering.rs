//! Write access to the database gives no other access, and a key that is missing from the keyring is an outage of its
//! tokens, not a denial.

use std::fs;

use bucketry_contract::v1::{CreateSessionRequest, Permission};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::postgres;
use bucketry_tests::server::{Server, ServerOptions};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;
use tonic::Code;

use super::{
    ALLOWED, BUCKET, UNAVAILABLE, User, code, keyring_command, keyring_file, keys, listing, reload,
    sealed_by,
};

/// What an attacker with the database's password may try on two tokens.
fn attempts(victim: &str, other: &str) -> Vec<(&'static str, Vec<String>)> {
    let of = |column: &str, id: &str| {
        format!("(SELECT {column} FROM saved WHERE access_key_id = '{id}')")
    };
    let set = |columns: &[&str], id: &str, from: &str| {
        let assignments: Vec<String> = columns
            .iter()
            .map(|column| format!("{column} = {}", of(column, from)))
            .collect();
        format!(
            "UPDATE access_keys SET {} WHERE access_key_id = '{id}'",
            assignments.join(", ")
        )
    };
    const SEAL: [&str; 4] = ["kek_id", "algorithm", "nonce", "sealed"];
    vec![
        (
            "seals swapped",
            vec![set(&SEAL, victim, other), set(&SEAL, other, victim)],
        ),
        (
            "permission raised",
            vec![set(&["permission"], victim, other)],
        ),
        (
            "another bucket",
            vec![format!(
                "UPDATE access_keys SET bucket_id = bucket_id + 1 WHERE access_key_id = '{victim}'"
            )],
        ),
        (
            "another row's ciphertext",
            vec![set(&["nonce", "sealed"], victim, other)],
        ),
    ]
}

const SAVE: &str = "CREATE TABLE saved AS SELECT * FROM access_keys";
const RESTORE: [&str; 2] = [
    "DELETE FROM access_keys",
    "INSERT INTO access_keys SELECT * FROM saved",
];

async fn on_postgres(url: &str, statements: &[String]) -> Result<(), HarnessError> {
    let options: PgConnectOptions = url.parse()?;
    let mut connection: PgConnection = options.connect().await?;
    let mut transaction = connection.begin().await?;
    for statement in statements {
        sqlx::query(AssertSqlSafe(statement.as_str()))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(connection.close().await?)
}

fn on_sqlite(server: &Server, statements: &[String]) -> Result<(), HarnessError> {
    let connection = rusqlite::Connection::open(server.data_dir().join("catalog.sqlite"))?;
    for statement in statements {
        connection.execute(statement, [])?;
    }
    Ok(())
}

fn owned(statements: &[&str]) -> Vec<String> {
    statements.iter().map(|&text| text.to_owned()).collect()
}

/// The server is warm: signing keys are remembered, and a session was made before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_changed_under_a_running_server_on_postgres_open_nothing() -> Result<(), HarnessError>
{
    let url = postgres::create_database().await?;
    let server = Server::start(ServerOptions::new().database_url(&url))?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    let victim = User::new(&mut root, &server, Permission::ReadOnly).await?;
    let other = User::new(&mut root, &server, Permission::ReadWrite).await?;
    let bystander = User::new(&mut root, &server, Permission::ReadOnly).await?;
    let mut clients = Clients::connect(&server, victim.bearer()?).await?;
    let session = clients
        .tokens
        .create_session(CreateSessionRequest {})
        .await?;
    let session = Bearer::session(&session.into_inner().session_token)?;
    let mut by_session = Clients::connect(&server, session).await?;
    for user in [&victim, &other, &bystander] {
        assert_eq!(user.at_all_doors(&server).await?, ALLOWED);
    }
    by_session.objects.list_objects(listing()).await?;
    on_postgres(&url, &owned(&[SAVE])).await?;
    let ids = [&victim, &other].map(|user| user.credentials.access_key_id.as_str());
    for (what, statements) in attempts(ids[0], ids[1]) {
        on_postgres(&url, &statements).await?;
        assert_eq!(victim.at_all_doors(&server).await?, UNAVAILABLE, "{what}");
        assert_eq!(victim.send("PUT", "/k", b"x")?.status, 503, "{what}");
        let by_session = code(by_session.objects.list_objects(listing()).await);
        assert_eq!(by_session, Code::Unavailable, "{what}, by session");
        assert_eq!(bystander.at_all_doors(&server).await?, ALLOWED, "{what}");
        on_postgres(&url, &owned(&RESTORE)).await?;
        assert_eq!(
            victim.at_all_doors(&server).await?,
            ALLOWED,
            "{what}, undone"
        );
    }
    let log = server.log();
    assert!(
        log.contains("were changed or belong elsewhere") && log.contains(ids[0]),
        "{log}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_changed_in_a_sqlite_file_open_nothing() -> Result<(), HarnessError> {
    let mut server = Server::start(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    let victim = User::new(&mut root, &server, Permission::ReadOnly).await?;
    let other = User::new(&mut root, &server, Permission::ReadWrite).await?;
    let bystander = User::new(&mut root, &server, Permission::ReadOnly).await?;
    server.stop()?;
    on_sqlite(&server, &owned(&[SAVE]))?;
    let ids = [&victim, &other].map(|user| user.credentials.access_key_id.as_str());
    for (what, statements) in attempts(ids[0], ids[1]) {
        server.stop()?;
        on_sqlite(&server, &owned(&RESTORE))?;
        on_sqlite(&server, &statements)?;
        server.restart()?;
        assert_eq!(
            victim.at(&server).at_all_doors(&server).await?,
            UNAVAILABLE,
            "{what}"
        );
        assert_eq!(
            bystander.at(&server).at_all_doors(&server).await?,
            ALLOWED,
            "{what}"
        );
    }
    Ok(())
}

/// A token whose key is gone from the keyring: an outage of that token at every door, until the key is put back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_key_is_an_outage_of_its_tokens_alone() -> Result<(), HarnessError> {
    let folder: TempDir = tempfile::tempdir().expect("a folder");
    let keyring = folder.path().join("keyring");
    keyring_command(&["create"], &keyring)?;
    let url = postgres::create_database().await?;
    let options = ServerOptions::new()
        .database(&url)
        .argument("--keyring-file")
        .argument(&keyring);
    let mut server = Server::start(options)?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    let victim = User::new(&mut root, &server, Permission::ReadOnly).await?;
    let bystander = User::new(&mut root, &server, Permission::ReadOnly).await?;
    on_postgres(&url, &owned(&[SAVE])).await?;
    keyring_command(&["add"], &keyring)?;
    keyring_command(&["activate", "2"], &keyring)?;
    reload(&mut root).await?;
    while sealed_by(&keys(&mut root).await?, "1") > 0 {}
    let both = fs::read(&keyring).expect("the keyring");
    keyring_command(&["remove", "1"], &keyring)?;
    reload(&mut root).await?;
    // As after a restore of this row from a backup that is older than the rotation.
    let id = &victim.credentials.access_key_id;
    let columns = ["kek_id", "algorithm", "nonce", "sealed"].map(|column| {
        format!("{column} = (SELECT {column} FROM saved WHERE access_key_id = '{id}')")
    });
    let restore = format!(
        "UPDATE access_keys SET {} WHERE access_key_id = '{id}'",
        columns.join(", ")
    );
    on_postgres(&url, &[restore]).await?;
    assert_eq!(victim.at_all_doors(&server).await?, UNAVAILABLE);
    assert_eq!(bystander.at_all_doors(&server).await?, ALLOWED);
    let shown: Vec<_> = keys(&mut root)
        .await?
        .into_iter()
        .map(|key| (key.key_id, key.active, key.loaded))
        .collect();
    assert_eq!(
        shown,
        [("1".to_owned(), false, false), ("2".to_owned(), true, true)]
    );
    assert!(server.log().contains("the keyring has no key 1"));

    // It starts so, too, and says it loudly.
    server.restart()?;
    assert!(
        server.log().contains("the keyring lacks a key"),
        "{}",
        server.log()
    );
    let (victim, bystander) = (victim.at(&server), bystander.at(&server));
    assert_eq!(victim.at_all_doors(&server).await?, UNAVAILABLE);
    assert_eq!(bystander.at_all_doors(&server).await?, ALLOWED);

    fs::write(&keyring, both).expect("the keyring of the backup");
    let mut root = Clients::root(&server).await?;
    reload(&mut root).await?;
    assert_eq!(victim.at_all_doors(&server).await?, ALLOWED);
    while sealed_by(&keys(&mut root).await?, "1") > 0 {}
    assert_eq!(victim.at_all_doors(&server).await?, ALLOWED);
    Ok(())
}

#[tokio::test]
async fn a_keyring_that_opens_nothing_is_refused_at_the_start() -> Result<(), HarnessError> {
    let mut server = Server::start(ServerOptions::new())?;
    server.stop()?;
    let keyring = keyring_file(&server);
    let right = fs::read_to_string(&keyring).expect("the keyring of the first start");
    let other = right.replace("1 = \"", "1 = \"00").replace("00\"", "\"");
    let mut bytes: Vec<char> = right.chars().collect();
    if let Some(digit) = bytes.iter_mut().rev().find(|c| c.is_ascii_hexdigit()) {
        *digit = if *digit == '0' { '1' } else { '0' };
    }
    let changed: String = bytes.into_iter().collect();
    let renumbered = right
        .replace("active = 1", "active = 7")
        .replace("1 = \"", "7 = \"");
    for (text, expected) in [
        (
            Some(changed),
            "key 1 of the keyring is not the one of this catalog",
        ),
        (
            Some(renumbered),
            "none of the keys that seal this catalog's secrets (1)",
        ),
        (Some(other + "x"), "neither TOML nor JSON"),
        (None, "is missing"),
    ] {
        match &text {
            Some(text) => fs::write(&keyring, text).expect("to be written"),
            None => fs::remove_file(&keyring).expect("to be removed"),
        }
        let refused = match server.start_second() {
            Ok(()) => "it started".to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(refused.contains(expected), "{expected}: {refused}");
        assert!(!refused.contains(right.trim_end().rsplit('"').nth(1).unwrap_or("\0")));
    }
    fs::write(&keyring, right).expect("to be written");
    server.restart()
}
