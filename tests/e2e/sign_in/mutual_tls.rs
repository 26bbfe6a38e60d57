//! TLS in both directions between a separate adapter and its service.

use std::fs;
use std::path::PathBuf;

use bucketry_tests::error::HarnessError;
use bucketry_tests::server::{ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY, Server, ServerOptions};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

use super::{command_line, errors_of, s3};
use crate::separate_adapter::{Adapter, Key};

/// Certificates in a folder.
struct Files(TempDir);

impl Files {
    /// An authority `NAME-ca.pem` and a certificate of it for this machine: `NAME.pem` and `NAME-key.pem`.
    fn with(self, name: &str) -> Self {
        let mut ca = CertificateParams::new(Vec::new()).expect("parameters");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(ca, KeyPair::generate().expect("a key"));
        let issuer = issuer.expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let leaf = CertificateParams::new(names).expect("parameters");
        let leaf = leaf.signed_by(&key, &issuer).expect("a certificate");
        self.write(&format!("{name}-ca.pem"), &issuer.pem());
        self.write(&format!("{name}.pem"), &leaf.pem());
        self.write(&format!("{name}-key.pem"), &key.serialize_pem());
        self
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("to be written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("a path").to_owned()
    }
}

fn files() -> Files {
    Files(tempfile::tempdir().expect("a folder"))
        .with("server")
        .with("client")
        .with("stranger")
}

fn server(files: &Files, arguments: &[&str]) -> Result<Server, HarnessError> {
    let mut options = ServerOptions::new()
        .argument("--tls-cert")
        .argument(files.path("server.pem"))
        .argument("--tls-key")
        .argument(files.path("server-key.pem"));
    for argument in arguments {
        options = options.argument(*argument);
    }
    Server::start(options)
}

/// An edge key, made by the command line over TLS, without a client certificate.
async fn edge_key(files: &Files, server: &Server) -> Result<Key, HarnessError> {
    let ca = files.text("server-ca.pem");
    let arguments = [
        "key",
        "create",
        "--edge",
        "front",
        "--output",
        "json",
        "--ca-file",
        &ca,
    ];
    let output = command_line(&server.endpoint_url(), &arguments).await?;
    assert!(output.status.success(), "{}", errors_of(&output));
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    Ok(Key {
        key_id: text(&made["key"]["keyId"]),
        access_key_id: text(&made["key"]["accessKeyId"]),
        secret_access_key: text(&made["secretAccessKey"]),
    })
}

/// What a client of S3 gets by an adapter that is started so.
async fn listing_by(
    files: &Files,
    server: &Server,
    key: &Key,
    certificate: Option<&str>,
) -> Result<u16, HarnessError> {
    let mut arguments = vec![format!("--service-ca={}", files.text("server-ca.pem"))];
    if let Some(name) = certificate {
        arguments.push(format!(
            "--service-client-cert={}",
            files.text(&format!("{name}.pem"))
        ));
        arguments.push(format!(
            "--service-client-key={}",
            files.text(&format!("{name}-key.pem"))
        ));
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let adapter = Adapter::with(key, &server.endpoint_url(), &arguments)?;
    s3(
        adapter.address,
        "/",
        (ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY),
    )
    .await
}

#[tokio::test]
async fn an_adapter_reaches_its_service_by_tls() -> Result<(), HarnessError> {
    let files = files();
    let server = server(&files, &[])?;
    let key = edge_key(&files, &server).await?;
    assert_eq!(listing_by(&files, &server, &key, None).await?, 200);
    // Of an authority that the adapter was not told of.
    let ca = format!("--service-ca={}", files.text("stranger-ca.pem"));
    let adapter = Adapter::with(&key, &server.endpoint_url(), &[&ca])?;
    let root = (ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY);
    assert_eq!(s3(adapter.address, "/", root).await?, 503);
    Ok(())
}

#[tokio::test]
async fn with_a_client_ca_the_adapters_service_takes_certificates_only() -> Result<(), HarnessError>
{
    let files = files();
    let ca = format!("--tls-client-ca={}", files.text("client-ca.pem"));
    let server = server(&files, &[&ca])?;
    // The command line has no certificate, and needs none.
    let key = edge_key(&files, &server).await?;
    for (certificate, wanted) in [(Some("client"), 200), (None, 503), (Some("stranger"), 503)] {
        let seen = listing_by(&files, &server, &key, certificate).await?;
        assert_eq!(seen, wanted, "{certificate:?}");
    }
    // With an edge key in hand, but no certificate.
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(
        fs::read(files.path("server-ca.pem")).expect("the authority"),
    ));
    let channel = Endpoint::from_shared(server.endpoint_url())?
        .tls_config(tls)?
        .connect_lazy();
    let mut adapter =
        bucketry_contract::adapter::v1::adapter_service_client::AdapterServiceClient::new(channel);
    let mut request = tonic::Request::new(Default::default());
    let bearer = format!("Bearer {}.{}", key.access_key_id, key.secret_access_key);
    request
        .metadata_mut()
        .insert("authorization", bearer.parse().expect("a header"));
    let refused = adapter.evaluate_cors(request).await.unwrap_err();
    assert!(
        refused.message().contains("client certificate"),
        "{refused:?}"
    );
    Ok(())
}
