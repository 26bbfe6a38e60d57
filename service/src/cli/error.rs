use std::io;
use std::path::PathBuf;

use tokio_rustls::rustls;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Why a command failed. The caller reads it.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// No credentials in the environment.
    #[error("no credentials: set BUCKETRY_ACCESS_KEY_ID and BUCKETRY_SECRET_ACCESS_KEY")]
    NoCredentials,
    /// The credentials have characters that a header cannot hold.
    #[error("the credentials hold characters that cannot be sent")]
    Credentials,
    /// The secret would be sent over a network unencrypted.
    #[error(
        "{endpoint} is neither https nor this machine, so the secret would be sent in the clear; if something else \
         protects the network, allow it by --plaintext-credentials anywhere"
    )]
    Plaintext {
        /// The endpoint.
        endpoint: String,
    },
    /// The file of certificate authorities cannot be read.
    #[error("cannot read the certificate authorities {}: {source}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The endpoint or its TLS settings cannot be used.
    #[error("{endpoint}: {}", causes(source))]
    Endpoint {
        /// The endpoint.
        endpoint: String,
        /// The cause.
        source: tonic::transport::Error,
    },
    /// The server was not reached.
    #[error("cannot reach {endpoint}: {cause}{}", advice.map(|text| format!("; {text}")).unwrap_or_default())]
    Unreachable {
        /// The endpoint.
        endpoint: String,
        /// The cause.
        cause: String,
        /// The most likely remedy.
        advice: Option<&'static str>,
    },
    /// The server could not prove itself, or does not support sign-in by challenge.
    #[error(transparent)]
    SignIn(bucketry_sign_in::SignInError),
    /// The server refused.
    #[error("{}", refusal(.0))]
    Refused(Box<Status>),
    /// The key may not perform the operation that was to be presigned.
    #[error(
        "Access Denied (ACCESS_DENIED); a key can presign only operations that it may perform itself"
    )]
    PresignDenied,
    /// A required field is missing in the server's answer.
    #[error("the server's answer lacks `{field}`: client and server are of different versions")]
    Incomplete {
        /// The field.
        field: &'static str,
    },
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// Something that was checked is not in order.
    #[error("{failed} of {checks} checks failed")]
    ChecksFailed {
        /// How many.
        failed: usize,
        /// Of so many.
        checks: usize,
    },
    /// An edit that changes nothing.
    #[error(
        "nothing to change: give --name, --allow-ip, --deny-ip, --allow-any-ip, --deny-no-ip, --expires-in, --no-expiry, \
         --requests-per-second, --bytes-per-day or --no-limits"
    )]
    NothingToChange,
    /// The output `env` was requested for a token without its secret.
    #[error("--output env shows credentials: give --secret")]
    EnvNeedsSecret,
    /// The time of expiry is out of the range of timestamps.
    #[error("the time of expiry is too far away")]
    ExpiryTooFar,
    /// The keyring file cannot be read or changed.
    #[error(transparent)]
    Keyring(#[from] crate::access::KeyringFileError),
    /// The answer cannot be written as JSON.
    #[error("cannot write the answer as JSON: {0}")]
    Json(String),
    /// Standard output cannot be written to.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

impl CliError {
    /// The error of a failed call. A status that does not come from the server means that it was not reached.
    pub(super) fn of_call(status: Status, endpoint: &str) -> Self {
        let source =
            std::error::Error::source(&status).filter(|_| status.code() != Code::Cancelled);
        match source {
            Some(source) => Self::Unreachable {
                endpoint: endpoint.to_owned(),
                cause: causes(source),
                advice: advice(source),
            },
            None => Self::Refused(Box::new(status)),
        }
    }
}

/// The server's message with its bucket and reason, as in `no such bucket: photos (NO_SUCH_BUCKET)`.
fn refusal(status: &Status) -> String {
    let info = status.get_details_error_info();
    let bucket = info.as_ref().and_then(|info| info.metadata.get("bucket"));
    let message = match bucket {
        Some(bucket) if !status.message().contains(bucket) => {
            format!("{}: {bucket}", status.message())
        }
        _ => status.message().to_owned(),
    };
    let reason = info.map_or_else(|| format!("{:?}", status.code()), |info| info.reason);
    // The server's message has no details, so that it does not reveal what exists.
    let advice = if reason == "ACCESS_DENIED" {
        "; this takes the key of an administrator, not a token; account, key, audit and keyring take an operator's"
    } else {
        ""
    };
    if message.is_empty() {
        reason
    } else {
        format!("{message} ({reason}){advice}")
    }
}

/// The most likely remedy of a failure.
fn advice(error: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(system) = cause.downcast_ref::<io::Error>() {
            // The inner error of this one is not its source.
            let inner = system.get_ref().and_then(|inner| inner.downcast_ref());
            return inner.map_or_else(|| advice_on_system(system.kind()), advice_on_tls);
        }
        next = cause.source();
    }
    None
}

fn advice_on_system(kind: io::ErrorKind) -> Option<&'static str> {
    (kind == io::ErrorKind::ConnectionRefused).then_some(
        "is it running (bucketry serve)? BUCKETRY_ENDPOINT or --endpoint names another server",
    )
}

fn advice_on_tls(error: &rustls::Error) -> Option<&'static str> {
    use rustls::CertificateError::{Other, UnknownIssuer};
    use rustls::{Error, InvalidMessage};
    match error {
        Error::InvalidCertificate(UnknownIssuer) => {
            Some("--ca-file or BUCKETRY_CA_FILE names the authority to trust")
        }
        // As `openssl req -x509` makes them by default.
        Error::InvalidCertificate(Other(other))
            if other.to_string().contains("CaUsedAsEndEntity") =>
        {
            Some(
                "a server's own certificate must not be that of an authority: \
             openssl makes one with -addext basicConstraints=critical,CA:FALSE",
            )
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            Some("if it speaks no TLS its URL begins with http:")
        }
        _ => None,
    }
}

/// An error with its chain of causes.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // Wrappers often repeat what they wrap.
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn failures_to_connect_come_with_advice() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert!(advice(&refused).unwrap().contains("bucketry serve"));
        let certificate = rustls::Error::from(rustls::CertificateError::UnknownIssuer);
        let wrapped = io::Error::new(io::ErrorKind::InvalidData, certificate);
        assert!(advice(&wrapped).unwrap().contains("--ca-file"));
        assert_eq!(advice(&io::Error::from(io::ErrorKind::TimedOut)), None);
    }

    #[test]
    fn a_refusal_shows_message_and_reason() {
        let details = ErrorDetails::with_error_info(
            "NO_SUCH_BUCKET",
            "bucketry",
            std::collections::HashMap::new(),
        );
        let status = Status::with_error_details(Code::NotFound, "no such bucket", details);
        let error = CliError::of_call(status, "http://x");
        assert_eq!(error.to_string(), "no such bucket (NO_SUCH_BUCKET)");
        let details = ErrorDetails::with_error_info(
            "NO_SUCH_BUCKET",
            "bucketry",
            std::collections::HashMap::from([("bucket".to_owned(), "photos".to_owned())]),
        );
        let status = Status::with_error_details(Code::NotFound, "no such bucket", details);
        let error = CliError::of_call(status, "http://x");
        assert_eq!(error.to_string(), "no such bucket: photos (NO_SUCH_BUCKET)");
        let bare = CliError::of_call(Status::new(Code::Unimplemented, ""), "http://x");
        assert_eq!(bare.to_string(), "Unimplemented");
    }
}
