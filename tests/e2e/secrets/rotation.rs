//! The key that seals is changed while the server is in use, and nobody notices.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bucketry_contract::v1::{
    CreateSessionRequest, ListObjectsRequest, ListTokensRequest, Permission,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::exchange;
use bucketry_tests::postgres;
use bucketry_tests::server::{
    ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY, Server, ServerOptions, binary,
};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tonic::Code;

use super::{
    ALLOWED, BUCKET, User, code, keyring_command, keyring_file, keys, listing, output, reload,
    sealed_by,
};

const USERS: usize = 40;

/// One or more nodes, and the keyring file that they share.
struct Fleet {
    _folder: TempDir,
    keyring: PathBuf,
    nodes: Vec<Server>,
}

impl Fleet {
    fn embedded() -> Result<Self, HarnessError> {
        let server = Server::start(ServerOptions::new())?;
        Ok(Self {
            _folder: tempfile::tempdir().expect("a folder"),
            keyring: keyring_file(&server),
            nodes: vec![server],
        })
    }

    async fn of_two() -> Result<Self, HarnessError> {
        let folder = tempfile::tempdir().expect("a folder");
        let keyring = folder.path().join("keyring");
        keyring_command(&["create"], &keyring)?;
        let url = postgres::create_database().await?;
        let options = ServerOptions::new()
            .database(&url)
            .argument("--store")
            .argument(format!("file://{}", folder.path().join("blobs").display()))
            .argument("--keyring-file")
            .argument(&keyring);
        let nodes = vec![Server::start(options.clone())?, Server::start(options)?];
        Ok(Self {
            _folder: folder,
            keyring,
            nodes,
        })
    }

    async fn roots(&self) -> Result<Vec<Clients>, HarnessError> {
        let mut roots = Vec::new();
        for node in &self.nodes {
            roots.push(Clients::root(node).await?);
        }
        Ok(roots)
    }
}

/// What the load has seen.
#[derive(Default)]
struct Seen {
    over: AtomicBool,
    requests: AtomicUsize,
}

/// Requests of every kind, one after the other, until it is over. Each must succeed.
async fn use_tokens(users: Vec<User>, seen: Arc<Seen>, worker: usize) -> Result<(), HarnessError> {
    let mut number = worker;
    while !seen.over.load(Ordering::Relaxed) {
        let user = &users[number % users.len()];
        let key = format!("/load/{worker}");
        let answers = [
            user.send("PUT", &key, b"x")?,
            user.send("GET", &key, b"")?,
            exchange(user.address, user.presigned(&key)?)?,
        ];
        for answer in answers {
            assert_eq!(answer.status, 200, "{}", answer.text());
            seen.requests.fetch_add(1, Ordering::Relaxed);
        }
        number += 1;
    }
    Ok(())
}

/// Tokens are made and sessions begun meanwhile, too.
async fn administer(
    mut root: Clients,
    address: std::net::SocketAddr,
    channel: tonic::transport::Channel,
    seen: Arc<Seen>,
) -> Result<(), HarnessError> {
    while !seen.over.load(Ordering::Relaxed) {
        let (_, credentials) = root.create_token(BUCKET, Permission::ReadWrite).await?;
        let bearer = Bearer::token(&credentials)?;
        let mut tokens =
            bucketry_contract::v1::token_service_client::TokenServiceClient::with_interceptor(
                channel.clone(),
                bearer,
            );
        let session = tokens.create_session(CreateSessionRequest {}).await?;
        let session = Bearer::session(&session.into_inner().session_token)?;
        let mut objects =
            bucketry_contract::v1::object_service_client::ObjectServiceClient::with_interceptor(
                channel.clone(),
                session,
            );
        objects.list_objects(listing()).await?;
        let signer = bucketry_tests::sigv4::Signer::new(
            &credentials.access_key_id,
            &credentials.secret_access_key,
        );
        let user = User {
            address,
            credentials,
            signer,
        };
        assert_eq!(user.send("GET", "?list-type=2", b"")?.status, 200);
        seen.requests.fetch_add(4, Ordering::Relaxed);
    }
    Ok(())
}

/// One whole rotation in the documented order; gives the number of the new key.
async fn rotate(
    fleet: &Fleet,
    roots: &mut [Clients],
    former: &str,
) -> Result<String, HarnessError> {
    let said = keyring_command(&["add"], &fleet.keyring)?;
    let next = (former.parse::<u32>().expect("a number") + 1).to_string();
    assert!(said.contains(&format!("added key {next}")), "{said}");
    for root in roots.iter_mut() {
        reload(root).await?;
    }
    keyring_command(&["activate", &next], &fleet.keyring)?;
    for root in roots.iter_mut() {
        let keys = reload(root).await?;
        assert!(keys.iter().any(|key| key.active && key.key_id == next));
    }
    // The work is done in the background, by any node.
    while sealed_by(&keys(&mut roots[0]).await?, former) > 0 {}
    keyring_command(&["remove", former], &fleet.keyring)?;
    for root in roots.iter_mut() {
        let keys = reload(root).await?;
        let numbers: Vec<_> = keys.iter().map(|key| key.key_id.as_str()).collect();
        assert_eq!(numbers, [next.as_str()]);
    }
    Ok(next)
}

async fn rotated_under_load(fleet: Fleet) -> Result<(), HarnessError> {
    let mut roots = fleet.roots().await?;
    roots[0].create_bucket(BUCKET).await?;
    let mut users = Vec::new();
    for _ in 0..USERS {
        users.push(User::new(&mut roots[0], &fleet.nodes[0], Permission::ReadWrite).await?);
    }
    let seen = Arc::new(Seen::default());
    let mut load = Vec::new();
    for worker in 0..4 {
        let node = &fleet.nodes[worker % fleet.nodes.len()];
        let users = users.iter().map(|user| user.at(node)).collect();
        load.push(tokio::spawn(use_tokens(users, Arc::clone(&seen), worker)));
    }
    for node in &fleet.nodes {
        let channel = bucketry_tests::grpc::channel(node).await?;
        let root = Clients::root(node).await?;
        load.push(tokio::spawn(administer(
            root,
            node.address(),
            channel,
            Arc::clone(&seen),
        )));
    }
    let mut former = "1".to_owned();
    for _ in 0..2 {
        let before = seen.requests.load(Ordering::Relaxed);
        former = rotate(&fleet, &mut roots, &former).await?;
        // Each of the keys has had requests of its time.
        while seen.requests.load(Ordering::Relaxed) < before + 300 {
            tokio::task::yield_now().await;
        }
    }
    seen.over.store(true, Ordering::Relaxed);
    for worker in load {
        worker.await.expect("no request failed")?;
    }
    let mine = keys(&mut roots[0]).await?;
    assert_eq!((mine.len(), mine[0].key_id.as_str()), (1, "3"));
    assert!(mine[0].sealed_secrets > USERS as i64);
    for user in &users {
        assert_eq!(user.at_all_doors(&fleet.nodes[0]).await?, ALLOWED);
    }
    let requests = seen.requests.load(Ordering::Relaxed);
    report(&format!(
        "rotated twice under load: {requests} requests, none failed"
    ));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "counts are for the reader of the run")]
fn report(line: &str) {
    println!("{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn two_rotations_under_load_fail_no_request() -> Result<(), HarnessError> {
    rotated_under_load(Fleet::embedded()?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn two_rotations_of_two_nodes_under_load_fail_no_request() -> Result<(), HarnessError> {
    rotated_under_load(Fleet::of_two().await?).await
}

/// Killed again and again in the middle of sealing anew: it goes on where it was, and nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resealing_resumes_after_kills() -> Result<(), HarnessError> {
    const TOKENS: usize = 400;
    let mut server = Server::start(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    let mut users = Vec::new();
    for _ in 0..TOKENS {
        users.push(User::new(&mut root, &server, Permission::ReadOnly).await?);
    }
    let keyring = keyring_file(&server);
    keyring_command(&["add"], &keyring)?;
    keyring_command(&["activate", "2"], &keyring)?;
    reload(&mut root).await?;
    let mut killed_at = Vec::new();
    for least in [1, 100, 200] {
        loop {
            let keys = keys(&mut root).await?;
            if sealed_by(&keys, "2") >= least {
                killed_at.push(sealed_by(&keys, "1"));
                break;
            }
        }
        server.kill9()?;
        server.restart()?;
        root = Clients::root(&server).await?;
    }
    assert!(
        killed_at[0] > 0,
        "it was in the middle: {killed_at:?} were left"
    );
    while sealed_by(&keys(&mut root).await?, "1") > 0 {}
    let done = keys(&mut root).await?;
    assert_eq!(
        sealed_by(&done, "2"),
        TOKENS as i64 + 1,
        "all tokens and the root key"
    );
    for user in users.iter().step_by(10) {
        let user = user.at(&server);
        assert_eq!(user.at_all_doors(&server).await?, ALLOWED);
    }
    // The former key is of no use any more.
    keyring_command(&["remove", "1"], &keyring)?;
    server.restart()?;
    assert_eq!(users[0].at(&server).at_all_doors(&server).await?, ALLOWED);
    report(&format!(
        "killed while sealing anew, with {killed_at:?} of {TOKENS} secrets left"
    ));
    Ok(())
}

/// What was handed out before a rotation is good until its end; it ends with the key that made it.
#[tokio::test]
async fn sessions_and_page_tokens_outlive_a_rotation() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    let user = User::new(&mut root, &server, Permission::ReadWrite).await?;
    for key in ["a", "b"] {
        assert_eq!(user.send("PUT", &format!("/{key}"), b"x")?.status, 200);
    }
    let before = root.tokens.list_tokens(list_tokens()).await?.into_inner();
    let version = before.tokens[0].version;
    let mut clients = Clients::connect(&server, user.bearer()?).await?;
    let session = clients
        .tokens
        .create_session(CreateSessionRequest {})
        .await?;
    let session = Bearer::session(&session.into_inner().session_token)?;
    let mut by_session = Clients::connect(&server, session).await?;
    let page = |page_token: String| ListObjectsRequest {
        page_size: Some(1),
        page_token,
        ..listing()
    };
    let first = clients.objects.list_objects(page(String::new())).await?;
    let next = first.into_inner().next_page_token;
    assert!(!next.is_empty());

    let keyring = keyring_file(&server);
    keyring_command(&["add"], &keyring)?;
    keyring_command(&["activate", "2"], &keyring)?;
    reload(&mut root).await?;
    while sealed_by(&keys(&mut root).await?, "1") > 0 {}
    let second = by_session.objects.list_objects(page(next.clone())).await?;
    assert_eq!(second.into_inner().objects[0].key, "b");
    // Nothing moved for the token's administrator.
    let after = root.tokens.list_tokens(list_tokens()).await?.into_inner();
    assert_eq!(after.tokens[0].version, version);
    assert_eq!(after.tokens[0].update_time, before.tokens[0].update_time);

    keyring_command(&["remove", "1"], &keyring)?;
    reload(&mut root).await?;
    let ended = code(by_session.objects.list_objects(listing()).await);
    assert_eq!(ended, Code::Unavailable);
    let ended = code(clients.objects.list_objects(page(next)).await);
    assert_eq!(ended, Code::InvalidArgument);
    assert_eq!(user.at_all_doors(&server).await?, ALLOWED);
    Ok(())
}

fn list_tokens() -> ListTokensRequest {
    ListTokensRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    }
}

/// A keyring that would lose something is refused, and the former one goes on.
#[tokio::test]
async fn a_reload_that_would_lose_a_key_is_refused() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    let user = User::new(&mut root, &server, Permission::ReadOnly).await?;
    let keyring = keyring_file(&server);
    let right = fs::read_to_string(&keyring).expect("the keyring");
    let other_key = "f".repeat(63) + "0";
    let changed = right.replace(right.split('"').nth(1).unwrap_or_default(), &other_key);
    for (text, expected) in [
        (
            format!("active = 2\n[keys]\n2 = \"{other_key}\"\n"),
            "key 1 is not in the keyring, but still seals 2 secrets",
        ),
        (
            changed,
            "key 1 of the keyring is not the one of this catalog",
        ),
        ("active = 1".to_owned(), "cannot be used"),
        (
            right.replace("active = 1", "active = 3"),
            "the active key 3 is not in the keyring",
        ),
    ] {
        fs::write(&keyring, &text).expect("to be written");
        let refused = reload(&mut root).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{expected}");
        let message = refused.message();
        assert!(
            message.contains("stays as it is") && message.contains(expected),
            "{expected}: {message}"
        );
        assert!(!message.contains(&other_key));
        assert_eq!(user.at_all_doors(&server).await?, ALLOWED);
    }
    fs::remove_file(&keyring).expect("to be removed");
    let refused = reload(&mut root).await.unwrap_err();
    assert!(
        refused.message().contains("cannot read the keyring"),
        "{refused:?}"
    );
    let shown = keys(&mut root).await?;
    assert_eq!((shown.len(), shown[0].sealed_secrets), (1, 2));

    let mut token = Clients::connect(&server, user.bearer()?).await?;
    assert_eq!(
        code(reload(&mut token.clone()).await),
        Code::PermissionDenied
    );
    let asked = token
        .admin
        .get_keyring(bucketry_contract::v1::GetKeyringRequest {})
        .await;
    assert_eq!(code(asked), Code::PermissionDenied);
    Ok(())
}

#[tokio::test]
async fn a_keyring_in_a_variable_cannot_be_reloaded() -> Result<(), HarnessError> {
    let url = postgres::create_database().await?;
    let server = Server::start(ServerOptions::new().database_url(&url))?;
    let mut root = Clients::root(&server).await?;
    let refused = reload(&mut root).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(
        refused
            .message()
            .contains("BUCKETRY_KEYRING, which cannot change"),
        "{refused:?}"
    );
    Ok(())
}

/// The operator's own way, by the command line alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_rotates() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let file = keyring_file(&server);
    let ask = |arguments: &[&str]| -> Result<String, HarnessError> {
        let mut command = Command::new(binary()?);
        command
            .arg("keyring")
            .args(arguments)
            .env("BUCKETRY_ENDPOINT", server.endpoint_url())
            .env("BUCKETRY_ACCESS_KEY_ID", ROOT_ACCESS_KEY_ID)
            .env("BUCKETRY_SECRET_ACCESS_KEY", ROOT_SECRET_ACCESS_KEY);
        let output = output(&mut command)?;
        let text = [output.stdout, output.stderr].concat();
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    let key = fs::read_to_string(&file).expect("the keyring");
    let key = key.split('"').nth(1).unwrap_or_default().to_owned();
    let mut said = vec![ask(&["status"])?];
    assert_eq!(said[0], "KEY  STATE   SEALED SECRETS\n1    active  1\n");
    said.push(keyring_command(&["add"], &file)?);
    said.push(ask(&["reload"])?);
    assert_eq!(
        said[2],
        "KEY  STATE       SEALED SECRETS\n1    active      1\n2    opens only  0\n"
    );
    said.push(keyring_command(&["list"], &file)?);
    assert_eq!(said[3], "KEY  STATE\n1    active\n2    opens only\n");
    said.push(keyring_command(&["activate", "2"], &file)?);
    said.push(ask(&["reload", "--output", "json"])?);
    assert!(
        said[5].contains("\"keyId\": \"2\",\n      \"active\": true"),
        "{}",
        said[5]
    );
    while !ask(&["status"])?.contains("1    opens only  0\n2    active      1\n") {}
    said.push(keyring_command(&["remove", "1"], &file)?);
    said.push(ask(&["reload"])?);
    assert_eq!(said[7], "KEY  STATE   SEALED SECRETS\n2    active  1\n");
    fs::write(&file, "nothing").expect("to be written");
    said.push(ask(&["reload"])?);
    assert!(
        said[8].contains("the keyring stays as it is"),
        "{}",
        said[8]
    );
    assert!(!said.concat().contains(&key), "the key was shown");
    Ok(())
}

#[tokio::test]
async fn a_hangup_reloads_the_keyring() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    let keyring = keyring_file(&server);
    keyring_command(&["add", "--number", "5"], &keyring)?;
    keyring_command(&["activate", "5"], &keyring)?;
    let pid = i32::try_from(server.pid()).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process"), Signal::HUP).expect("to be sent");
    while sealed_by(&keys(&mut root).await?, "5") == 0 {}
    let shown = keys(&mut root).await?;
    assert_eq!((sealed_by(&shown, "1"), sealed_by(&shown, "5")), (0, 1));
    // A refused one is told in the log, and does not end the process.
    fs::write(&keyring, "nothing").expect("to be written");
    kill_process(pid.expect("a process"), Signal::HUP).expect("to be sent");
    while !server.log().contains("cannot reload the keyring") {
        tokio::task::yield_now().await;
    }
    assert_eq!(keys(&mut root).await?.len(), 2);
    Ok(())
}
