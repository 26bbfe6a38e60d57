use std::net::IpAddr;
use std::time::Duration;

use bucketry_contract::v1::admin_service_client::AdminServiceClient;
use bucketry_contract::v1::object_service_client::ObjectServiceClient;
use bucketry_contract::v1::token_service_client::TokenServiceClient;
use bucketry_sign_in::{Purpose, SignIn, SignInCredentials, SignInError, normalized_endpoint};
use http::Uri;
use tonic::metadata::Ascii;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Response, Status};

use super::CliError;
use crate::config::{ClientSettings, EndpointSettings, KeyPair, PlaintextCredentials};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A way to a server, signed in or not.
pub(super) struct ServerConnection {
    endpoint: String,
    channel: Channel,
    bearer: Bearer,
}

/// A channel that shows the session with every call, if there is one.
pub(super) type SignedIn = InterceptedService<Channel, Bearer>;

/// Adds the session, if there is one, to a call.
#[derive(Clone)]
pub(super) struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(credentials) = &self.0 {
            request
                .metadata_mut()
                .insert("authorization", credentials.clone());
        }
        Ok(request)
    }
}

impl ServerConnection {
    /// Connects and signs in. The secret is not sent: the server gets a signature, and its answer has to prove that it
    /// knows the secret too.
    pub(super) async fn open(
        settings: &ClientSettings,
        credentials: Option<KeyPair>,
    ) -> Result<Self, CliError> {
        let credentials = credentials.ok_or(CliError::NoCredentials)?;
        let endpoint = settings.server.endpoint.as_str().to_owned();
        let channel = channel(&settings.server)?;
        if is_exposed(settings) {
            return Err(CliError::Plaintext { endpoint });
        }
        let secret = credentials.secret_access_key.expose();
        let sign_in = SignIn {
            channel: channel.clone(),
            credentials: SignInCredentials::new(&credentials.access_key_id, secret),
            // An endpoint that cannot be parsed is refused by the server, with its own endpoints.
            endpoint: normalized_endpoint(&endpoint).unwrap_or_else(|| endpoint.clone()),
            purpose: Purpose::Client,
        };
        let session = sign_in.session().await.map_err(|error| match error {
            SignInError::Refused(status) => CliError::of_call(*status, &endpoint),
            other => CliError::SignIn(other),
        })?;
        Ok(Self {
            endpoint,
            channel,
            bearer: Bearer(Some(session.authorization)),
        })
    }

    /// Prepares a connection for calls without credentials. It may be without TLS, since no secret is sent.
    pub(super) fn anonymous(settings: &EndpointSettings) -> Result<Self, CliError> {
        Ok(Self {
            endpoint: settings.endpoint.as_str().to_owned(),
            channel: channel(settings)?,
            bearer: Bearer(None),
        })
    }

    pub(super) fn objects(&self) -> ObjectServiceClient<SignedIn> {
        ObjectServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    pub(super) fn tokens(&self) -> TokenServiceClient<SignedIn> {
        TokenServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    pub(super) fn admin(&self) -> AdminServiceClient<SignedIn> {
        AdminServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    /// The endpoint as it was given.
    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The message of an answer.
    pub(super) fn answer<T>(&self, answer: Result<Response<T>, Status>) -> Result<T, CliError> {
        answer
            .map(Response::into_inner)
            .map_err(|status| CliError::of_call(status, &self.endpoint))
    }
}

/// A channel that connects with its first call.
fn channel(settings: &EndpointSettings) -> Result<Channel, CliError> {
    let endpoint = settings.endpoint.as_str().to_owned();
    let refused = |source| CliError::Endpoint {
        endpoint: endpoint.clone(),
        source,
    };
    let mut builder = Endpoint::from_shared(endpoint.clone())
        .and_then(|builder| builder.user_agent(concat!("bucketry/", env!("CARGO_PKG_VERSION"))))
        .map_err(refused)?
        .connect_timeout(CONNECT_TIMEOUT);
    // Read without TLS too, so that a wrong file name is always an error.
    let tls = tls(settings)?;
    if is_tls(builder.uri()) {
        builder = builder.tls_config(tls).map_err(refused)?;
    }
    Ok(builder.connect_lazy())
}

/// Whether the session would cross a network in plain text, which the operator must allow.
fn is_exposed(settings: &ClientSettings) -> bool {
    let Ok(uri) = settings.server.endpoint.as_str().parse::<Uri>() else {
        return true;
    };
    !is_tls(&uri)
        && settings.plaintext_credentials == PlaintextCredentials::Loopback
        && !is_loopback(&uri)
}

fn tls(settings: &EndpointSettings) -> Result<ClientTlsConfig, CliError> {
    let mut config = ClientTlsConfig::new().with_enabled_roots();
    if let Some(path) = &settings.ca_file {
        let pem = std::fs::read(path).map_err(|source| CliError::CaFile {
            path: path.clone(),
            source,
        })?;
        config = config.ca_certificate(Certificate::from_pem(pem));
    }
    Ok(config)
}

fn is_tls(uri: &Uri) -> bool {
    uri.scheme_str() == Some("https")
}

/// Whether a host is this machine by its name or address alone: nothing is resolved.
fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host.ends_with(".localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn settings(endpoint: &str, plaintext_credentials: PlaintextCredentials) -> ClientSettings {
        ClientSettings {
            server: EndpointSettings {
                endpoint: endpoint.parse().unwrap(),
                ca_file: None,
            },
            plaintext_credentials,
        }
    }

    fn credentials() -> KeyPair {
        KeyPair {
            access_key_id: "BKTYEXAMPLE".into(),
            secret_access_key: Secret::new("hunter2hunter2".into()),
        }
    }

    /// No server listens at the endpoint: if the client does not refuse first, the result is a connection error.
    async fn refused(endpoint: &str, plaintext: PlaintextCredentials) -> CliError {
        let opened =
            ServerConnection::open(&settings(endpoint, plaintext), Some(credentials())).await;
        opened.err().expect("a refusal")
    }

    #[test]
    fn a_session_leaves_this_machine_only_by_tls_or_by_wish() {
        use PlaintextCredentials::{Anywhere, Loopback};
        for endpoint in [
            "http://127.0.0.1:1",
            "http://localhost:1",
            "http://s3.localhost",
            "http://[::1]:1",
            "https://example.com",
        ] {
            assert!(!is_exposed(&settings(endpoint, Loopback)), "{endpoint}");
        }
        for endpoint in [
            "http://example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
        ] {
            assert!(is_exposed(&settings(endpoint, Loopback)), "{endpoint}");
            assert!(!is_exposed(&settings(endpoint, Anywhere)), "{endpoint}");
        }
    }

    #[tokio::test]
    async fn an_exposed_endpoint_is_refused_before_anything_is_sent() {
        let refused = refused("http://example.com", PlaintextCredentials::Loopback).await;
        assert!(matches!(refused, CliError::Plaintext { .. }));
    }

    #[tokio::test]
    async fn a_missing_file_of_authorities_is_told_without_tls_too() {
        let mut settings = settings("http://localhost", PlaintextCredentials::Loopback);
        settings.server.ca_file = Some("/there/is/no.pem".into());
        let opened = ServerConnection::open(&settings, Some(credentials())).await;
        assert!(matches!(opened, Err(CliError::CaFile { .. })));
    }

    #[tokio::test]
    async fn credentials_are_needed_only_to_sign_in() {
        let loopback = settings("http://localhost", PlaintextCredentials::Loopback);
        let none = ServerConnection::open(&loopback, None).await;
        assert!(matches!(none, Err(CliError::NoCredentials)));
        let remote = settings("http://example.com", PlaintextCredentials::Loopback);
        assert!(ServerConnection::anonymous(&remote.server).is_ok());
    }
}
