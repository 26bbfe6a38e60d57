//! The sign-in of a separate adapter, and its edge keys.

use bucketry_contract::v1::{ErrorReason, RevokeAdminKeyRequest};
use bucketry_sign_in::{Purpose, SignInError};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::server::{ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY, Server, ServerOptions};

use super::{BUCKET, command_line, errors_of, reason, root, s3, sign_in};
use crate::separate_adapter::{Adapter, Key, edge_key};

/// The adapter's client learns nothing of the adapter's key.
#[tokio::test]
async fn an_adapter_whose_key_is_revoked_is_unavailable() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let mut clients = Clients::root(&server).await?;
    clients.create_bucket(BUCKET).await?;
    let key = edge_key(&mut clients).await?;
    let adapter = Adapter::with(&key, &server.endpoint_url(), &[])?;
    let root = (ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY);
    let target = format!("/{BUCKET}?list-type=2");
    assert_eq!(s3(adapter.address, &target, root).await?, 200);
    let revoke = RevokeAdminKeyRequest { key_id: key.key_id };
    clients.admin.revoke_admin_key(revoke).await?;
    for _ in 0..3 {
        assert_eq!(s3(adapter.address, &target, root).await?, 503);
    }
    Ok(())
}

/// Started while its service is away, it signs in when the service comes, and goes on after a restart of it.
#[tokio::test]
async fn an_adapter_outlives_restarts_of_its_service() -> Result<(), HarnessError> {
    let mut server = Server::start(ServerOptions::new())?;
    let key = edge_key(&mut Clients::root(&server).await?).await?;
    let endpoint = server.endpoint_url();
    let options = ServerOptions::new().listen(&server.address().to_string());
    server.kill9()?;
    let adapter = Adapter::with(&key, &endpoint, &[])?;
    let list = async || {
        s3(
            adapter.address,
            "/",
            (ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY),
        )
        .await
    };
    assert_eq!(list().await?, 503);
    for _ in 0..2 {
        server.restart_with(options.clone())?;
        // It tries every 5 seconds at least.
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
        while list().await? != 200 {
            assert!(
                tokio::time::Instant::now() < deadline,
                "it does not come back"
            );
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        server.kill9()?;
    }
    Ok(())
}

#[tokio::test]
async fn only_an_edge_key_signs_in_for_an_adapter() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let key = edge_key(&mut Clients::root(&server).await?).await?;
    assert!(sign_in(&server, &key, Purpose::Adapter).await.is_ok());
    for (key, purpose) in [(&root(), Purpose::Adapter), (&key, Purpose::Client)] {
        let refused = sign_in(&server, key, purpose).await;
        let Err(SignInError::Refused(status)) = refused else {
            panic!("{purpose:?}: {refused:?}");
        };
        assert_eq!(reason(&status), Some(ErrorReason::AccessDenied));
        let advice = status.message().contains("bucketry key create --edge");
        assert_eq!(advice, purpose == Purpose::Adapter, "{}", status.message());
    }
    Ok(())
}

#[tokio::test]
async fn the_command_line_makes_lists_and_revokes_edge_keys() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let endpoint = server.endpoint_url();
    let run = async |arguments: &[&str]| {
        let output = command_line(&endpoint, arguments).await?;
        assert!(output.status.success(), "{}", errors_of(&output));
        Ok::<_, HarnessError>(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let made = run(&["key", "create", "--edge", "front", "--output", "env"]).await?;
    let value = |name: &str| {
        let line = made.lines().find_map(|line| line.strip_prefix(name));
        line.expect(name).to_owned()
    };
    let key = Key {
        key_id: String::new(),
        access_key_id: value("BUCKETRY_ACCESS_KEY_ID="),
        secret_access_key: value("BUCKETRY_SECRET_ACCESS_KEY="),
    };
    assert!(sign_in(&server, &key, Purpose::Adapter).await.is_ok());
    let listed = run(&["key", "list"]).await?;
    let line = listed
        .lines()
        .find(|line| line.contains(&key.access_key_id));
    assert!(
        line.is_some_and(|line| line.starts_with("front") && line.contains("edge")),
        "{listed}"
    );
    run(&["key", "revoke", &key.access_key_id]).await?;
    assert!(sign_in(&server, &key, Purpose::Adapter).await.is_err());
    let events = run(&["audit"]).await?;
    assert!(
        events.contains("edge_key.create") && events.contains("admin_key.revoke"),
        "{events}"
    );
    Ok(())
}
