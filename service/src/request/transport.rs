//! Over which connections credentials and edges are accepted.

use bucketry_edge::{ClientCertificate, ConnectionInfo, Encryption};

use super::service::{AdapterCertificate, Service};
use crate::config::PlaintextCredentials;
use crate::error::Error;

impl Service {
    /// Refuses credentials, and the making of a session, over plaintext from elsewhere.
    pub(crate) fn check_transport(&self, connection: Option<ConnectionInfo>) -> Result<(), Error> {
        let safe = connection.is_some_and(|connection| {
            connection.encryption == Encryption::Tls || connection.is_loopback()
        });
        if safe || self.settings.plaintext_credentials == PlaintextCredentials::Anywhere {
            return Ok(());
        }
        Err(Error::InsecureTransport)
    }

    /// Refuses a separate adapter whose connection lacks the client certificate that the operator asks for.
    pub(crate) fn check_edge_connection(
        &self,
        connection: Option<ConnectionInfo>,
    ) -> Result<(), Error> {
        let verified = connection
            .is_some_and(|connection| connection.client_certificate == ClientCertificate::Verified);
        match self.settings.adapter_certificate {
            AdapterCertificate::Required if !verified => Err(Error::ClientCertificateNeeded),
            AdapterCertificate::Required | AdapterCertificate::NotAsked => Ok(()),
        }
    }
}
