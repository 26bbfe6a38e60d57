use std::path::PathBuf;
use std::time::Duration;

use tokio::task::{JoinError, spawn_blocking};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::{Tls, TlsError};

/// How long the files may take to be read again.
const RELOAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The PEM files for TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, the server's own first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities of client certificates; `None`: clients are not asked for a certificate.
    pub client_authorities: Option<PathBuf>,
}

/// Why the certificate was not reloaded.
#[derive(Debug, thiserror::Error)]
enum ReloadError {
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("the files were not read within {} s", RELOAD_TIMEOUT.as_secs())]
    Timeout(#[from] Elapsed),
    #[error("the reading failed: {0}")]
    Task(#[from] JoinError),
}

impl TlsFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`] naming the file.
    pub fn load(&self) -> Result<Tls, TlsError> {
        let clients = self.client_authorities.as_deref();
        Tls::from_files(&self.certificate, &self.key, clients)
    }

    /// Reads the files again and has `tls` use them for all later handshakes. If they cannot be used, the log says why,
    /// and the previous certificate stays in use.
    pub async fn reload(&self, tls: &Tls) {
        match self.read_again().await {
            Ok(next) => {
                tls.replace_with(&next);
                tracing::info!(file = %self.certificate.display(), "reloaded the TLS certificate");
            }
            Err(error) => {
                tracing::error!(%error, "cannot reload the TLS certificate; the previous one stays in use");
            }
        }
    }

    /// Reads on a thread on which nothing else waits: the disk may not answer.
    async fn read_again(&self) -> Result<Tls, ReloadError> {
        let files = self.clone();
        let read = spawn_blocking(move || files.load());
        Ok(timeout(RELOAD_TIMEOUT, read).await???)
    }
}
