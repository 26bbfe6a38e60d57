//! Rotations while the server is in use.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bucketry_contract::v1::{CreateSessionRequest, Permission};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::exchange;
use bucketry_tests::server::{Server, ServerOptions};

use super::{Fleet, rotate};
use crate::secrets::{
    ALLOWED, BUCKET, User, keyring_command, keyring_file, keys, listing, reload, sealed_by,
};

const USERS: usize = 40;

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
