//! Reloads of the keyring, and what survives them.

use std::fs;
use std::process::Command;

use bucketry_contract::v1::{
    CreateSessionRequest, ListObjectsRequest, ListTokensRequest, Permission,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::postgres;
use bucketry_tests::server::{
    ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY, Server, ServerOptions, binary,
};
use rustix::process::{Pid, Signal, kill_process};
use tonic::Code;

use crate::secrets::{
    ALLOWED, BUCKET, User, code, keyring_command, keyring_file, keys, listing, output, reload,
    sealed_by,
};

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
