use std::net::IpAddr;
use std::time::Duration;

use bucketry_contract::v1::admin_service_client::AdminServiceClient;
use bucketry_contract::v1::object_service_client::ObjectServiceClient;
use bucketry_contract::v1::token_service_client::TokenServiceClient;
use http::Uri;
use tonic::metadata::Ascii;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Response, Status};
use zeroize::Zeroizing;

use super::CliError;
use crate::config::{ClientSettings, KeyPair, PlaintextCredentials};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A way to a server, signed in or not; connects with the first call.
pub(super) struct Connection {
    endpoint: String,
    channel: Channel,
    bearer: Bearer,
}

/// A channel that signs in with every call, if it has credentials.
pub(super) type SignedIn = InterceptedService<Channel, Bearer>;

/// Adds the credentials, if there are any, to a call.
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

impl Bearer {
    fn new(credentials: &KeyPair) -> Result<Self, CliError> {
        let text = Zeroizing::new(format!(
            "Bearer {}.{}",
            credentials.access_key_id,
            credentials.secret_access_key.expose()
        ));
        let mut value: MetadataValue<Ascii> = text.parse().map_err(|_| CliError::Credentials)?;
        // Kept out of Debug and of HTTP/2's header table.
        value.set_sensitive(true);
        Ok(Self(Some(value)))
    }
}

impl Connection {
    /// Prepares a connection that signs in.
    pub(super) fn open(
        settings: &ClientSettings,
        credentials: Option<KeyPair>,
    ) -> Result<Self, CliError> {
        let credentials = credentials.ok_or(CliError::NoCredentials)?;
        Self::with(settings, Bearer::new(&credentials)?)
    }

    /// Prepares a connection for what is open to everybody. As no secret is sent, it may be without TLS.
    pub(super) fn anonymous(settings: &ClientSettings) -> Result<Self, CliError> {
        Self::with(settings, Bearer(None))
    }

    fn with(settings: &ClientSettings, bearer: Bearer) -> Result<Self, CliError> {
        let endpoint = settings.endpoint.as_str().to_owned();
        let refused = |source| CliError::Endpoint {
            endpoint: endpoint.clone(),
            source,
        };
        let mut builder = Endpoint::from_shared(endpoint.clone())
            .and_then(|builder| builder.user_agent(concat!("bucketry/", env!("CARGO_PKG_VERSION"))))
            .map_err(refused)?
            .connect_timeout(CONNECT_TIMEOUT);
        // Read without TLS too, so that the wrong name of a file is always told.
        let tls = tls(settings)?;
        if is_tls(builder.uri()) {
            builder = builder.tls_config(tls).map_err(refused)?;
        } else if bearer.0.is_some()
            && settings.plaintext_credentials == PlaintextCredentials::Loopback
            && !is_loopback(builder.uri())
        {
            return Err(CliError::Plaintext { endpoint });
        }
        Ok(Self {
            channel: builder.connect_lazy(),
            bearer,
            endpoint,
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

fn tls(settings: &ClientSettings) -> Result<ClientTlsConfig, CliError> {
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
            endpoint: endpoint.parse().unwrap(),
            ca_file: None,
            plaintext_credentials,
        }
    }

    fn credentials() -> KeyPair {
        KeyPair {
            access_key_id: "BKTYEXAMPLE".into(),
            secret_access_key: Secret::new("hunter2hunter2".into()),
        }
    }

    #[tokio::test]
    async fn a_secret_leaves_this_machine_only_by_tls_or_by_wish() {
        use PlaintextCredentials::{Anywhere, Loopback};
        let open = |endpoint, plaintext| {
            Connection::open(&settings(endpoint, plaintext), Some(credentials()))
        };
        for endpoint in [
            "http://127.0.0.1:1",
            "http://localhost:1",
            "http://s3.localhost",
            "http://[::1]:1",
            "https://example.com",
        ] {
            assert!(open(endpoint, Loopback).is_ok(), "{endpoint}");
        }
        for endpoint in [
            "http://example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
        ] {
            assert!(
                matches!(open(endpoint, Loopback), Err(CliError::Plaintext { .. })),
                "{endpoint}"
            );
            assert!(open(endpoint, Anywhere).is_ok(), "{endpoint}");
        }
    }

    #[tokio::test]
    async fn a_missing_file_of_authorities_is_told_without_tls_too() {
        let settings = ClientSettings {
            ca_file: Some("/there/is/no.pem".into()),
            ..settings("http://localhost", PlaintextCredentials::Loopback)
        };
        let opened = Connection::open(&settings, Some(credentials()));
        assert!(matches!(opened, Err(CliError::CaFile { .. })));
    }

    #[tokio::test]
    async fn credentials_are_needed_and_never_shown() {
        let none = Connection::open(
            &settings("http://localhost", PlaintextCredentials::Loopback),
            None,
        );
        assert!(matches!(none, Err(CliError::NoCredentials)));
        let bearer = Bearer::new(&credentials()).unwrap();
        let value = bearer.0.unwrap();
        assert_eq!(value.to_str().unwrap(), "Bearer BKTYEXAMPLE.hunter2hunter2");
        assert!(!format!("{value:?}").contains("hunter2"));
        let remote = settings("http://example.com", PlaintextCredentials::Loopback);
        assert!(Connection::anonymous(&remote).is_ok());
    }
}
