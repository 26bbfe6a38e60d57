//! Impostors and relays: what a client sends to a server that is not the one it dialled.

use std::net::SocketAddr;

use bucketry_tests::error::HarnessError;
use bucketry_tests::server::{ROOT_SECRET_ACCESS_KEY, Server, ServerOptions};
use tokio::net::TcpListener;

use super::impostor::Impostor;
use super::{command_line, errors_of, root, s3};
use crate::separate_adapter::Adapter;

/// Another local user took the port while the service was down.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_sends_no_secret_to_an_impostor() -> Result<(), HarnessError> {
    let impostor = Impostor::start().await?;
    let endpoint = format!("http://{}", impostor.address);
    let output = command_line(&endpoint, &["bucket", "create", "photos"]).await?;
    assert!(!output.status.success());
    let told = format!("the server at {endpoint} does not know this key's secret");
    assert!(errors_of(&output).contains(&told), "{}", errors_of(&output));
    impostor.assert_never_heard(ROOT_SECRET_ACCESS_KEY);
    // It went no further than the proof.
    assert_eq!(
        impostor.called(),
        [
            "/bucketry.v1.TokenService/CreateChallenge",
            "/bucketry.v1.TokenService/AnswerChallenge"
        ]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_adapter_sends_no_secret_to_an_impostor() -> Result<(), HarnessError> {
    let impostor = Impostor::start().await?;
    let adapter = Adapter::with(&root(), &format!("http://{}", impostor.address), &[])?;
    let status = s3(
        adapter.address,
        "/",
        ("BKTYAAAAAAAAAAAAAAAA", "of a client"),
    )
    .await?;
    assert_eq!(status, 503);
    impostor.assert_never_heard(ROOT_SECRET_ACCESS_KEY);
    let called = impostor.called();
    assert!(!called.is_empty());
    let others = called.iter().find(|path| !path.ends_with("Challenge"));
    assert_eq!(others, None);
    Ok(())
}

/// Relays all connections: what an attacker in between can do without knowing the secret.
async fn relay_to(server: SocketAddr) -> SocketAddr {
    relay_at("127.0.0.1:0", server).await
}

async fn relay_at(address: &str, server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind(address).await.expect("a port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut server = tokio::net::TcpStream::connect(server).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_is_refused_unless_it_is_an_alias() -> Result<(), HarnessError> {
    let mut server = Server::start(ServerOptions::new())?;
    let relay = relay_to(server.address()).await;
    let dialled = format!("http://{relay}");
    let refused = command_line(&dialled, &["bucket", "list"]).await?;
    let told = errors_of(&refused);
    assert!(!refused.status.success());
    assert!(told.contains(&format!("dialled {dialled}")), "{told}");
    assert!(told.contains(&server.endpoint_url()), "{told}");
    assert!(
        told.contains(&format!("--endpoint-alias {dialled}")),
        "{told}"
    );
    // Under any name and address of this machine it is itself.
    for own in [server.endpoint_url(), server.localhost_url()] {
        let done = command_line(&own, &["bucket", "list"]).await?;
        assert!(done.status.success(), "{}", errors_of(&done));
    }
    let listen = server.address().to_string();
    let options = ServerOptions::new().listen(&listen);
    server.restart_with(options.argument("--endpoint-alias").argument(&dialled))?;
    let done = command_line(&dialled, &["bucket", "list"]).await?;
    assert!(done.status.success(), "{}", errors_of(&done));
    Ok(())
}

/// The console's names on the loopback are those of its own listener only: a relay on another machine, or on the other
/// family's loopback, has the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_under_a_local_name_of_the_console_is_refused() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new().console("127.0.0.1:0"))?;
    let port = crate::console::console(&server)?.port();
    let relay = relay_at(&format!("[::1]:{port}"), server.address()).await;
    let dialled = format!("http://{relay}");
    let refused = command_line(&dialled, &["bucket", "list"]).await?;
    let told = errors_of(&refused);
    assert!(!refused.status.success());
    assert!(told.contains(&format!("dialled {dialled}")), "{told}");
    Ok(())
}
