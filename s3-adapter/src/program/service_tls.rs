use std::io;
use std::path::{Path, PathBuf};

use http::Uri;
use tonic::transport::{Certificate, ClientTlsConfig, Identity};
use zeroize::Zeroizing;

/// The files of TLS to the service, all PEM.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ServiceTls {
    /// The certificate authorities trusted to sign the service's certificate [default: those of the system, and the
    /// public ones that this program includes]
    #[arg(long, env = "BUCKETRY_SERVICE_CA", value_name = "FILE")]
    service_ca: Option<PathBuf>,
    /// The certificate chain that this adapter presents to the service, its own certificate first
    #[arg(
        long,
        env = "BUCKETRY_SERVICE_CLIENT_CERT",
        value_name = "FILE",
        requires = "service_client_key"
    )]
    service_client_cert: Option<PathBuf>,
    /// The certificate's private key
    #[arg(
        long,
        env = "BUCKETRY_SERVICE_CLIENT_KEY",
        value_name = "FILE",
        requires = "service_client_cert"
    )]
    service_client_key: Option<PathBuf>,
}

/// Why there is no TLS to the service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServiceTlsError {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error(
        "--service-ca, --service-client-cert and --service-client-key need a --service https://…"
    )]
    NoTls,
}

impl ServiceTls {
    /// The TLS settings for this service; none if its URL is not `https`.
    ///
    /// # Errors
    /// [`ServiceTlsError`].
    pub(crate) fn client_config(
        &self,
        service: &Uri,
    ) -> Result<Option<ClientTlsConfig>, ServiceTlsError> {
        let Self {
            service_ca,
            service_client_cert,
            service_client_key,
        } = self;
        if service.scheme_str() != Some("https") {
            let files = [service_ca, service_client_cert, service_client_key];
            return match files.iter().any(|file| file.is_some()) {
                true => Err(ServiceTlsError::NoTls),
                false => Ok(None),
            };
        }
        let mut config = ClientTlsConfig::new();
        config = match service_ca {
            Some(path) => config.ca_certificate(Certificate::from_pem(read(path)?)),
            None => config.with_enabled_roots(),
        };
        if let (Some(certificate), Some(key)) = (service_client_cert, service_client_key) {
            config = config.identity(Identity::from_pem(read(certificate)?, read(key)?));
        }
        Ok(Some(config))
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, ServiceTlsError> {
    std::fs::read(path)
        .map(Zeroizing::new)
        .map_err(|source| ServiceTlsError::File {
            path: path.to_owned(),
            source,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(ca: Option<&str>) -> ServiceTls {
        ServiceTls {
            service_ca: ca.map(PathBuf::from),
            service_client_cert: None,
            service_client_key: None,
        }
    }

    #[test]
    fn files_are_never_ignored() {
        let plain = Uri::from_static("http://localhost:9000");
        let secure = Uri::from_static("https://localhost:9000");
        assert!(matches!(tls(None).client_config(&plain), Ok(None)));
        assert!(matches!(tls(None).client_config(&secure), Ok(Some(_))));
        let refused = tls(Some("ca.pem")).client_config(&plain);
        assert!(matches!(refused, Err(ServiceTlsError::NoTls)));
        let missing = tls(Some("/there/is/no.pem")).client_config(&secure);
        assert!(matches!(missing, Err(ServiceTlsError::File { .. })));
    }
}
