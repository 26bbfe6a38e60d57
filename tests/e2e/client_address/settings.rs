//! `bucketry doctor ip`, and settings of proxies that cannot work.

use std::process::Command;

use bucketry_tests::error::HarnessError;
use bucketry_tests::server::{Server, ServerOptions, binary};
use tonic::transport::Endpoint;

use super::{LOCALHOST, describe};

/// What the command prints, without credentials.
fn doctor(server: &Server, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(binary().expect("the binary"));
    command.arg("doctor").args(arguments);
    for name in [
        "BUCKETRY_ACCESS_KEY_ID",
        "BUCKETRY_SECRET_ACCESS_KEY",
        "BUCKETRY_ROOT_ACCESS_KEY_ID",
        "BUCKETRY_ROOT_SECRET_ACCESS_KEY",
    ] {
        command.env_remove(name);
    }
    command.env("BUCKETRY_ENDPOINT", server.endpoint_url());
    let output = command.output().expect("the command to run");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[tokio::test]
async fn doctor_ip_tells_the_address_and_why() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let (done, text) = doctor(&server, &["ip"]);
    assert!(
        done && text.contains("Your address:   127.0.0.1\n"),
        "{text}"
    );
    assert!(
        text.contains("127.0.0.1 connected, and no forwarding header came"),
        "{text}"
    );
    let (done, text) = doctor(&server, &["ip", "--output", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert!(done);
    assert_eq!(answer["clientAddress"], LOCALHOST);
    assert_eq!(answer["source"], "ADDRESS_SOURCE_PEER");
    let (done, text) = doctor(&server, &[]);
    assert!(done && text.contains("bucketry doctor ip"), "{text}");

    let header = [("x-forwarded-for", "192.0.2.1")];
    let channel = Endpoint::from_shared(server.endpoint_url())?
        .connect()
        .await?;
    let described = describe(channel, &header).await?;
    assert!(
        described
            .explanation
            .ends_with("start the server with --trusted-proxy 127.0.0.1"),
        "{described:?}"
    );

    let trusting = Server::start(ServerOptions::new().argument("--trusted-proxy=127.0.0.1"))?;
    let (done, text) = doctor(&trusting, &["ip"]);
    assert!(done && text.contains("Your address:   unknown\n"), "{text}");
    assert!(text.contains("Trusted proxy:  yes"), "{text}");
    let channel = Endpoint::from_shared(trusting.endpoint_url())?
        .connect()
        .await?;
    let described = describe(channel, &header).await?;
    assert_eq!(described.client_address, "192.0.2.1");
    assert_eq!(described.header, "x-forwarded-for");
    assert_eq!(described.header_values, ["192.0.2.1"]);
    assert!(described.peer_trusted);
    Ok(())
}

#[tokio::test]
async fn settings_of_proxies_that_cannot_work_are_refused() -> Result<(), HarnessError> {
    for (arguments, why) in [
        (
            &["--forwarded-header=forwarded"][..],
            "forwarded-header without trusted-proxy",
        ),
        (
            &["--proxy-listen=127.0.0.1:0"],
            "proxy-listen needs trusted-proxy",
        ),
        (&["--trusted-proxy=0.0.0.0/0"], "is everybody"),
        (&["--trusted-proxy=proxy.example.com"], "host name"),
        (
            &["--trusted-proxy=10.0.0.7", "--forwarded-header=x y"],
            "not a header name",
        ),
    ] {
        let options = arguments
            .iter()
            .fold(ServerOptions::new(), |options, argument| {
                options.argument(*argument)
            });
        match Server::start(options) {
            Ok(_) => panic!("{arguments:?} was taken"),
            Err(error) => assert!(error.to_string().contains(why), "{arguments:?}: {error}"),
        }
    }
    Ok(())
}
